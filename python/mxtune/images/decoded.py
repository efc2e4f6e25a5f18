"""Decoded images in the cache: those of a set that is larger than the memory it may take, each by its content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL

from .. import store
from .._version import __version__
from ..errors import StoreError
from ..machine import processor
from ..shelf import Shelf

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

PER_FILE = 64 * 2**20  # bytes, from which on images are worth a file


class Decoded:
    """Images of a set by their rows, as they were decoded in this run or an earlier one.

    They take at most half of what the cache may hold: features are worth more, and images that are in use are not to
    make room for others. The last ones, too few for a file, stay in memory.

    Parameters
    ----------
    folder
        The part of the cache.
    spec
        What determines the pixels besides the contents of the images.
    keys
        Those of rows, by their contents.
    """

    def __init__(self, folder: Path, spec: Any, keys: Callable[[Iterable[int]], list[bytes]]) -> None:
        digest = hashlib.sha256(repr((spec, __version__, PIL.__version__, processor())).encode()).hexdigest()
        self._shelf, self._keys = Shelf(folder, digest[:32], np.uint8, "pixels"), keys
        self._room = store.bound() // 2 - self._shelf.n_bytes
        self._new: dict[int, Pixels] = {}
        self._size = 0

    def take(self, rows: Sequence[int]) -> dict[int, Pixels]:
        """Those of these rows that are there."""
        found = self._shelf.take(self._keys(rows))
        there = {rows[number]: pixels for number, pixels in found}
        return {**there, **{row: self._new[row] for row in rows if row in self._new}}

    def add(self, decoded: Mapping[int, Pixels]) -> None:
        """Keep these, while there is room."""
        size = self._size + sum(pixels.nbytes for pixels in decoded.values())
        if size > self._room:
            return
        self._new.update(decoded)
        self._size = size
        if size >= PER_FILE:
            try:
                self._shelf.add(self._keys(self._new), [*self._new.values()])
                self._room -= size
            except StoreError:  # a full disk, or another process has it: they are decoded for each batch
                self._room = 0
            self._new, self._size = {}, 0
