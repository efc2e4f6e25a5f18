"""Memory that several processes see, without a name that could outlive them: Linux's alone has it."""

from __future__ import annotations

import mmap
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_ALIGNED = 64  # bytes


class Where(NamedTuple):
    """Where an array lies in memory that is shared."""

    start: int
    shape: tuple[int, ...]
    kind: str


class Shared:
    """Arrays that one process writes and others read.

    Parameters
    ----------
    file
        The number of the open file, as a process has it that was given it; without it a new one is made.
    """

    def __init__(self, file: Optional[int] = None) -> None:
        self.file = os.memfd_create("mxtune") if file is None else file
        self._bytes: Optional[mmap.mmap] = None

    def write(self, arrays: Mapping[str, Array]) -> dict[str, Where]:
        """Put arrays there, over what was there before, and say where they lie."""
        places, end = {}, 0
        for name, array in arrays.items():
            places[name] = Where(end, array.shape, array.dtype.str)
            end += -(-array.nbytes // _ALIGNED) * _ALIGNED
        if end > os.fstat(self.file).st_size:
            os.ftruncate(self.file, end)
        for name, array in self.read(places).items():
            array[...] = arrays[name]
        return places

    def read(self, places: Mapping[str, Where]) -> dict[str, Array]:
        """Arrays that lie there, not copied."""
        size = os.fstat(self.file).st_size
        if self._bytes is None or len(self._bytes) < size:
            self._bytes = mmap.mmap(self.file, size)  # the old one goes when no array needs it
        return {
            name: np.frombuffer(self._bytes, kind, int(np.prod(shape)), start).reshape(shape)
            for name, (start, shape, kind) in places.items()
        }

    def close(self) -> None:
        """Let go of it; it is gone when all have."""
        self._bytes = None
        os.close(self.file)
