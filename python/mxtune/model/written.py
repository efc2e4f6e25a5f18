"""Predictions and other tables as text: what the command line and the service give out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def as_csv(frame: pd.DataFrame) -> str:
    """The table as CSV; a set of classes has semicolons between them."""
    if "pred_set" in frame:
        frame = frame.assign(pred_set=[";".join(map(str, one)) if one else None for one in frame["pred_set"]])
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
    values = [json.loads(frame[name].to_json(orient="values", double_precision=9)) for name in frame]
    return [
        ", ".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in zip(columns, row))
        for row in zip(*values)
    ]
