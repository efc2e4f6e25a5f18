"""What a user of R means by an argument: R has no scalars, whole numbers are doubles, and ``NA`` alone is nothing."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any, Optional

import numpy as np
import pandas as pd

from ..from_r import from_r
from ..vector import Vector
from . import wire
from .reporter import Callback

_NAMED = re.compile(r"Mapping|Groups|Callback")  # arguments in which names have a meaning


_BY_NAME = ("groups", "split", "class_weights")  # one value for each image or class


def arguments(sent: Mapping[str, Any], declared: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
    """The arguments of a function; a single string beside a data frame names its column of labels."""
    values = {name: argument(value, name, declared.get(name)) for name, value in sent.items()}
    x, y = values.get("x"), values.get("y")
    if isinstance(x, pd.DataFrame) and isinstance(y, list) and len(y) == 1 and isinstance(y[0], str):
        values["y"] = y[0]
    return values


def argument(sent: Any, name: str, declared: Optional[inspect.Parameter]) -> Any:
    """The value of an argument, as its declared type wants it.

    ``x`` and ``y`` are images and labels: there a vector stays one, whatever its length, but for the single path of
    a folder or file. Elsewhere it is an option: one value, a list, or with names a dict.
    """
    value = wire.read(sent)
    if name in ("x", "y"):
        path = name == "x" and isinstance(value, Vector) and value.type == "character" and len(value.values) == 1
        value = value.values[0] if path else from_r(value, singles=False)
        if name == "y":
            return value
        if isinstance(value, dict):  # R's list of images: its names are the user's own
            return list(value.values())
        return value.array if isinstance(value, pd.Series) else value
    if name in _BY_NAME and isinstance(value, Vector) and value.type != "list":
        if len(value.values) != 1:
            return from_r(value)  # with its names, also those that recur
        if value.type == "character":
            return value.values[0]
    wanted = str(declared.annotation) if declared is not None else ""
    value = None if isinstance(value, Vector) and _is_na(value) else _option(from_r(value))
    if not _NAMED.search(wanted):
        value = _without_names(value)
    if name == "callbacks":
        value = _callback(value)
    return _fitted(value, wanted)


def _is_na(vector: Vector) -> bool:
    return len(vector.values) == 1 and bool(vector.missing()[0])


def _option(value: Any) -> Any:
    """Vectors as lists, those with names as dicts."""
    if isinstance(value, dict):
        return {key: _option(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_option(item) for item in value]
    if isinstance(value, pd.Series):
        return dict(zip(value.index, _option(value.array)))
    if isinstance(value, pd.Categorical):  # as expand.grid() makes of texts
        return value.tolist() if len(value) > 1 else value[0]
    one_axis = isinstance(value, (np.ndarray, pd.arrays.BooleanArray, pd.arrays.IntegerArray)) and value.ndim == 1
    return [None if pd.isna(item) else item for item in value.tolist()] if one_axis else value


def _without_names(value: Any) -> Any:
    """What is left of the parts of a named vector, a list or a data frame that were picked by name: ``set["lr"]``."""
    if isinstance(value, pd.DataFrame) and value.shape == (1, 1):
        return _option(value.iloc[:, 0].array)[0]
    if isinstance(value, Mapping) and (len(value) == 1 or all(map(_is_single, value.values()))):
        parts = [part.item() if isinstance(part, np.generic) else part for part in value.values()]
        return parts[0] if len(parts) == 1 else parts
    return value


def _is_single(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float))


def _callback(value: Any) -> Any:
    """Functions of R: one is called after each epoch, several in a list with names at the stations of that name."""
    if isinstance(value, list):
        return [_callback(item) for item in value]
    if isinstance(value, dict) and all(key.startswith("on_") and callable(item) for key, item in value.items()):
        return Callback(value)
    return Callback({"on_epoch": value}) if callable(value) else value


def _fitted(value: Any, wanted: str) -> Any:
    if "float" not in wanted or re.search(r"\bint\b", wanted):
        value = _whole(value)
    if isinstance(value, list) and re.search(r"\btuple\[", wanted):
        value = tuple(value)
    only_many = re.match(r"(Optional\[)?(Sequence|Iterable|list|tuple)\b", wanted)
    return [value] if only_many and isinstance(value, (str, int, float, Callback)) else value


def _whole(value: Any) -> Any:
    if isinstance(value, list):
        return [int(item) for item in value] if all(map(_is_whole, value)) else value
    return int(value) if _is_whole(value) else value


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()
