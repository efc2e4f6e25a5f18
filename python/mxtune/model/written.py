"""Predictions and other tables as text: what the command line and the service give out."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def as_csv(frame: pd.DataFrame) -> str:
    """The table as CSV; a set of classes has semicolons between them."""
    if "pred_set" in frame:
        texts = [";".join(map(str, one)) if isinstance(one, (list, tuple)) else None for one in frame["pred_set"]]
        frame = frame.assign(pred_set=texts)
    return str(frame.to_csv(index=False, na_rep="NA", lineterminator="\n"))


def as_json(frame: pd.DataFrame) -> str:
    """The table as a JSON array with an object a line."""
    return as_array(f"{{{row}}}" for row in json_members(frame))


def as_array(values: Iterable[str]) -> str:
    """A JSON array of these, one a line."""
    return "[\n" + ",\n".join(f"  {value}" for value in values) + "\n]\n"


def json_members(frame: pd.DataFrame) -> list[str]:
    """Each row as what stands within an object of JSON: ``"file": "a.png", "pred_class": "cat"``."""
    columns = [json.dumps(str(name), ensure_ascii=False) for name in frame]
    values = [_plain(frame[name]) for name in frame]
    return [
        ", ".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in zip(columns, row))
        for row in zip(*values)
    ]


def _plain(column: pd.Series) -> list[Any]:
    """Its values as JSON has them: of float32 the nine digits that it holds, however small they are."""
    if column.dtype.kind != "f":
        return list(json.loads(column.to_json(orient="values")))
    numbers = column.to_numpy(np.float64, na_value=np.nan).tolist()
    held = (float(f"{number:.9g}") for number in numbers) if column.dtype == np.float32 else numbers
    return [number if math.isfinite(number) else None for number in held]
