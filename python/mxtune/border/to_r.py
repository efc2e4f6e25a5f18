"""Values of Python as vectors of R: the table is in the docstring of `mxtune.border`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL.Image import Image

from ..tasks.label_type import r_text
from .vector import Vector, listed, numbers, strings

Array = npt.NDArray[Any]
_KINDS = (bool, int, float, complex, str, dt.datetime, dt.date, dt.timedelta)  # in this order: bool is an int
_WHOLE = 2**31  # R's whole numbers have 32 bits, and the smallest is NA
_MICRO = 1e6


def to_r(value: Any) -> Any:  # noqa: PLR0911 - one return a row of the table
    """A `Vector`; None is R's ``NULL``; what no row of the table names comes back as it is."""
    if isinstance(value, pd.DataFrame):
        return _frame(value)
    if isinstance(value, pd.Series):
        return _series(value)
    if isinstance(value, (pd.Categorical, pd.Index, pd.api.extensions.ExtensionArray)):
        return _column(pd.Series(value))
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, (bytes, bytearray)):
        return numbers("raw", np.frombuffer(value, np.uint8))
    if isinstance(value, Image):
        return _array(np.asarray(value.convert("RGB"), np.float64) / 255)
    if isinstance(value, PurePath):
        return strings([value])
    if _kind(value) or value is pd.NA or value is pd.NaT:
        return _singles([value])
    if isinstance(value, Mapping):
        return listed(map(to_r, value.values()), value)
    if isinstance(value, (list, tuple, range)):
        return _sequence(value)
    return value


def _kind(value: Any) -> Optional[type]:
    """The class of Python that a single value is of, or None."""
    value = value.item() if isinstance(value, np.generic) else value
    return next((kind for kind in _KINDS if isinstance(value, kind)), None)


def _sequence(values: Sequence[Any]) -> Vector:
    """A vector, where all are of one kind; else a list."""
    present = [value for value in values if value is not None and value is not pd.NA]
    kinds = {_kind(value) for value in present}
    if present and (len(kinds) == 1 or kinds == {int, float}) and None not in kinds:
        return _singles(values)
    if values and all(value is pd.NA for value in values):
        return _singles(values)
    return listed(map(to_r, values))


def _singles(values: Sequence[Any]) -> Vector:  # noqa: PLR0911 - one return a kind
    gaps = np.array([value is None or value is pd.NA for value in values], bool)
    kinds = {_kind(value) for value, gap in zip(values, gaps) if not gap}
    filled = [0 if gap else value for value, gap in zip(values, gaps)]
    if kinds <= {bool}:
        return numbers("logical", [int(value) for value in filled], gaps)
    if kinds == {int} and all(abs(value) < _WHOLE for value in filled):
        return numbers("integer", filled, gaps)
    if kinds <= {int, float}:
        return numbers("double", [float(value) for value in filled], gaps)
    if kinds == {complex}:
        return numbers("complex", [complex("nan") if gap else value for value, gap in zip(values, gaps)])
    if kinds == {dt.date}:
        return _times(np.array([None if gap else value for value, gap in zip(values, gaps)], "datetime64[D]"))
    if kinds <= {dt.datetime, dt.date} or kinds == {dt.timedelta}:
        return _column(pd.Series(list(values)))
    return strings(None if _is_missing(value) else value for value in values)


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and bool(np.isnan(value)))


def _array(array: Array) -> Vector:
    """The same order of axes: R's memory runs along the first."""
    vector = _values(np.ravel(array, order="F"))
    if array.ndim > 1:
        vector.attributes["dim"] = numbers("integer", array.shape)
    return vector


def _values(array: Array) -> Vector:
    kind = array.dtype.kind
    if kind == "b":
        return numbers("logical", array)
    if kind in "iu":
        small = not array.size or (array.min() > -_WHOLE and array.max() < _WHOLE)
        return numbers("integer" if small else "double", array)
    if kind in "fc":
        return numbers("double" if kind == "f" else "complex", array)
    if kind == "M":
        return _times(array)
    if kind == "m":
        return _spans(array)
    return _singles(array.tolist())


def _times(array: Array) -> Vector:
    """Dates, where datetime64 counts days; else times in UTC."""
    gaps = np.isnat(array)
    if np.datetime_data(array.dtype)[0] == "D":
        return numbers("double", array.astype(np.int64), gaps).classed("Date")
    micro = array.astype("datetime64[us]").astype(np.int64)
    return numbers("double", micro / _MICRO, gaps).classed("POSIXct", "POSIXt", tzone=strings(["UTC"]))


def _spans(array: Array) -> Vector:
    micro = array.astype("timedelta64[us]").astype(np.int64)
    return numbers("double", micro / _MICRO, np.isnat(array)).classed("difftime", units=strings(["secs"]))


# ---- pandas


def _series(series: Any) -> Vector:
    """An index of strings becomes names."""
    vector = _column(series)
    if not pd.api.types.is_numeric_dtype(series.index.dtype):
        vector.attributes["names"] = strings(map(str, series.index))
    return vector


def _frame(frame: Any) -> Vector:
    """An index of strings becomes names of rows."""
    columns = listed((_column(frame.iloc[:, place]) for place in range(frame.shape[1])), frame.columns)
    counted = pd.api.types.is_numeric_dtype(frame.index.dtype)
    rows = numbers("integer", [0, -len(frame)], [True, False]) if counted else strings(map(str, frame.index))
    columns.attributes["row.names"] = rows  # NA and a negative number: how R keeps 1, 2, 3 ...
    return columns.classed("data.frame")


def _column(column: Any) -> Vector:  # noqa: PLR0911 - one return a kind
    """What pandas calls missing is R's NA."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy()
        factor = numbers("integer", codes.astype(np.int32) + 1, codes < 0)
        levels = strings(map(r_text, dtype.categories))
        return factor.classed(*(("ordered", "factor") if dtype.ordered else ("factor",)), levels=levels)
    gaps = column.isna().to_numpy()
    if isinstance(dtype, pd.DatetimeTZDtype):
        times = _times(column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())
        return times.classed("POSIXct", "POSIXt", tzone=strings([dtype.tz]))
    if dtype.kind == "M":
        times = column.to_numpy()
        return _times(times.astype("datetime64[D]") if _are_days(times) else times)
    if dtype.kind == "m":
        return _spans(column.to_numpy())
    if pd.api.types.is_bool_dtype(dtype) and dtype.kind != "O":
        return numbers("logical", column.fillna(False).to_numpy(bool), gaps)
    if pd.api.types.is_integer_dtype(dtype):
        whole = column.fillna(0).to_numpy(np.int64)
        return numbers(_values(whole).type, whole, gaps)
    if pd.api.types.is_float_dtype(dtype):
        return numbers("double", column.to_numpy(np.float64, na_value=np.nan), gaps)
    if dtype.kind == "c":
        return _values(column.to_numpy())
    return _objects([None if gap else item for item, gap in zip(column.tolist(), gaps)])


def _are_days(times: Array) -> bool:
    """Whether R's dates have gone through pandas, which has no days and counts their seconds."""
    if np.datetime_data(times.dtype)[0] != "s":
        return False
    present = times[~np.isnat(times)]
    return bool((present == present.astype("datetime64[D]")).all())


def _objects(items: list[Any]) -> Vector:
    """Strings, or other values of one kind, as a vector; else a list."""
    if all(item is None or isinstance(item, str) for item in items):
        return strings(items)
    return _sequence(items)
