"""Values of Python as vectors of R: the table is in the docstring of `mxtune.border`."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL.Image import Image

from ..tasks.label_type import r_text
from .parts import Stuck, crossing, part
from .vector import Vector, listed, numbers, strings

Array = npt.NDArray[Any]
_KINDS = (bool, int, float, complex, str, dt.datetime, dt.date, dt.timedelta)  # in this order: bool is an int
_WHOLE = 2**31  # R's whole numbers have 32 bits, and the smallest is NA
_EXACT = 2**53  # a double holds each whole number up to here
_WIDE = 2**63  # those of integer64, whose smallest is NA, too
_MICRO = 1e6


def to_r(value: Any) -> Any:
    """A `Vector`; None is R's ``NULL``; what no row of the table names comes back as it is.

    Raises
    ------
    RHostError
        R has no place for a part, which is named.
    """
    with crossing("into R"):
        return _sent(value)


def _sent(value: Any) -> Any:  # noqa: PLR0911 - one return a row of the table
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
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return _values(np.array([value]))
    if _kind(value) or value is pd.NA or value is pd.NaT:
        return _singles([value])
    if isinstance(value, Mapping):
        return _listed(value.values(), value)
    if isinstance(value, (list, tuple, range)):
        return _sequence(value)
    return value


def _kind(value: Any) -> Optional[type]:
    """The class of Python that a single value is of, or None."""
    value = value.item() if isinstance(value, np.generic) else value
    return next((kind for kind in _KINDS if isinstance(value, kind)), None)


def _sequence(values: Sequence[Any]) -> Vector:
    """A vector, where all are of one kind; else a list."""
    present = [value for value in values if not _is_gap(value)]
    kinds = {_kind(value) for value in present}
    if present and (len(kinds) == 1 or kinds == {int, float}) and None not in kinds:
        return _singles(values)
    if values and all(value is pd.NA or value is pd.NaT for value in values):
        return _singles(values)
    return _listed(values)


def _listed(values: Iterable[Any], names: Optional[Iterable[Any]] = None) -> Vector:
    items = list(values)
    keys = None if names is None else list(map(str, names))
    sent = []
    for place, item in enumerate(items):
        with part(keys[place] if keys else f"[[{place + 1}]]"):
            sent.append(_sent(item))
    return listed(sent, keys)


def _singles(values: Sequence[Any]) -> Vector:  # noqa: PLR0911 - one return a kind
    gaps = np.array(list(map(_is_gap, values)), bool)
    kinds = {_kind(value) for value, gap in zip(values, gaps) if not gap}
    filled = [0 if gap else value for value, gap in zip(values, gaps)]
    if not kinds and any(value is pd.NaT for value in values):
        return _moments([None] * len(values))
    if kinds <= {bool}:
        return numbers("logical", [int(value) for value in filled], gaps)
    if kinds == {int}:
        return _whole(filled, gaps)
    if kinds <= {int, float}:
        if any(isinstance(value, int) and float(value) != value for value in filled):
            raise Stuck("a whole number beyond 2^53 among others with decimals: R's double would round it")
        return numbers("double", [float(value) for value in filled], gaps)
    if kinds == {complex}:
        return numbers("complex", [complex("nan") if gap else value for value, gap in zip(values, gaps)])
    present = [None if gap else value for value, gap in zip(values, gaps)]
    if kinds == {dt.date}:
        return _times(np.array(present, "datetime64[D]"))
    if kinds <= {dt.datetime, dt.date}:
        return _moments(present)
    if kinds == {dt.timedelta}:
        return _spans(pd.Series(present, dtype="timedelta64[us]").to_numpy())
    return strings(None if _is_missing(value) else value for value in values)


def _whole(values: Any, gaps: Any = None) -> Vector:
    """Whole numbers in the first of R's types that holds them all: integer, double, and integer64 of bit64, which keeps
    64 bits in the memory of a double."""
    least, most = (int(min(values)), int(max(values))) if len(values) else (0, 0)
    furthest = max(-least, most)
    if furthest < _WHOLE:
        return numbers("integer", values, gaps)
    if furthest <= _EXACT:
        return numbers("double", values, gaps)
    if furthest >= _WIDE:
        raise Stuck(f"the whole number {most if most == furthest else least}, beyond 64 bits", "Send it as text.")
    wide = np.array(values, np.int64)
    if gaps is not None:
        wide[gaps] = -_WIDE
    return numbers("double", wide.view(np.float64)).classed("integer64")


def _moments(values: Sequence[Optional[dt.date]]) -> Vector:
    """Times in the time zone that all have; in UTC, where they have several."""
    zones = {_zone(getattr(value, "tzinfo", None)) for value in values if value is not None}
    if None in zones and len(zones) > 1:
        raise Stuck("times with a time zone and times without one", "Give all a time zone.")
    moments = [None if value is None else np.datetime64(_clock(value), "us") for value in values]
    times = _times(np.array(moments, "datetime64[us]"))
    zone = zones.pop() if len(zones) == 1 else None
    return times if zone is None else times.classed("POSIXct", "POSIXt", tzone=strings([zone]))


def _clock(moment: dt.date) -> dt.date:
    """The time in UTC, without saying so."""
    aware = isinstance(moment, dt.datetime) and moment.tzinfo is not None
    return moment.astimezone(dt.timezone.utc).replace(tzinfo=None) if aware else moment  # type: ignore[attr-defined]


def _zone(zone: Optional[dt.tzinfo]) -> Optional[str]:
    """The name by which R knows a time zone; UTC, where R knows none: the moment is the same. None has none."""
    name = getattr(zone, "key", None) or getattr(zone, "zone", None)  # of zoneinfo, and of pytz
    if zone is None or name is not None:
        return name
    offset = zone.utcoffset(None)
    if not offset or offset % dt.timedelta(hours=1):
        return "UTC"
    return f"Etc/GMT{-(offset // dt.timedelta(hours=1)):+d}"  # which counts westwards


def _is_gap(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT


def _is_missing(value: Any) -> bool:
    return _is_gap(value) or (isinstance(value, float) and bool(np.isnan(value)))


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
        return _whole(array)
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
        vector.attributes["names"] = strings(map(_label, series.index))
    return vector


def _frame(frame: Any) -> Vector:
    """An index becomes names of rows, but for one that just counts."""
    names = list(map(_label, frame.columns))
    columns = []
    for place, name in enumerate(names):
        with part(name):
            columns.append(_column(frame.iloc[:, place]))
    sent = listed(columns, names)
    with part("row.names"):
        sent.attributes["row.names"] = _rows(frame.index)
    return sent.classed("data.frame")


def _label(label: Any) -> str:
    """The text of a name in pandas; one of several levels as R writes those of an interaction: ``mpg.mean``."""
    return ".".join(map(str, label)) if isinstance(label, tuple) else str(label)


def _rows(index: Any) -> Vector:
    whole = pd.api.types.is_integer_dtype(index.dtype)
    if not len(index) or (whole and (index == np.arange(len(index))).all()):
        return numbers("integer", [0, -len(index)], [True, False])  # NA and a negative number: R's own 1, 2, 3 ...
    names = ["" if _is_missing(label) else _label(label) for label in index]
    twice = next((name for name, times in Counter(names).items() if times > 1), None)
    if twice is not None or "" in names:
        fault = "an index in which one is missing" if twice is None else f"an index that has {twice!r} more than once"
        raise Stuck(f"{fault}: R identifies rows by their names", "frame.reset_index() makes a column of the index.")
    vector = _whole(np.asarray(index)) if whole else strings(names)
    return vector if vector.type == "integer" else strings(names)


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
        return times.classed("POSIXct", "POSIXt", tzone=strings([_zone(dtype.tz)]))
    if dtype.kind == "M":
        times = column.to_numpy()
        return _times(times.astype("datetime64[D]") if _are_days(times) else times)
    if dtype.kind == "m":
        return _spans(column.to_numpy())
    if pd.api.types.is_bool_dtype(dtype) and dtype.kind != "O":
        return numbers("logical", column.fillna(False).to_numpy(bool), gaps)
    if pd.api.types.is_integer_dtype(dtype):
        return _whole(column.fillna(0).to_numpy(np.uint64 if dtype.kind == "u" else np.int64), gaps)
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
