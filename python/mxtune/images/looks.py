"""What the audit saw of large files, in the cache by their content: the next run need not decode them to check them."""

from __future__ import annotations

import contextlib
import hashlib
import struct
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Optional

import numpy as np
import PIL

from .._version import __version__
from ..errors import StoreError
from ..shelf import Shelf

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST = 2**15  # bytes of a file that takes longer to decode than what was seen of it takes to find
_FACTS = struct.Struct("<II?16s")
_folder: ContextVar[Optional[Path]] = ContextVar("folder", default=None)


class Seen(NamedTuple):
    """What there is to say of a file of 8 bits that can be read, whatever its name; its signature for near-copies."""

    height: int
    width: int
    grey: bool
    format: str
    signature: NDArray[np.uint8]


@contextlib.contextmanager
def kept_in(folder: Optional[Path]) -> Iterator[None]:
    """Inside, what is seen of images is kept in this folder of the cache; nowhere if None, as outside."""
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


class Looks:
    """What was seen of files in earlier runs, and in this one, where it is kept."""

    def __init__(self) -> None:
        folder, spec = _folder.get(), repr((__version__, PIL.__version__))
        digest = hashlib.sha256(spec.encode()).hexdigest()[:32]
        self._shelf = None if folder is None else Shelf(folder, digest, np.uint8, "looks")
        self._new: dict[bytes, NDArray[np.uint8]] = {}

    def find(self, content: bytes) -> Optional[Seen]:
        """What was seen of this content, or None."""
        for _, array in () if self._shelf is None else self._shelf.take([content]):
            height, width, grey, kind = _FACTS.unpack(array[: _FACTS.size].tobytes())
            return Seen(height, width, grey, kind.rstrip(b"\0").decode(), array[_FACTS.size :])
        return None

    def add(self, content: bytes, seen: Seen) -> None:
        """Note what was seen."""
        if self._shelf is not None:
            facts = _FACTS.pack(seen.height, seen.width, seen.grey, seen.format.encode())
            self._new[content] = np.concatenate([np.frombuffer(facts, np.uint8), seen.signature])

    def keep(self) -> None:
        """Write what is new."""
        if self._shelf is not None:
            with contextlib.suppress(StoreError):  # a full disk: they are decoded again
                self._shelf.add([*self._new], [*self._new.values()])
