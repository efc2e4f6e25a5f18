"""Python's values as R's: the table is in the package's docstring."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import rpy2.rinterface as ri
from rpy2.rinterface_lib.sexp import NULLType

from . import callables, frames, vectors
from .objects import bare, lend


def into_r(value: Any) -> Any:  # noqa: PLR0911 - one return a kind is the table
    """An object of rpy2's low interface."""
    if value is None:
        return NULLType()
    if isinstance(value, ri.Sexp):
        return bare(value)
    if _is_ours(value):
        return lend(value, "from_host")
    if isinstance(value, pd.DataFrame):
        return frames.frame(value)
    if isinstance(value, pd.Series):
        return frames.series(value)
    if isinstance(value, (pd.Categorical, pd.Index, pd.api.extensions.ExtensionArray)):
        return frames.column(pd.Series(value))
    if isinstance(value, np.ndarray):
        return vectors.array(value)
    if isinstance(value, (bytes, bytearray)):
        return vectors.vector(ri.ByteSexpVector, np.frombuffer(value, np.uint8))
    if _is_scalar(value):
        return vectors.scalars([value])
    if isinstance(value, Mapping):
        items = [into_r(item) for item in value.values()]
        return vectors.list_of(items, [str(name) for name in value])
    if isinstance(value, (list, tuple, range)):
        return _sequence(value)
    if callable(value) and not isinstance(value, type):
        return callables.function(value)
    return lend(value, "object_from_host")


def _is_ours(value: Any) -> bool:
    kind = type(value)
    return kind.__module__.partition(".")[0] == "mxtune" and kind.__name__ in ("Model", "ImageSet", "Network")


def _is_scalar(value: Any) -> bool:
    kinds = (bool, int, float, complex, str, np.generic, dt.date, dt.timedelta)
    return isinstance(value, kinds) or value is pd.NA or value is pd.NaT


def _sequence(values: Sequence[Any]) -> Any:
    """A vector, where all are of one kind; else a list."""
    known = [v for v in values if v is not None and v is not pd.NA]
    kinds = {vectors.kind_of(v) for v in known}
    if known and (len(kinds) == 1 or kinds == {int, float}) and None not in kinds:
        return vectors.scalars(values)
    if values and not known and all(v is pd.NA for v in values):
        return vectors.logicals(np.full(len(values), vectors.NA_INTEGER))
    return vectors.list_of([into_r(item) for item in values])
