"""The pixels of an `ImageSet`: read when needed; small decoded images are kept while there is room."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

import numpy as np
import PIL.Image

from ..words import file_size
from . import scale
from .address import RemoteFile
from .archive import Member
from .arrow import Cell
from .looks import LEAST, Looks, Seen
from .near import signature
from .paths import why_not_a_path
from .picture import MAX_BYTES, Read, UnreadableError, header, read, scale_for, to_rgb_or_grey, to_rgba, upright
from .scale import Numbers, Range, Span
from .sniff import misnamed, sniff
from .stored import Stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = Union[PIL.Image.Image, NDArray[np.uint8], Numbers]

ROOM = 256_000_000  # bytes of decoded images that the audit keeps, so that training need not decode again
_LARGEST = 4_000_000  # bytes of one that is kept
_OVERHEAD = 300  # bytes that each one costs besides its pixels


class Look(NamedTuple):
    """What the audit saw: ``reason`` is why an image is bad, ``remark`` what is odd about a good one; ``sample`` some
    of its values, where they were asked for."""

    reason: Optional[str]
    height: int = 0
    width: int = 0
    grey: bool = False
    hash: bytes = b""
    remark: Optional[str] = None
    sample: Optional[NDArray[Any]] = None


class Pixels:
    """Items as `Source` has them, and how each becomes an image. Shared by all parts of a set.

    A kept image is what `open` would decode: what was kept never changes what comes out.

    Attributes
    ----------
    spans
        What the values of each image of `Numbers` span, by row: those in memory at once, files when they are read,
        all where it is known already.
    since
        Nanoseconds since 1970: what changed later may not be what was looked at.
    """

    def __init__(self, items: Sequence[Any], names: Sequence[str], spans: Iterable[Optional[Span]] = ()) -> None:
        self.items = items
        self.since = time.time_ns()
        self._names = names
        self.signatures: dict[int, NDArray[np.uint8]] = {}  # of what was looked at, for near-copies
        self.near: Optional[tuple[Any, list[int]]] = None  # those found last, and among which images
        self._kept: dict[int, tuple[int, int, Picture]] = {}
        self._room = ROOM
        self._lock = threading.Lock()
        self._had: dict[int, bytes] = {}  # the hash of what was read last of each file behind an address
        every_span = spans or (scale.spans(items) if isinstance(items, Numbers) else scale.spans_of(items))
        self.spans: dict[int, Span] = {row: span for row, span in enumerate(every_span) if span is not None}
        self._usual = scale.usual([*self.spans.values()]) if self.spans else scale.BYTE

    def __getstate__(self) -> dict[str, Any]:
        """Without the lock, and without decoded images, which are files as well."""
        return {**self.__dict__, "_kept": {}, "_room": ROOM, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def open(
        self,
        row: int,
        at_least: Optional[int] = None,
        range: Optional[Range] = None,  # noqa: A002
        alpha: bool = False,
    ) -> PIL.Image.Image:
        """The image, upright, RGB or (where it is grey) L; RGBA with ``alpha``; raises `UnreadableError`.

        ``range`` are the numbers that become black and white; the usual ones if None.
        """
        cached = None if alpha else self._kept.get(row)
        if cached is not None and cached[0] == scale_for(cached[1], at_least):
            return self._shown(row, cached[2], range)
        item = self.items[row]
        if isinstance(item, (str, os.PathLike, bytes, bytearray)):
            return self._shown(row, read(self._data(row), at_least, alpha).image, range, alpha)
        return self._shown(row, _in_memory(item, alpha), range, alpha)

    def look(self, row: int, sampled: int = 0, looks: Optional[Looks] = None) -> Look:
        """Read and decode it once, in full, and sample ``sampled`` values; never raises for what a file may hold.

        A large file of which ``looks`` tell is not decoded.
        """
        try:
            item = self.items[row]
            if not isinstance(item, (str, os.PathLike, bytes, bytearray)):
                picture = _in_memory(item)
                self._measure(row, picture)
                content = self._content(row, picture)
                grey = content.ndim == 2 or content.shape[2] == 1
                height, width = content.shape[:2]
                self.signatures[row] = signature(content, self.spans.get(row))
                return Look(None, height, width, grey, _hash(content, content.shape), None, _sample(picture, sampled))
            data = self._data(row)
            digest = _hash(data, ())
            looks = looks if len(data) >= LEAST and not sampled else None
            seen = None if looks is None else looks.find(digest)
            sample = None
            if seen is None:
                decoded = read(data, at_least=1)
                self._measure(row, decoded.image)
                seen, sample = self._seen(row, decoded), _sample(decoded.image, sampled)
                if looks is not None and not isinstance(decoded.image, Numbers):
                    looks.add(digest, seen)
        except UnreadableError as error:
            return Look(str(error))
        self.signatures[row] = seen.signature
        if isinstance(item, (bytes, bytearray, Cell)):
            remark = None
        else:
            remark = misnamed(item.name if isinstance(item, Stored) else os.fspath(item), seen.format)
        return Look(None, seen.height, seen.width, seen.grey, digest, remark, sample)

    def _seen(self, row: int, decoded: Read) -> Seen:
        """What there is to say of an image, which is kept where there is room."""
        image = decoded.image.values if isinstance(decoded.image, Numbers) else decoded.image
        own = signature(image, self.spans.get(row))
        self._keep(row, decoded.scale, min(decoded.height, decoded.width), decoded.image)
        grey = decoded.image.values.shape[2] == 1 if isinstance(decoded.image, Numbers) else decoded.image.mode == "L"
        return Seen(decoded.height, decoded.width, grey, decoded.format, own)

    def size(self, row: int) -> tuple[int, int]:
        """Height and width (pixels, upright) from the file's first bytes; (0, 0) where it can't be read."""
        try:
            if isinstance(self.items[row], (str, os.PathLike, bytes, bytearray)):
                return header(self._data(row))
            height, width = self._content(row, _in_memory(self.items[row])).shape[:2]
            return height, width
        except UnreadableError:
            return 0, 0

    def hash(self, row: int) -> bytes:
        """A hash of the content, 16 bytes; empty where it can't be read."""
        try:
            if isinstance(self.items[row], (str, os.PathLike, bytes, bytearray)):
                return _hash(self._data(row), ())
            content = self._content(row, _in_memory(self.items[row]))
            return _hash(content, content.shape)
        except UnreadableError:
            return b""

    def is_still(self, row: int, digest: bytes) -> bool:
        """Whether it is what had this hash: by the time of a file, and by the hash of what a user may write to. What
        lies elsewhere is not asked again: what was read last decides."""
        item = self.items[row]
        where = item.archive.path if isinstance(item, Member) else item
        if isinstance(where, (bytes, Stored)):
            return self._had.get(row, digest) == digest
        if not isinstance(where, (str, os.PathLike)):
            return self.hash(row) == digest
        try:
            status = os.stat(where)  # noqa: PTH116
        except (OSError, ValueError):  # what is gone can't be made anew of something else
            return True
        # a copy, or a camera, may say another time of its content than that at which it came there
        return (status.st_mtime_ns if sys.platform == "win32" else status.st_ctime_ns) < self.since

    def _content(self, row: int, picture: Picture) -> NDArray[Any]:
        """Its pixels, for a hash: equal numbers of different types are equal."""
        if not isinstance(picture, Numbers):
            return np.asarray(picture)
        span = self.spans.get(row)
        fits_8_bits = span is not None and span.whole and span.low >= 0 and span.high <= 255
        return picture.values.astype(np.uint8) if fits_8_bits else picture.values

    def _measure(self, row: int, picture: Picture) -> Optional[Span]:
        """What its values span, where it is numbers; raises `UnreadableError` where they are not finite."""
        if not isinstance(picture, Numbers):
            return None
        span = self.spans.get(row) or scale.span(picture)
        if span is None:
            raise UnreadableError("it contains NaN or infinite values")
        self.spans[row] = span
        return span

    def _shown(
        self,
        row: int,
        picture: Picture,
        range: Optional[Range],  # noqa: A002
        alpha: bool = False,
    ) -> PIL.Image.Image:
        span = self._measure(row, picture)
        if span is not None:
            usual = self._usual if isinstance(self.items[row], Numbers) else scale.usual([span])
            picture = scale.eight_bits(picture.values, range or usual, span)  # type: ignore[union-attr]
        elif scale.within_8_bits(range):
            picture = scale.eight_bits(np.asarray(picture), range)  # type: ignore[arg-type]
        if isinstance(picture, PIL.Image.Image):
            return picture
        assert isinstance(picture, np.ndarray)  # noqa: S101
        if picture.ndim == 3 and picture.shape[2] == 1:
            picture = picture[:, :, 0]
        image = PIL.Image.fromarray(picture)
        return to_rgba(image) if alpha else to_rgb_or_grey(image)

    def _data(self, row: int) -> bytes:
        item = self.items[row]
        if isinstance(item, (bytes, bytearray)):
            return bytes(item)
        if isinstance(item, Stored):
            data = item.picture()
            if isinstance(item, RemoteFile):
                self._had[row] = _hash(data, ())
            return data
        try:
            status = os.stat(item)  # noqa: PTH116
            if stat.S_ISDIR(status.st_mode):
                raise UnreadableError("a folder, not an image")
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableError("not a file")  # a pipe would wait for ever
            with open(item, "rb") as file:  # noqa: PTH123
                start = file.read(512)
                if start and sniff(start)[0] is None:  # a video is not read to its end
                    raise UnreadableError(sniff(start)[1])
                if status.st_size > MAX_BYTES:
                    raise UnreadableError(f"too large to be read: {file_size(status.st_size)}")
                return start + file.read()
        except (FileNotFoundError, NotADirectoryError) as error:
            link = os.path.islink(item)  # noqa: PTH114
            reason = "a link to a file that no longer exists" if link else "there is no such file"
            raise UnreadableError(why_not_a_path(os.fspath(item)) or reason) from error
        except PermissionError as error:
            raise UnreadableError("it can't be read (no permission)") from error
        except (OSError, ValueError) as error:  # a loop of links, a name with a zero byte, a failing disk
            reason = (
                why_not_a_path(os.fspath(item)) or f"it can't be read ({getattr(error, 'strerror', None) or error})"
            )
            raise UnreadableError(reason) from error

    def _keep(self, row: int, scale: int, shorter: int, picture: Picture) -> None:
        if isinstance(picture, PIL.Image.Image):
            size = picture.width * picture.height * len(picture.getbands()) + _OVERHEAD
        else:
            size = (picture.values if isinstance(picture, Numbers) else picture).nbytes + _OVERHEAD
        if size > _LARGEST:
            return
        with self._lock:
            if size > self._room:
                return
            self._room -= size
        self._kept[row] = (scale, shorter, picture if isinstance(picture, Numbers) else np.asarray(picture))


def _in_memory(item: Any, alpha: bool = False) -> Picture:
    """An image in memory: Pillow's, upright; numbers; or (H, W, C) uint8."""
    if item is None:
        raise UnreadableError("there is no path")
    return upright(item, alpha) if isinstance(item, PIL.Image.Image) else item


def _sample(picture: Picture, count: int) -> Optional[NDArray[Any]]:
    """About ``count`` of an image's values, evenly spread; all where there are fewer."""
    if not count:
        return None
    values = picture.values if isinstance(picture, Numbers) else np.asarray(picture)
    return values.reshape(-1)[:: max(1, values.size // count)].astype(np.float32)


def _hash(content: Any, shape: tuple[int, ...]) -> bytes:
    digest = hashlib.blake2b(repr(shape).encode() if shape else b"", digest_size=16)
    digest.update(np.ascontiguousarray(content).data if shape else content)
    return digest.digest()
