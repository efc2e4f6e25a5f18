"""The pixels behind an `ImageSet`: read when asked for, decoded small pictures kept while there is room."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

import numpy as np
import PIL.Image

from ..words import file_size
from .picture import MAX_BYTES, UnreadableError, header, plain, read, scale_for, upright
from .sniff import misnamed, sniff

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOM = 256_000_000  # bytes of decoded pictures that the audit keeps, so that training need not decode again
_LARGEST = 4_000_000  # bytes of one that is kept
_OBJECT = 300  # bytes that each one costs besides its pixels


class Look(NamedTuple):
    """What the audit saw: ``reason`` is why a picture is bad, ``remark`` what is odd about a good one."""

    reason: Optional[str]
    height: int = 0
    width: int = 0
    grey: bool = False
    hash: bytes = b""
    remark: Optional[str] = None


class Pixels:
    """Items as `Source` has them, and how each becomes a picture. Shared by all parts of a set.

    A kept picture is what `open` would decode: what was kept never changes what comes out.
    """

    def __init__(self, items: Sequence[Any], names: Sequence[str]) -> None:
        self.items = items
        self._names = names
        self._kept: dict[int, tuple[int, int, NDArray[np.uint8]]] = {}
        self._room = ROOM
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Without the lock, and without decoded pictures, which are files as well."""
        return {**self.__dict__, "_kept": {}, "_room": ROOM, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def open(self, row: int, at_least: Optional[int] = None) -> PIL.Image.Image:
        """The picture, upright, RGB or (where it is grey) L; raises `UnreadableError`."""
        kept = self._kept.get(row)
        if kept is not None and kept[0] == scale_for(kept[1], at_least):
            return PIL.Image.fromarray(kept[2])
        item = self.items[row]
        if isinstance(item, (str, os.PathLike, bytes, bytearray)):
            return read(self._data(row), at_least).image
        return self._held(row)

    def look(self, row: int) -> Look:
        """Read and decode it once, in full; never raises for what a file may hold."""
        try:
            item = self.items[row]
            if isinstance(item, np.ndarray):
                height, width, channels = item.shape
                return Look(None, height, width, channels == 1, _hash(item, item.shape))
            if not isinstance(item, (str, os.PathLike, bytes, bytearray)):
                image = self._held(row)
                content = np.asarray(image)
                return Look(None, image.height, image.width, image.mode == "L", _hash(content, content.shape))
            data = self._data(row)
            done = read(data, at_least=1)
        except UnreadableError as error:
            return Look(str(error))
        self._keep(row, done.scale, min(done.height, done.width), done.image)
        remark = None if isinstance(item, (bytes, bytearray)) else misnamed(self._names[row], done.format)
        return Look(None, done.height, done.width, done.image.mode == "L", _hash(data, ()), remark)

    def size(self, row: int) -> tuple[int, int]:
        """Height and width (pixels, upright) from the file's first bytes; (0, 0) where it can't be read."""
        try:
            if isinstance(self.items[row], (str, os.PathLike, bytes, bytearray)):
                return header(self._data(row))
            image = self._held(row)
            return image.height, image.width
        except UnreadableError:
            return 0, 0

    def hash(self, row: int) -> bytes:
        """16 bytes that stand for the content; none where it can't be read."""
        try:
            if isinstance(self.items[row], (str, os.PathLike, bytes, bytearray)):
                return _hash(self._data(row), ())
            content = np.asarray(self._held(row))
            return _hash(content, content.shape)
        except UnreadableError:
            return b""

    def _held(self, row: int) -> PIL.Image.Image:
        item = self.items[row]
        if item is None:
            raise UnreadableError("there is no path")
        if isinstance(item, PIL.Image.Image):
            return upright(item)
        if item.shape[2] == 1:
            return PIL.Image.fromarray(item[:, :, 0])
        return plain(PIL.Image.fromarray(item))

    def _data(self, row: int) -> bytes:
        item = self.items[row]
        if isinstance(item, (bytes, bytearray)):
            return bytes(item)
        try:
            status = os.stat(item)  # noqa: PTH116
            if stat.S_ISDIR(status.st_mode):
                raise UnreadableError("a folder, not a picture")
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableError("not a file")  # a pipe would wait for ever
            with open(item, "rb") as file:  # noqa: PTH123
                start = file.read(512)
                if start and sniff(start)[0] is None:  # a film is not read to its end
                    raise UnreadableError(sniff(start)[1])
                if status.st_size > MAX_BYTES:
                    raise UnreadableError(f"too large to be read: {file_size(status.st_size)}")
                return start + file.read()
        except FileNotFoundError as error:
            link = os.path.islink(item)  # noqa: PTH114
            gone = "a link to a file that is gone" if link else "there is no such file"
            raise UnreadableError(gone) from error
        except PermissionError as error:
            raise UnreadableError("it may not be read (no permission)") from error
        except (OSError, ValueError) as error:  # a loop of links, a name with a zero byte, a failing disk
            words = getattr(error, "strerror", None) or error
            raise UnreadableError(f"it can't be read ({words})") from error

    def _keep(self, row: int, scale: int, shorter: int, image: PIL.Image.Image) -> None:
        size = image.width * image.height * len(image.getbands()) + _OBJECT
        if size > _LARGEST:
            return
        with self._lock:
            if size > self._room:
                return
            self._room -= size
        self._kept[row] = (scale, shorter, np.asarray(image))


def _hash(content: Any, shape: tuple[int, ...]) -> bytes:
    digest = hashlib.blake2b(repr(shape).encode() if shape else b"", digest_size=16)
    digest.update(np.ascontiguousarray(content).data if shape else content)
    return digest.digest()
