"""Vectors of R, made of arrays and of single values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
import pandas as pd
import rpy2.rinterface as ri

Array = npt.NDArray[Any]
NA_INTEGER = -(2**31)
NA_REAL_BITS = 0x7FF00000000007A2  # R's own kind of NaN
_BIG = 2**31
_MICRO = 1e6


def vector(kind: Any, array: Array) -> Any:
    """A vector of one of rpy2's classes."""
    array = np.ascontiguousarray(array)
    return kind.from_memoryview(array.data) if array.size else kind.from_iterable([])


def doubles(array: Array) -> Any:
    """A numeric vector."""
    return vector(ri.FloatSexpVector, np.ravel(np.asarray(array, np.float64), order="F"))


def integers(array: Array) -> Any:
    """An integer vector."""
    return vector(ri.IntSexpVector, np.ravel(np.asarray(array, np.int32), order="F"))


def logicals(array: Array) -> Any:
    """A logical vector."""
    return vector(ri.BoolSexpVector, np.ravel(np.asarray(array, np.int32), order="F"))


def strings(values: Sequence[Any]) -> Any:
    """A character vector; what is missing is NA."""
    return ri.StrSexpVector([v if isinstance(v, str) else ri.NA_Character if _missing(v) else str(v) for v in values])


def dated(array: Array) -> Any:
    """datetime64 as Date, where it counts days, or as POSIXct in UTC."""
    gaps = np.isnat(array)
    if np.datetime_data(array.dtype)[0] == "D":
        return classed(doubles(with_gaps(array.astype(np.int64), gaps)), "Date")
    micro = array.astype("datetime64[us]").astype(np.int64)
    made = classed(doubles(with_gaps(micro / _MICRO, gaps)), "POSIXct", "POSIXt")
    made.do_slot_assign("tzone", ri.StrSexpVector(["UTC"]))
    return made


def spans(array: Array) -> Any:
    """timedelta64 as difftime."""
    micro = array.astype("timedelta64[us]").astype(np.int64)
    made = classed(doubles(with_gaps(micro / _MICRO, np.isnat(array))), "difftime")
    made.do_slot_assign("units", ri.StrSexpVector(["secs"]))
    return made


def with_gaps(values: Array, gaps: Array) -> Array:
    """Doubles with R's NA in the gaps; any other not-a-number stays what it is."""
    doubles = np.array(values, np.float64)
    doubles.view(np.int64)[gaps] = NA_REAL_BITS
    return doubles


def classed(sexp: Any, *classes: str) -> Any:
    """The same with S3 classes."""
    sexp.rclass = ri.StrSexpVector(classes)
    return sexp


def array(array: Array) -> Any:
    """Values in the order of R's memory, which runs along the first axis."""
    made = values(np.ravel(array, order="F"))
    if array.ndim > 1:
        made.do_slot_assign("dim", integers(np.array(array.shape)))
    return made


def values(array: Array) -> Any:  # noqa: PLR0911 - one return a kind
    kind = array.dtype.kind
    if kind == "b":
        return logicals(array)
    if kind in "iu":
        small = not array.size or (array.min() > -_BIG and array.max() < _BIG)
        return integers(array) if small else doubles(array)
    if kind == "f":
        return doubles(array)
    if kind == "c":
        return ri.ComplexSexpVector([complex(value) for value in array])
    if kind == "M":
        return dated(array)
    if kind == "m":
        return spans(array)
    return scalars(array.tolist())


def _missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and bool(np.isnan(value)))


def kind_of(value: Any) -> Optional[type]:
    """The class of Python that a single value is of, or None."""
    if isinstance(value, np.generic):
        value = value.item()
    for kind in (bool, int, float, complex, str, dt.datetime, dt.date, dt.timedelta):
        if isinstance(value, kind):
            return kind
    return None


def scalars(values: Sequence[Any]) -> Any:  # noqa: PLR0911 - one return a kind
    known = [v for v in values if v is not None and v is not pd.NA]
    kinds = {kind_of(v) for v in known}
    gaps = np.array([v is None or v is pd.NA for v in values], bool)
    if not known:
        return logicals(np.full(len(values), NA_INTEGER))
    if kinds == {bool}:
        return logicals(np.array([NA_INTEGER if gap else bool(v) for v, gap in zip(values, gaps)]))
    if kinds <= {int, float} and known:
        numbers = [0 if gap else v for v, gap in zip(values, gaps)]
        if kinds == {int} and all(abs(v) < _BIG for v in numbers):
            return integers(np.where(gaps, NA_INTEGER, numbers))
        return doubles(with_gaps(np.array(numbers, np.float64), gaps))
    if kinds == {complex}:
        return ri.ComplexSexpVector([complex(v) for v in known])
    if kinds == {dt.date}:
        return dated(np.array([None if gap else v for v, gap in zip(values, gaps)], "datetime64[D]"))
    if kinds <= {dt.datetime, dt.date} or kinds == {dt.timedelta}:
        from .frames import column  # which stands on this module

        return column(pd.Series(list(values)))
    return strings(values)


def list_of(items: Sequence[Any], names: Optional[Sequence[str]] = None) -> Any:
    """A list of what R holds already."""
    made = ri.ListSexpVector(list(items))
    if names is not None:
        made.names = strings(names)
    return made
