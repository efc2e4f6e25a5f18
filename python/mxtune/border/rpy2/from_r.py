"""R's values as Python's: the table is in the package's docstring."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
import rpy2.rinterface as ri

from .objects import bare, give, wrap

Array = npt.NDArray[Any]
NA_INTEGER = -(2**31)
OURS = {"mxmodel", "mximages", "mxnetwork"}
PYTHON = "python.builtin.object"
UNITS = {"secs": 1.0, "mins": 60.0, "hours": 3600.0, "days": 86400.0, "weeks": 604800.0}
_MICRO = 1e6


def from_r(value: Any, singles: bool = True) -> Any:  # noqa: PLR0911 - one return a kind is the table
    """A value of Python; what is not of R, and what Python has no like of, stays.

    ``singles``: whether a vector of length one is a single value, as a user of Python sees it, or stays a vector.
    """
    if not isinstance(value, ri.Sexp):
        return value
    sexp = bare(value)
    if not isinstance(sexp, ri.Sexp):
        return sexp
    if sexp.typeof == ri.RTYPES.NILSXP:
        return None
    classes = set(sexp.rclass)
    if classes & OURS or PYTHON in classes:
        return give(sexp)
    if "data.frame" in classes:
        return _frame(sexp)
    if "POSIXlt" in classes:
        return from_r(ri.baseenv["as.POSIXct"](sexp), singles)
    if isinstance(sexp, ri.ListSexpVector):
        return _list(sexp) if not _has(sexp, "class") or "AsIs" in classes else wrap(sexp)
    if isinstance(sexp, _VECTORS):
        return _single_or_all(sexp, singles)
    return wrap(value)


_VECTORS = (
    ri.BoolSexpVector,
    ri.IntSexpVector,
    ri.FloatSexpVector,
    ri.StrSexpVector,
    ri.ByteSexpVector,
    ri.ComplexSexpVector,
)


def _attribute(sexp: Any, name: str) -> Any:
    """An attribute, or None."""
    try:
        found = sexp.do_slot(name)
    except LookupError:
        return None
    return None if found.typeof == ri.RTYPES.NILSXP else found


def _has(sexp: Any, name: str) -> bool:
    return _attribute(sexp, name) is not None


# ---- vectors


def _single_or_all(sexp: Any, singles: bool) -> Any:
    if _has(sexp, "dim"):
        return _array(sexp)
    values = column(sexp)
    names = _attribute(sexp, "names")
    if names is not None:
        return pd.Series(values, index=_texts(names))
    alone = singles and len(values) == 1 and not isinstance(values, (bytes, pd.Categorical))
    return _single(values[0]) if alone else values


def _single(value: Any) -> Any:
    if isinstance(value, np.datetime64):
        return pd.NaT if np.isnat(value) else value.item()
    if isinstance(value, np.timedelta64):
        return pd.Timedelta(value)
    if isinstance(value, np.generic):
        return value.item()
    return pd.NA if value is None else value


def column(sexp: Any) -> Any:
    """All values of a vector without dimensions: an array of NumPy or pandas, or a list of strings."""
    classes = list(sexp.rclass) if _has(sexp, "class") else []
    for name in classes:
        if name in _CLASSES:
            return _CLASSES[name](sexp)
    return _plain(sexp)


def _plain(sexp: Any) -> Any:
    if isinstance(sexp, ri.StrSexpVector):
        return _texts(sexp)
    if isinstance(sexp, ri.ByteSexpVector):
        return bytes(sexp)
    if isinstance(sexp, ri.ComplexSexpVector):
        return np.array(list(sexp), complex)
    values = _numbers(sexp)
    if isinstance(sexp, ri.FloatSexpVector):
        return values
    gaps = values == NA_INTEGER
    if isinstance(sexp, ri.BoolSexpVector):
        return pd.arrays.BooleanArray(values.astype(bool), gaps) if gaps.any() else values.astype(bool)
    whole = values.astype(np.int64)
    return pd.arrays.IntegerArray(np.where(gaps, 1, whole), gaps) if gaps.any() else whole


def _numbers(sexp: Any) -> Array:
    """A copy of R's memory, which is only lent."""
    kind = np.float64 if isinstance(sexp, ri.FloatSexpVector) else np.int32
    return np.array(np.asarray(sexp.memoryview()), kind).ravel(order="F") if len(sexp) else np.empty(0, kind)


def _texts(sexp: Any) -> list[Any]:
    missing = ri.NA_Character
    return [None if text is missing else text for text in sexp]


def _labels(sexp: Any) -> Any:
    """Names as pandas likes strings best; none at all are an empty index of objects."""
    texts = _texts(sexp) if sexp is not None else []
    return pd.Index(texts) if texts else pd.Index([], dtype=object)


