"""Vectors of R as values of Python: the table is in the docstring of `mxtune.border`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Callable, Optional

import numpy as np
import numpy.typing as npt
import pandas as pd

from .parts import Stuck, crossing, part
from .vector import Vector

Array = npt.NDArray[Any]
_SECONDS = {"secs": 1.0, "mins": 60.0, "hours": 3600.0, "days": 86400.0, "weeks": 604800.0}
_MICRO = 1e6
_FURTHEST = 2.0**63  # microseconds


def from_r(value: Any, singles: bool = True) -> Any:
    """A value of Python; what is not a `Vector` comes back as it is.

    ``singles``: whether a vector of length one is a single value, as a user of Python sees it, or stays a vector.

    Raises
    ------
    RHostError
        Python has no place for a part, which is named.
    """
    with crossing("out of R"):
        return _value(value, singles)


def _value(value: Any, singles: bool = True) -> Any:
    if not isinstance(value, Vector):
        return value
    if value.inherits("data.frame"):
        return _frame(value)
    if "dim" in value.attributes:
        return _array(value)
    if value.type == "list":
        return _list(value)
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
    """A level that is missing itself, as of `addNA()`, is what is missing: pandas has no such category."""
    levels = vector.texts("levels") or []
    present_levels = [level for level in levels if level is not None]
    places = iter(range(len(present_levels)))
    code_of = np.array([-1, *(-1 if level is None else next(places) for level in levels)])
    codes = np.where(vector.missing(), 0, vector.values)
    if len(codes) and (codes.min() < 0 or codes.max() >= len(code_of)):
        raise Stuck(f"a factor with codes beyond its {len(levels)} levels")
    return pd.Categorical.from_codes(code_of[codes], _labels(present_levels), ordered=vector.inherits("ordered"))


def _microseconds(vector: Vector, unit: float = 1.0) -> tuple[Array, Array]:
    """Whole microseconds, and where they are missing."""
    present = ~vector.missing() & np.isfinite(vector.values)
    micro = np.round(np.where(present, vector.values, 0) * unit * _MICRO)
    if (np.abs(micro) >= _FURTHEST).any():
        raise Stuck("a time more than 290,000 years away")
    return micro.astype(np.int64), ~present


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
    if vector.type == "list":
        values = _objects(map(_value, vector.values), len(vector.values))
    elif vector.type == "raw":
        values = vector.values
    else:
        column = _column(vector)
        values = np.array(column, object) if isinstance(column, list) else np.asarray(column)
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


def _objects(items: Iterable[Any], length: int) -> Array:
    """An array of any values, also of those that are arrays themselves."""
    array = np.empty(length, object)
    array[:] = list(items)
    return array


def _frame(vector: Vector) -> Any:
    names = vector.texts("names") or []
    spread = [column for name, part in zip(names, vector.values) for column in _columns(name, part)]
    frame = pd.DataFrame({place: column for place, (_, column) in enumerate(spread)}, index=_rows(vector, bool(spread)))
    frame.columns = _labels([name for name, _ in spread])
    return frame


def _rows(vector: Vector, columns: bool) -> Any:
    """Names of rows, or R's numbers where they do not just count; None where the columns tell how many there are."""
    rows = vector.attributes.get("row.names")
    if rows is None:
        return None
    if rows.type == "character":
        return rows.values
    if (rows.values != np.arange(1, len(rows.values) + 1)).any():
        return rows.values.astype(np.int64)
    return None if columns else range(len(rows.values))


def _columns(name: str, column: Any) -> Iterator[tuple[str, Any]]:
    """A column, or those within a data frame or matrix, under the names that R prints: ``user.name``, ``mpg.mean``."""
    if isinstance(column, Vector) and column.inherits("data.frame"):
        for inner, within in zip(column.texts("names") or [], column.values):
            yield from _columns(f"{name}.{inner}", within)
    elif isinstance(column, Vector) and len(_shape(column)) == 2:
        for inner, within in _of_matrix(column):
            yield from _columns(f"{name}.{inner}", within)
    else:
        with part(name):
            yield name, _frame_column(column)


def _shape(vector: Vector) -> tuple[int, ...]:
    return tuple(map(int, vector.attributes["dim"].values)) if "dim" in vector.attributes else ()


def _of_matrix(matrix: Vector) -> Iterator[tuple[str, Vector]]:
    """The columns of a matrix, by name or number."""
    rows, columns = _shape(matrix)
    titles = matrix.attributes.get("dimnames")
    names = titles.values[1].values if titles is not None and titles.values[1] is not None else [""] * columns
    attributes = {key: value for key, value in matrix.attributes.items() if key not in ("dim", "dimnames")}
    for place, name in enumerate(names):
        yield name or str(place + 1), Vector(matrix.type, matrix.values[place * rows : (place + 1) * rows], attributes)


def _frame_column(column: Any) -> Any:
    if not isinstance(column, Vector):
        kind = next(iter(getattr(column, "classes", ())), type(column).__name__)
        raise Stuck(f"a column of R's class {kind}, which pandas has not", "In R, as.character() makes text of it.")
    if len(_shape(column)) > 1:
        return list(np.asarray(_array(column)))
    if column.type == "list":
        return _objects(map(_value, column.values), len(column.values))
    values = _column(column)
    return list(values) if isinstance(values, bytes) else values


def _list(vector: Vector) -> Any:
    names = vector.texts("names")
    items = []
    for place, item in enumerate(vector.values):
        with part(names[place] if names else f"[[{place + 1}]]"):
            items.append(_value(item))
    return items if names is None else dict(zip(names, items))
