"""What goes to R, as plain data. Vectors of numbers wait under a token until R says where to put them."""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
import numpy.typing as npt

from mxtune.border.reticulate.from_r import CTYPES, NA_INTEGER, TAG, Tagged

NA_REAL_BITS = 0x7FF00000000007A2  # R's own kind of NaN
HANDLES = ("Model", "ImageSet", "Network")

_waiting: dict[int, npt.NDArray[Any]] = {}
_tokens = itertools.count(1)


def fill(token: float, address: float) -> None:
    """Copy the vector that waits under ``token`` into R's memory, once."""
    source = _waiting.pop(int(token))
    ctypes.memmove(int(address), source.ctypes.data, source.nbytes)


def to_r(value: Any) -> Any:  # noqa: PLR0911 - one return a kind is the table
    """A value of ours as plain data that R can read."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, (np.bool_, np.integer, np.floating)):
        value = value.item()
    if isinstance(value, (bool, int, float)):
        return float(value) if isinstance(value, int) and abs(value) >= 2**31 else value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return _send("raw", np.frombuffer(value, np.uint8))
    if isinstance(value, np.ndarray):
        return _column(value) if value.ndim == 1 else _send("double", value)
    if isinstance(value, Mapping):
        return {TAG: "list", "names": _names(value), "values": [to_r(item) for item in value.values()]}
    if type(value).__name__ in HANDLES:
        return {TAG: "handle", "class": type(value).__name__, "object": value}
    return _to_r_more(value)


def _to_r_more(value: Any) -> Any:  # noqa: PLR0911 - the same
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        columns = [_column(value.iloc[:, i]) for i in range(value.shape[1])]
        return {TAG: "frame", "names": _names(value.columns), "columns": columns, "rows": len(value)}
    if hasattr(value, "dtype") and hasattr(value, "__array__"):
        return _column(value)
    if hasattr(value, "getbands"):
        return _send("double", np.asarray(value.convert("RGB"), np.float64) / 255)
    if isinstance(value, Sequence) and all(item is None or isinstance(item, str) for item in value):
        return _text(value)
    if isinstance(value, Sequence) and all(type(item) in (int, float) for item in value):
        return _column(np.asarray(value))
    if isinstance(value, (Sequence, set, frozenset)):
        return {TAG: "list", "names": None, "values": [to_r(item) for item in value]}
    return str(value)


def _names(values: Any) -> Tagged:
    return _text([str(value) for value in values])


def _text(values: Sequence[Any]) -> Tagged:
    missing = [i for i, value in enumerate(values) if not isinstance(value, str)]
    gaps = set(missing)
    return {
        TAG: "strings",
        "values": ["" if i in gaps else value for i, value in enumerate(values)],
        "missing": missing,
    }


def _send(kind: str, values: Any) -> Tagged:
    """A vector that waits until R says where to put it."""
    array = np.asarray(values, dtype=np.dtype(CTYPES[kind]))
    token = next(_tokens)
    _waiting[token] = np.ravel(array, order="F")
    dim = list(array.shape) if array.ndim > 1 else None
    return {TAG: kind, "token": token, "length": array.size, "dim": dim}


def _column(values: Any) -> Tagged:
    """One column, or one vector."""
    categories = getattr(getattr(values, "dtype", None), "categories", None)
    if categories is not None:
        codes = np.asarray(values.cat.codes if hasattr(values, "cat") else values.codes, np.int32)
        sent = _send("integer", np.where(codes < 0, NA_INTEGER, codes + 1))
        return {TAG: "factor", "codes": sent, "levels": _names(categories)}
    array = np.asarray(values)
    if array.dtype.kind == "b":
        return _send("logical", array)
    if array.dtype.kind in "iu" and (not array.size or np.abs(array.astype(np.float64)).max() < 2**31):
        return _send("integer", array)
    if array.dtype.kind in "iuf":
        return _send("double", _with_na(array))
    return _objects(values)


def _objects(values: Any) -> Tagged:
    items = list(values)
    known = [v for v in items if not _missing(v)]
    if known and all(isinstance(v, (bool, np.bool_)) for v in known):
        return _send("logical", [NA_INTEGER if _missing(v) else int(v) for v in items])
    if known and all(isinstance(v, (int, float, np.number)) for v in known):
        return _send("double", _with_na(np.array([np.nan if _missing(v) else float(v) for v in items])))
    return _text([None if _missing(v) else str(v) for v in items])


def _missing(value: Any) -> bool:
    not_a_number = isinstance(value, float) and bool(np.isnan(value))
    return value is None or not_a_number or type(value).__name__ in ("NAType", "NaTType")


def _with_na(array: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Doubles where not-a-number is R's NA."""
    doubles = np.array(array, dtype=np.float64)
    doubles.view(np.int64)[np.isnan(doubles)] = NA_REAL_BITS
    return doubles
