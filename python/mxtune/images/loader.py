"""Pictures on their way into a network: decoded once, kept small, varied anew each time."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ..machine import usable_cpus
from . import ImageSet, decode
from .augment import Augment
from .preprocess import Preprocess

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEPT_BYTES = 512 * 2**20
"""Decoded pictures are kept in memory up to this size; more are decoded again for each batch."""


class Views:
    """The pictures of a set as batches for a network.

    Parameters
    ----------
    images, preprocess
        What, and how it becomes the network's input.
    augment
        How `varied` views vary.
    seed
        Each varied view depends on it, on the round and on the picture, and on nothing else.
    """

    def __init__(
        self, images: ImageSet, preprocess: Preprocess, augment: Optional[Augment] = None, seed: int = 0
    ) -> None:
        self.images, self.preprocess = images, preprocess
        self._augment, self._seed = augment or Augment.none(), seed
        self._canvases: Optional[dict[int, NDArray[np.uint8]]] = {} if self._worth_keeping() else None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def vary(self) -> bool:
        """Whether varied views differ from the central one."""
        return self._augment != Augment.none()

    def central(self, indices: Sequence[int]) -> NDArray[np.float32]:
        """(N, C, H, W) float32: what the network sees when it predicts."""
        return self.preprocess.batch(np.stack([self.preprocess.centre(c) for c in self._decoded(indices)]))

    def varied(self, indices: Sequence[int], round_: int) -> NDArray[np.float32]:
        """(N, C, H, W) float32: views for training in this round."""
        if not self.vary:
            return self.central(indices)
        canvases = self._decoded(indices)

        def view(place: int) -> NDArray[np.uint8]:
            rng = np.random.default_rng((self._seed, round_, int(indices[place])))
            return self._augment.view(canvases[place], self.preprocess, rng)

        with ThreadPoolExecutor(usable_cpus(), "mxtune-augment") as pool:
            return self.preprocess.batch(np.stack(list(pool.map(view, range(len(indices))))))

    def batches(self, size: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """All pictures in order, ``(indices, central views)``; the next batch is made while one is used."""
        parts = [np.arange(start, min(start + size, len(self))) for start in range(0, len(self), size)]
        yield from zip(parts, ahead(self.central, [(part,) for part in parts]))

    def _worth_keeping(self) -> bool:
        """Whether canvases are kept: where they fit, unless small pictures lie in memory already."""
        height, width = self.preprocess.canvas_size
        if self.images.files is None and np.max(self.images.sizes.prod(axis=1)) <= height * width:
            return False
        return 2 * len(self.images) * height * width * self.preprocess.channels <= KEPT_BYTES

    def _decoded(self, indices: Sequence[int]) -> list[NDArray[np.uint8]]:
        spec = self.preprocess
        kept = self._canvases
        if kept is None:
            return decode(self.images, indices, spec.canvas, at_least=spec.canvas_size)
        missing = [int(index) for index in indices if int(index) not in kept]
        if missing:
            found = decode(self.images, missing, spec.canvas, at_least=spec.canvas_size)
            kept.update(zip(missing, found))
        return [kept[int(index)] for index in indices]


def ahead(work: Any, calls: Sequence[tuple[Any, ...]]) -> Generator[Any, None, None]:
    """``work(*call)`` for each call in order, the next one under way in a thread while one is used."""
    with ThreadPoolExecutor(1, "mxtune-ahead") as pool:
        waiting = pool.submit(work, *calls[0]) if calls else None
        for number in range(len(calls)):
            assert waiting is not None  # noqa: S101 - one is always under way here
            done = waiting.result()
            waiting = pool.submit(work, *calls[number + 1]) if number + 1 < len(calls) else None
            yield done
