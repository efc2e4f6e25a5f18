"""Vectors of R as values of Python: the table is in the docstring of `mxtune.border`."""

from __future__ import annotations

from typing import Any, Callable, Optional

import numpy as np
import numpy.typing as npt
import pandas as pd

from .vector import Vector

Array = npt.NDArray[Any]
_SECONDS = {"secs": 1.0, "mins": 60.0, "hours": 3600.0, "days": 86400.0, "weeks": 604800.0}
_MICRO = 1e6


def from_r(value: Any, singles: bool = True) -> Any:
    """A value of Python; what is not a `Vector` comes back as it is.

    ``singles``: whether a vector of length one is a single value, as a user of Python sees it, or stays a vector.
    """
    if not isinstance(value, Vector):
        return value
    if value.inherits("data.frame"):
        return _frame(value)
    if value.type == "list":
        return _list(value)
    if "dim" in value.attributes:
        return _array(value)
    column = _column(value)
    names = value.texts("names")
    if names is not None:
        return pd.Series(column, index=names)
    alone = singles and len(column) == 1 and not isinstance(column, (bytes, pd.Categorical))
    return _single(column[0]) if alone else column


def becomes_python(vector: Vector) -> bool:
    """Whether a list is a data frame, a list or a dict in Python. Others stay R's own: a part without a name, or with
    the name of another, could no longer be found."""
    names = vector.texts("names") or []
    own = set(filter(None, names))
    return vector.inherits("data.frame") or (vector.texts("class") in (None, ["AsIs"]) and len(own) == len(names))


def _single(value: Any) -> Any:
    if isinstance(value, np.datetime64):
        return pd.NaT if np.isnat(value) else value.item()
    if isinstance(value, np.timedelta64):
        return pd.Timedelta(value)
    if isinstance(value, np.generic):
        return value.item()
    return pd.NA if value is None else value


# ---- vectors: an array of NumPy or pandas, or a list of strings


def _column(vector: Vector) -> Any:
    for name in vector.texts("class") or ():
        if name in _CLASSES:
            return _CLASSES[name](vector)
    return _TYPES[vector.type](vector)


def _logicals(vector: Vector) -> Any:
    gaps, values = vector.missing(), vector.values.astype(bool)
    return pd.arrays.BooleanArray(values, gaps) if gaps.any() else values


def _integers(vector: Vector) -> Any:
    gaps, values = vector.missing(), vector.values.astype(np.int64)
    return pd.arrays.IntegerArray(np.where(gaps, 1, values), gaps) if gaps.any() else values


def _integer64(vector: Vector) -> Any:
    """Of the package bit64: whole numbers in the memory of doubles."""
    whole = vector.values.view(np.int64)
    gaps = whole == np.iinfo(np.int64).min
    return pd.arrays.IntegerArray(np.where(gaps, 1, whole), gaps) if gaps.any() else whole


def _factor(vector: Vector) -> Any:
    codes = np.where(vector.missing(), 0, vector.values) - 1
    return pd.Categorical.from_codes(codes, _labels(vector.texts("levels")), ordered=vector.inherits("ordered"))


def _microseconds(vector: Vector, unit: float = 1.0) -> tuple[Array, Array]:
    """Whole microseconds, and where they are missing."""
    present = ~vector.missing() & np.isfinite(vector.values)
    return np.round(np.where(present, vector.values, 0) * unit * _MICRO).astype(np.int64), ~present


def _dates(vector: Vector) -> Array:
    micro, gaps = _microseconds(vector, _SECONDS["days"])
    return np.where(gaps, np.datetime64("NaT", "D"), micro.astype("datetime64[us]").astype("datetime64[D]"))


def _times(vector: Vector) -> Any:
    micro, gaps = _microseconds(vector)
    utc = pd.DatetimeIndex(np.where(gaps, np.datetime64("NaT", "us"), micro.astype("datetime64[us]")), tz="UTC")
    try:
        return utc.tz_convert((vector.texts("tzone") or [""])[0] or "UTC")
    except (KeyError, ValueError, OSError):  # a time zone that only R knows
        return utc


def _spans(vector: Vector) -> Array:
    micro, gaps = _microseconds(vector, _SECONDS.get((vector.texts("units") or ["secs"])[0], 1.0))
    return np.where(gaps, np.timedelta64("NaT", "us"), micro.astype("timedelta64[us]"))


_TYPES: dict[str, Callable[[Vector], Any]] = {
    "logical": _logicals,
    "integer": _integers,
    "double": lambda vector: vector.values,
    "complex": lambda vector: vector.values,
    "raw": lambda vector: vector.values.tobytes(),
    "character": lambda vector: vector.values,
}
_CLASSES: dict[str, Callable[[Vector], Any]] = {
    "factor": _factor,
    "Date": _dates,
    "POSIXct": _times,
    "difftime": _spans,
    "integer64": _integer64,
}


# ---- what has shape


def _labels(texts: Optional[list[Any]]) -> Any:
    """Names as pandas likes strings best; none at all are an empty index of objects."""
    return pd.Index(texts) if texts else pd.Index([], dtype=object)


def _array(vector: Vector) -> Any:
    """The same order of axes. A matrix or table with names for its rows or columns is a data frame or a series."""
    shape = tuple(map(int, vector.attributes["dim"].values))
    column = _column(vector)
    values = np.array(column, object) if isinstance(column, list) else np.asarray(column)
    if vector.type == "raw":
        values = vector.values
    values = values.reshape(shape, order="F")
    names = vector.attributes.get("dimnames")
    if names is None or len(shape) > 2:
        return values
    titles = names.texts("names") or [None] * len(shape)
    axes = [
        pd.RangeIndex(size) if part is None else pd.Index(part.values, name=title or None)
        for part, size, title in zip(names.values, shape, titles)
    ]
    return pd.Series(values, *axes) if len(shape) == 1 else pd.DataFrame(values, *axes)


def _frame(vector: Vector) -> Any:
    columns = {place: _frame_column(part) for place, part in enumerate(vector.values)}
    rows = vector.attributes.get("row.names")
    index = None if columns or rows is None else range(len(rows.values))
    if rows is not None and rows.type == "character":
        index = rows.values
    frame = pd.DataFrame(columns, index=index)
    frame.columns = _labels(vector.texts("names"))
    return frame


def _frame_column(part: Any) -> Any:
    if part.type == "list":
        column = np.empty(len(part.values), object)
        column[:] = [from_r(item) for item in part.values]
        return column
    if "dim" in part.attributes:
        return list(np.asarray(_array(part)))
    values = _column(part)
    return list(values) if isinstance(values, bytes) else values


def _list(vector: Vector) -> Any:
    items = [from_r(item) for item in vector.values]
    names = vector.texts("names")
    return items if names is None else dict(zip(names, items))
