"""Arrays in the cache, each by a key of its own content: one more image is one more array, whatever set it is in."""

from __future__ import annotations

import contextlib
import hashlib
import math
import zlib
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import store

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEY = 16  # bytes of a key
_AXES = 3
_INDEX = np.dtype([("key", f"V{KEY}"), ("start", "<u8"), ("shape", "<u4", _AXES), ("crc", "<u4")])
_END = 8  # bytes after the index: how many arrays there are, and the checksum of the index


class _Place(NamedTuple):
    """Where an array lies: the file, its first byte there, its shape, its checksum."""

    file: Path
    start: int
    shape: tuple[int, ...]
    crc: int


class Shelf:
    """Arrays of one type and of at most 3 axes, each under a key of 16 bytes, in files of the cache.

    A file is written whole, and never changed: the arrays that one call of `add` was given, an index, checksums. What
    two processes write at once can't mix, and a file that is damaged or cut off counts as none, and is removed.

    Parameters
    ----------
    folder
        The part of the cache.
    name
        32 hexadecimal digits: a digest of all that determines the arrays besides their keys.
    dtype
        Of all arrays.
    kind
        The extension of the files.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> Shelf(folder, "0" * 32, np.uint8).add([bytes(16)], [np.arange(3, dtype=np.uint8)])
    >>> list(Shelf(folder, "0" * 32, np.uint8).take([b"another content.", bytes(16)]))
    [(1, array([0, 1, 2], dtype=uint8))]
    """

    def __init__(self, folder: Path, name: str, dtype: Any, kind: str = "rows") -> None:
        self.folder, self._name, self._dtype, self._kind = folder, name, np.dtype(dtype), kind
        self._places: dict[bytes, _Place] = {}
        for file in sorted(folder.glob(f"{name}-*.{kind}")):
            if file.is_file():  # a pipe would wait for ever
                self._open(file)

    @property
    def n_bytes(self) -> int:
        """The bytes of all arrays."""
        return sum(math.prod(place.shape) for place in self._places.values()) * self._dtype.itemsize

    def take(self, keys: Sequence[bytes]) -> Iterator[tuple[int, NDArray[Any]]]:
        """The place among the keys, and the array, of each that is there; arrays are not to be written to."""
        by_file: dict[Path, list[int]] = {}
        for number, key in enumerate(keys):
            if key in self._places:
                by_file.setdefault(self._places[key].file, []).append(number)
        for file, numbers in by_file.items():
            with contextlib.suppress(OSError), file.open("rb") as stream:  # another process may have removed it
                store.mark_used(file)
                for number in numbers:
                    place = self._places[keys[number]]
                    stream.seek(place.start)
                    data = stream.read(math.prod(place.shape) * self._dtype.itemsize)
                    if zlib.crc32(data) != place.crc:
                        self._drop(file)
                        break
                    yield number, np.frombuffer(data, self._dtype).reshape(place.shape)

    def add(self, keys: Sequence[bytes], arrays: Sequence[NDArray[Any]]) -> None:
        """Keep arrays that are not there, in one file. Of different arrays with the same key none is kept.

        Raises
        ------
        StoreError
            They are more than the cache may take, or can't be written.
        """
        first: dict[bytes, int] = {}
        for number, key in enumerate(keys):
            other = first.setdefault(key, number)
            if other != number and not np.array_equal(arrays[other], arrays[number]):
                first[key] = -1
        numbers = {key: n for key, n in first.items() if n >= 0 and len(key) == KEY and key not in self._places}
        if not numbers:
            return
        index = np.zeros(len(numbers), _INDEX)
        start = 0
        for record, (key, number) in zip(index, numbers.items()):
            content = self._bytes(arrays[number])
            shape = (*arrays[number].shape, *[0] * _AXES)[:_AXES]
            record["key"], record["start"], record["shape"], record["crc"] = key, start, shape, zlib.crc32(content)
            start += len(content)
        end = len(index).to_bytes(4, "little") + zlib.crc32(index.tobytes()).to_bytes(4, "little")
        contents = (self._bytes(arrays[number]) for number in numbers.values())
        file = (
            self.folder / f"{self._name}-{hashlib.blake2b(b''.join(numbers), digest_size=8).hexdigest()}.{self._kind}"
        )
        store.keep(file, chain(contents, (index.tobytes(), end)), start + index.nbytes + _END)
        self._open(file)

    def _bytes(self, array: NDArray[Any]) -> bytes:
        return array.astype(self._dtype, copy=False).tobytes()

    def _open(self, file: Path) -> None:
        """Take up the index of a file, where it is whole."""
        try:
            with file.open("rb") as stream:
                size = stream.seek(0, 2)
                stream.seek(max(0, size - _END))
                count, crc = (int.from_bytes(stream.read(4), "little") for _ in range(2))
                start = size - _END - count * _INDEX.itemsize
                index = b""
                if start >= 0:
                    stream.seek(start)
                    index = stream.read(count * _INDEX.itemsize)
        except OSError:  # gone meanwhile, or not ours to read
            return
        if not index or zlib.crc32(index) != crc:
            self._drop(file)
            return
        for key, begin, shape, checksum in np.frombuffer(index, _INDEX).tolist():
            self._places[key] = _Place(file, begin, tuple(side for side in shape if side), checksum)

    def _drop(self, file: Path) -> None:
        """Remove a damaged file: what it held is computed anew, and kept."""
        self._places = {key: place for key, place in self._places.items() if place.file != file}
        with contextlib.suppress(OSError):
            file.unlink()
