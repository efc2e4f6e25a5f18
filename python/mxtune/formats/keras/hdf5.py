"""An HDF5 file as plain data: its groups, texts and arrays, each link and size checked before h5py is asked for it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..untrusted import AGAIN, FaultError, is_too_large, shown

Array = NDArray[Any]

_INSTALL = (
    'Install it: pip install h5py (the extra "keras"); in R: reticulate::py_install("h5py", "r-mxtune", pip = TRUE).'
)
_MOST_OBJECTS = 50_000
_DEEPEST = 32
_MOST_TIMES = 8  # that the arrays may be as large as the file: trained weights hardly shrink
_MOST_TEXT = 2**25
_FILTERS = (1, 2, 3)  # deflate, shuffle and a checksum; others would be plug-ins, which are code
_SKIPPED = ("optimizer_weights", "optimizer")  # twice as large as the network, and no part of it


@dataclass(frozen=True)
class Tree:
    """What an open file holds.

    Parameters
    ----------
    groups
        By path; that of the root is empty.
    arrays
        Data sets by path, not yet read.
    """

    groups: Mapping[str, Any]
    arrays: Mapping[str, Any]

    def texts(self, group: str, name: str) -> list[str]:
        """A list of texts beside a group; empty where there is none. A long one is cut into parts with numbers."""
        attributes = self.groups[group].attrs
        if name in attributes:
            return _texts(self.groups[group], name)
        parts: list[str] = []
        while f"{name}{len(parts)}" in attributes and len(parts) < 1000:
            parts.append(f"{name}{len(parts)}")
        return [text for part in parts for text in _texts(self.groups[group], part)]

    def text(self, group: str, name: str) -> str:
        """A text beside a group; empty where there is none."""
        return "".join(self.texts(group, name)[:1])

    def array(self, path: str) -> Array:
        """The numbers of a data set, as many bytes as the walk has counted."""
        array = self.arrays[path][()]
        return np.ascontiguousarray(array)


@contextmanager
def opened(stream: BinaryIO, size: int) -> Iterator[Tree]:
    """The content of a file, whose links are hard and lead nowhere twice, and whose arrays fill no more than it may.

    Parameters
    ----------
    size
        Of the file, in bytes.

    Raises
    ------
    FaultError
        It is damaged or hostile; or h5py is not installed.
    """
    try:
        import h5py
    except ImportError:
        raise FaultError("files of Keras are read with h5py, which is not installed", _INSTALL) from None
    try:
        with h5py.File(stream, "r") as file:
            yield _walked(h5py, file, size)
    except FaultError:
        raise
    except Exception as fault:  # noqa: BLE001 - h5py raises whatever its library of C tells, of any class
        raise FaultError(f"it is damaged: {shown(str(fault))}") from None


def _walked(h5py: Any, file: Any, size: int) -> Tree:
    groups, arrays = {"": file}, {}
    seen, left = {_address(h5py, file)}, _MOST_TIMES * size
    waiting = [""]
    while waiting:
        at = waiting.pop()
        for name in groups[at]:
            path = f"{at}/{name}" if at else name
            if path in _SKIPPED:
                continue
            if len(seen) >= _MOST_OBJECTS or path.count("/") >= _DEEPEST:
                raise FaultError(f"it has more than {_MOST_OBJECTS:,} parts, or they lie deeper than {_DEEPEST}")
            if type(groups[at].get(name, getlink=True)) is not h5py.HardLink:
                raise FaultError(f"{shown(path)} is a link to elsewhere, which is not followed")
            one = groups[at][name]
            address = _address(h5py, one)
            if address in seen:
                raise FaultError(f"{shown(path)} is there twice")
            seen.add(address)
            if isinstance(one, h5py.Group):
                groups[path] = one
                waiting.append(path)
            elif isinstance(one, h5py.Dataset):
                left -= _bytes_of(one, path, size)
                if left < 0:
                    raise FaultError("its arrays would be far larger than the file")
                arrays[path] = one
    return Tree(groups, arrays)


def _address(h5py: Any, one: Any) -> Any:
    """Where a part lies in the file; `h5py.h5o.get_info` would add sizes up, without end in a damaged file."""
    facts = h5py.h5g.get_objinfo(one.id, b".")
    return facts.fileno, facts.objno


def _bytes_of(one: Any, path: str, size: int) -> int:
    """How many bytes a data set needs, which lie in this file."""
    if one.external or one.is_virtual:
        raise FaultError(f"the numbers of {shown(path)} lie in another file, which is not opened")
    if one.dtype.kind not in "fiub" or one.dtype.itemsize > 8:
        raise FaultError(f"{shown(path)} holds {one.dtype}, not numbers")
    if one.shape is None or is_too_large(one.shape):
        raise FaultError(f"{shown(path)} has impossible sides")
    settings = one.id.get_create_plist()
    filters = [settings.get_filter(number)[0] for number in range(settings.get_nfilters())]
    if any(kind not in _FILTERS for kind in filters):
        raise FaultError(f"{shown(path)} is packed by a filter of HDF5 that is not read")
    length, stored = int(one.nbytes), one.id.get_storage_size()
    chunk = math.prod(one.chunks) * one.dtype.itemsize if one.chunks else 0
    if (length != stored and not filters and not chunk) or max(length, stored, chunk) > _MOST_TIMES * size:
        raise FaultError(f"{shown(path)} claims {length:,} bytes, and the file has {stored:,} for it")
    return length


def _texts(group: Any, name: str) -> list[str]:
    facts = group.attrs.get_id(name)
    if facts.dtype.kind == "f" and not math.prod(facts.shape):  # an empty list, which has no type
        return []
    if facts.dtype.kind not in "SO" or facts.get_storage_size() > _MOST_TEXT or math.prod(facts.shape) > _MOST_OBJECTS:
        raise FaultError(f"{shown(name)} is no text")
    raw = np.ravel(group.attrs[name]).tolist()
    values = [one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in raw]
    if not all(isinstance(one, str) for one in values):
        raise FaultError(f"{shown(name)} is no text", AGAIN)
    return values
