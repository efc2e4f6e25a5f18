"""Data frames, series and factors of R, made of those of pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import rpy2.rinterface as ri

from .vectors import (
    NA_INTEGER,
    Array,
    classed,
    dated,
    doubles,
    integers,
    list_of,
    logicals,
    spans,
    strings,
    values,
    with_gaps,
)

_BIG = 2**31


def series(series: Any) -> Any:
    """A vector; an index of strings becomes its names."""
    made = column(series)
    if not isinstance(series.index, pd.RangeIndex) and not pd.api.types.is_numeric_dtype(series.index.dtype):
        made.names = strings([str(name) for name in series.index])
    return made


def frame(frame: Any) -> Any:
    """A data frame; an index of strings becomes its row names."""
    made = list_of([column(frame.iloc[:, place]) for place in range(frame.shape[1])], [str(n) for n in frame.columns])
    if pd.api.types.is_numeric_dtype(frame.index.dtype):
        rows = integers(np.array([NA_INTEGER, -len(frame)]))
    else:
        rows = strings([str(name) for name in frame.index])
    made.do_slot_assign("row.names", rows)
    return classed(made, "data.frame")


def column(column: Any) -> Any:  # noqa: PLR0911 - one return a kind
    """A column: what pandas calls missing is R's NA."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _factor(column.cat)
    gaps = column.isna().to_numpy()
    if isinstance(dtype, pd.DatetimeTZDtype):
        made = dated(column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())
        made.do_slot_assign("tzone", ri.StrSexpVector([str(dtype.tz)]))
        return made
    if dtype.kind == "M":
        times = column.to_numpy()
        return dated(times.astype("datetime64[D]") if _are_days(times) else times)
    if dtype.kind == "m":
        return spans(column.to_numpy())
    if pd.api.types.is_bool_dtype(dtype) and dtype.kind != "O":
        return logicals(np.where(gaps, NA_INTEGER, column.fillna(False).to_numpy(bool)))
    if pd.api.types.is_integer_dtype(dtype):
        whole = column.fillna(0).to_numpy(np.int64)
        small = not whole.size or np.abs(whole).max() < _BIG
        return integers(np.where(gaps, NA_INTEGER, whole)) if small else doubles(with_gaps(whole, gaps))
    if pd.api.types.is_float_dtype(dtype):
        return doubles(with_gaps(column.to_numpy(np.float64, na_value=np.nan), gaps))
    if dtype.kind == "c":
        return values(column.to_numpy())
    return _objects([None if gap else item for item, gap in zip(column.tolist(), gaps)])


def _objects(items: Sequence[Any]) -> Any:
    """Strings, or other values of one kind, as a vector; else a list."""
    from .into_r import into_r

    if all(item is None or isinstance(item, str) for item in items):
        return strings(items)
    made = into_r(items)
    return made if len(made) == len(items) else list_of([into_r(item) for item in items])


def _are_days(times: Array) -> bool:
    """Whether R's dates have gone through pandas, which has no days and counts their seconds."""
    if np.datetime_data(times.dtype)[0] != "s":
        return False
    known = times[~np.isnat(times)]
    return bool((known == known.astype("datetime64[D]")).all())


def _factor(category: Any) -> Any:
    codes = category.codes.to_numpy().astype(np.int32)
    made = integers(np.where(codes < 0, NA_INTEGER, codes + 1))
    made.do_slot_assign("levels", strings([str(level) for level in category.categories]))
    return classed(made, *(("ordered", "factor") if category.ordered else ("factor",)))