def _factor(sexp: Any) -> Any:
    codes = _numbers(sexp)
    levels = _attribute(sexp, "levels")
    return pd.Categorical.from_codes(
        np.where(codes == NA_INTEGER, 0, codes) - 1,
        categories=_labels(levels),
        ordered="ordered" in list(sexp.rclass),
    )


def _seconds(sexp: Any, unit: float = 1.0) -> tuple[Array, Array]:
    """Whole microseconds, and where nothing is known."""
    numbers = _numbers(sexp).astype(np.float64)
    if isinstance(sexp, ri.IntSexpVector):
        numbers[_numbers(sexp) == NA_INTEGER] = np.nan
    known = np.isfinite(numbers)
    return np.round(np.where(known, numbers, 0) * unit * _MICRO).astype(np.int64), ~known


def _dates(sexp: Any) -> Array:
    micro, gaps = _seconds(sexp, UNITS["days"])
    days = micro.astype("datetime64[us]").astype("datetime64[D]")
    return np.where(gaps, np.datetime64("NaT", "D"), days)


def _times(sexp: Any) -> Any:
    micro, gaps = _seconds(sexp)
    utc = pd.DatetimeIndex(np.where(gaps, np.datetime64("NaT", "us"), micro.astype("datetime64[us]")), tz="UTC")
    zone = _attribute(sexp, "tzone")
    try:
        return utc.tz_convert((zone[0] if zone is not None else "") or "UTC")
    except (KeyError, ValueError, OSError):  # a zone that only R knows
        return utc


def _spans(sexp: Any) -> Array:
    units = _attribute(sexp, "units")
    micro, gaps = _seconds(sexp, UNITS.get(units[0] if units is not None else "secs", 1.0))
    return np.where(gaps, np.timedelta64("NaT", "us"), micro.astype("timedelta64[us]"))


def _integer64(sexp: Any) -> Any:
    """Of the package bit64: whole numbers in the memory of doubles."""
    whole = _numbers(sexp).view(np.int64)
    gaps = whole == np.iinfo(np.int64).min
    return pd.arrays.IntegerArray(np.where(gaps, 1, whole), gaps) if gaps.any() else whole


_CLASSES: dict[str, Callable[[Any], Any]] = {
    "factor": _factor,
    "Date": _dates,
    "POSIXct": _times,
    "difftime": _spans,
    "integer64": _integer64,
}


# ---- what has shape


def _array(sexp: Any) -> Any:
    """The same order of axes. A matrix or table with names for its rows or columns is a data frame or a series."""
    shape = tuple(int(n) for n in sexp.do_slot("dim"))
    values = np.asarray(column(sexp) if not isinstance(sexp, ri.StrSexpVector) else np.array(_texts(sexp), object))
    values = values.reshape(shape, order="F")
    names = _attribute(sexp, "dimnames")
    if names is None or len(shape) > 2:
        return values
    titles = _texts(names.names) if _has(names, "names") else [None] * len(shape)
    labels = [
        pd.RangeIndex(size) if part.typeof == ri.RTYPES.NILSXP else pd.Index(_texts(part), name=title or None)
        for part, size, title in zip(names, shape, titles)
    ]
    if len(shape) == 1:
        return pd.Series(values, index=labels[0])
    return pd.DataFrame(values, index=labels[0], columns=labels[1])


def _frame(sexp: Any) -> Any:
    names = _attribute(sexp, "names")
    columns = {place: _frame_column(part) for place, part in enumerate(sexp)}
    rows = sexp.do_slot("row.names")
    index: Any = None
    if isinstance(rows, ri.StrSexpVector):
        index = _texts(rows)
    elif not columns:
        index = range(int(ri.baseenv["nrow"](sexp)[0]))
    frame = pd.DataFrame(columns, index=index)
    frame.columns = _labels(names)
    return frame


def _frame_column(part: Any) -> Any:
    if isinstance(part, ri.ListSexpVector):
        made = np.empty(len(part), object)
        made[:] = [from_r(item) for item in part]
        return made
    if _has(part, "dim"):
        return list(np.asarray(_array(part)))
    values = column(part)
    return list(values) if isinstance(values, bytes) else values


def _list(sexp: Any) -> Any:
    values = [from_r(item) for item in sexp]
    names = _attribute(sexp, "names")
    if names is None:
        return values
    texts = [text or "" for text in _texts(names)]
    known = [text for text in texts if text]
    if len(set(known)) < len(known) or len(known) < len(texts):  # not every part has a name of its own
        return wrap(sexp)
    return dict(zip(texts, values))
