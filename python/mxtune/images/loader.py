"""The loader: images of a set as batches for a network, for training, validation and prediction alike."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

import numpy as np

from ..machine import usable_cpus
from .augment import Augment
from .decode import decode_or_none, unreadable
from .decoded import Decoded
from .imageset import ImageSet
from .preprocess import Preprocess

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]
    AnyRows = Union[Sequence[int], Rows]
    Pixels = NDArray[np.uint8]

KEPT_BYTES = 512 * 2**20
"""Decoded images are kept in memory up to this size; more are kept in the cache, or decoded again for each batch."""


class Loader:
    """The images of a set as batches for a network.

    Parameters
    ----------
    images, preprocess
        The images, and how they become the network's input.
    augment
        How the images of augmented batches vary; not at all if None.
    seed
        Each augmented image depends only on it, on the round and on the image.
    repeated
        Whether there is more than one pass: then images are decoded once, and kept where they fit in memory.
    folder
        Of the cache, where decoded images are kept that do not fit in memory, up to half of what it may hold.

    Attributes
    ----------
    bad
        ``(name, reason)`` of each image that eval batches had to leave out.
    """

    def __init__(
        self,
        images: ImageSet,
        preprocess: Preprocess,
        augment: Optional[Augment] = None,
        seed: int = 0,
        *,
        repeated: bool = True,
        folder: Optional[Path] = None,
    ) -> None:
        self.images, self.preprocess = images.ranged(preprocess.range), preprocess
        self.bad: list[tuple[str, str]] = []
        self._augment, self._seed = augment or Augment.none(), seed
        keeps = repeated and self._worth_keeping()
        self._kept: Optional[dict[int, Pixels]] = {} if keeps and self._fits() else None
        self._store: Optional[Decoded] = None
        if folder is not None and keeps and not self._fits():
            self._store = Decoded(folder, (self.determined_by, self.augments), self.images.keys)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def augments(self) -> bool:
        """Whether augmented batches differ from eval batches."""
        return self._augment != Augment.none()

    @property
    def keeps(self) -> bool:
        """Whether decoded images are kept in memory."""
        return self._kept is not None

    @property
    def determined_by(self) -> tuple[Any, ...]:
        """What determines the pixels of an eval batch besides the contents of its images."""
        images = self.images
        whole = images.has_numbers and images.range is None  # what is black and white depends on all of them
        parts = (self.preprocess.to_dict(), images.grey, images.range, images.has_numbers)
        return (*parts, b"".join(images.hashes) if whole else b"")

    def eval_batch(self, rows: AnyRows) -> Pixels:
        """(N, H, W, C) uint8: these images as the network sees them when it predicts.

        Raises
        ------
        PictureError
            Some can no longer be read; all are named.
        """
        return self._eval_pixels(rows)[1]

    def augmented_batch(self, rows: AnyRows, round_: int) -> Pixels:
        """(N, H, W, C) uint8: these images as the network sees them in this round of training.

        Raises
        ------
        PictureError
            Some can no longer be read; all are named.
        """
        if not self.augments:
            return self.eval_batch(rows)
        canvases = self._decoded(rows)[1]

        def view(place: int) -> Pixels:
            rng = np.random.default_rng((self._seed, round_, int(rows[place])))
            return self._augment.view(canvases[place], self.preprocess, rng)

        with ThreadPoolExecutor(usable_cpus(), "mxtune-augment") as pool:
            return np.stack(list(pool.map(view, range(len(rows)))))

    def eval_batches(
        self, size: Union[int, Callable[[], int]], skip_bad: bool = False, rows: Optional[Rows] = None
    ) -> Iterator[tuple[Rows, Pixels]]:
        """These images in order, or all, ``(rows, eval batch)``; the next batch is made while one is used.

        Parameters
        ----------
        size
            Of a batch; or what gives it, asked before each is made.

        Raises
        ------
        PictureError
            Some can no longer be read; with ``skip_bad`` they are left out instead, and named in `bad`.
        """

        def parts(rest: Rows) -> Iterator[tuple[Rows, bool]]:
            while len(rest):
                count = size if isinstance(size, int) else size()
                yield rest[:count], skip_bad
                rest = rest[count:]

        yield from ahead(self._eval_pixels, parts(np.arange(len(self)) if rows is None else rows))

    def augmented_batches(self, parts: Sequence[Rows], round_: int) -> Generator[Pixels, None, None]:
        """The augmented batch of each of these ``parts``; the next one is made while one is used."""
        return ahead(self.augmented_batch, [(rows, round_) for rows in parts])

    def _worth_keeping(self) -> bool:
        """Whether decoded images are smaller than what lies in memory already."""
        height, width = self._sides
        return self.images.files is not None or bool(np.max(self.images.sizes.prod(axis=1)) > height * width)

    def _fits(self) -> bool:
        """Whether all decoded images fit in memory."""
        height, width = self._sides
        longest = 2 if self.augments else 1  # a canvas keeps its image's proportions
        return longest * len(self.images) * height * width * self.preprocess.channels <= KEPT_BYTES

    @property
    def _sides(self) -> tuple[int, int]:
        return self.preprocess.canvas_size if self.augments else self.preprocess.size

    def _eval_pixels(self, rows: AnyRows, skip_bad: bool = False) -> tuple[Rows, Pixels]:
        """The images that can be read: which rows, (N,), and their pixels, (N, H, W, C)."""
        readable, decoded = self._decoded(rows, skip_bad)
        spec = self.preprocess
        pixels = [spec.centre(canvas) for canvas in decoded] if self.augments else decoded
        return readable, np.stack(pixels) if pixels else np.empty((0, *spec.size, spec.channels), np.uint8)

    def _decoded(self, rows: AnyRows, skip_bad: bool = False) -> tuple[Rows, list[Pixels]]:
        """Canvases, from which every augmented image is cut; or the images as the network sees them."""
        cached = {} if self._kept is None else self._kept
        missing = [int(row) for row in rows if int(row) not in cached]
        if self._store is not None:
            cached.update(self._store.take(missing))
            missing = [row for row in missing if row not in cached]
        spec = self.preprocess
        prepare = spec.canvas if self.augments else spec.picture
        decoded, bad = decode_or_none(
            self.images, missing, prepare, at_least=spec.canvas_size, alpha=spec.channels == 4
        )
        if bad and not skip_bad:
            raise unreadable(bad, len(missing))
        self.bad += bad
        new = {row: pixels for row, pixels in zip(missing, decoded) if pixels is not None}
        if self._store is not None:
            self._store.add(new)
        cached.update(new)
        readable = np.asarray([row for row in rows if int(row) in cached], np.int64)
        return readable, [cached[int(row)] for row in readable]


def ahead(work: Any, calls: Iterable[tuple[Any, ...]]) -> Generator[Any, None, None]:
    """``work(*call)`` for each call in order, the next one under way in a thread while one is used."""
    waiting = iter(calls)
    with ThreadPoolExecutor(1, "mxtune-ahead") as pool:
        under_way = [pool.submit(work, *call) for call in islice(waiting, 1)]
        while under_way:
            result = under_way.pop().result()
            under_way = [pool.submit(work, *call) for call in islice(waiting, 1)]
            yield result
