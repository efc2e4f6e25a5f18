"""Values carried between R and Python by reticulate, as plain data. Vectors of numbers cross by their address, whatever
the versions of NumPy and reticulate; ``R/border.R`` is the other end."""

from __future__ import annotations

import ctypes
import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from ...images.columns import Unusable
from .. import OURS
from ..vector import DTYPES, Vector

Tagged = dict[str, Any]
TAG = "..r"

_waiting: dict[int, npt.NDArray[Any]] = {}
_tokens = itertools.count(1)


def read(sent: Any) -> Any:
    """A `Vector`, or an array of images, of what R sent; what has no tag is carried as it is."""
    if not isinstance(sent, dict) or TAG not in sent:
        return sent
    if sent[TAG] == "pictures":
        return _pictures(sent)
    if sent[TAG] == "unusable":
        cell = Unusable(sent["column"], sent["kind"], sent["hint"])
        return Vector("list", [cell] * int(sent["n"]))
    attributes = {name: read(attribute) for name, attribute in (sent.get("attributes") or {}).items()}
    return Vector(sent["type"], _values(sent), attributes)


def _values(sent: Tagged) -> Any:
    if sent["type"] == "list":
        return [read(item) for item in sent["values"]]
    if sent["type"] == "character":
        values = list(sent["values"])
        for place in sent["missing"]:
            values[int(place)] = None
        return values
    return np.array(_memory(sent))


def _memory(sent: Tagged) -> npt.NDArray[Any]:
    """A view of R's memory, valid while R holds the vector."""
    length, dtype = int(sent["length"]), np.dtype(DTYPES[sent["type"]])
    if length == 0:
        return np.zeros(0, dtype)
    memory: Any = (ctypes.c_char * (length * dtype.itemsize)).from_address(int(sent["address"]))
    return np.frombuffer(memory, dtype)


def _pictures(sent: Tagged) -> npt.NDArray[Any]:
    """(N, H, W, C) images, or (H, W, C) for a single one, mostly without a copy: what is not uint8 is copied by
    its reader."""
    vector, layout = sent["vector"], sent["layout"]
    shape = [int(side.item()) for side in _memory(vector["attributes"]["dim"])]
    view = _memory(vector).reshape(shape, order="F")
    if vector["type"] == "logical":
        view = view.astype(bool)
    elif vector["type"] == "raw":
        view = view.copy(order="K")  # the one type that could be kept as it is, and R's memory is only borrowed
    if layout == "HWCN":
        view = np.moveaxis(view, -1, 0)
    return view if view.ndim == len(layout) else view[..., np.newaxis]


def write(value: Any) -> Any:
    """Plain data that R can read; vectors of numbers wait until R says where to put them."""
    if value is None:
        return None
    if not isinstance(value, Vector):
        kind = type(value).__name__
        return {TAG: "handle" if kind in OURS else "object", "class": kind, "object": value}
    if len(value.values) == 1 and not value.attributes and value.type != "list" and not value.missing()[0]:
        return _single(value)
    attributes = {name: write(attribute) for name, attribute in value.attributes.items()}
    sent: Tagged = {TAG: "vector", "type": value.type, "attributes": attributes or None}
    if value.type == "list":
        return sent | {"values": [write(item) for item in value.values]}
    if value.type == "character":
        missing = np.flatnonzero(value.missing()).tolist()
        return sent | {"values": [text or "" for text in value.values], "missing": missing}
    token = next(_tokens)
    _waiting[token] = np.ascontiguousarray(value.values)
    return sent | {"token": token, "length": len(value.values)}


def _single(vector: Vector) -> Any:
    """What reticulate converts well by itself."""
    if vector.type == "character":
        return vector.values[0]
    return bool(vector.values[0]) if vector.type == "logical" else vector.values[0].item()


def fill(token: float, address: float) -> None:
    """Copy the vector that waits under ``token`` into R's memory, once."""
    source = _waiting.pop(int(token))
    ctypes.memmove(int(address), source.ctypes.data, source.nbytes)
