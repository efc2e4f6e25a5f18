"""What a network gives for images, batch by batch: the same bits in this process and in each worker."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ..engines import Executor
from ..images.loader import Loader

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]


def outputs(
    executor: Executor, loader: Loader, rows: Rows, batch_size: int, deterministic: bool
) -> Iterator[tuple[Rows, NDArray[np.float32]]]:
    """Rows of images, in order, and what the network gives for them, (n, d).

    A GPU's batches grow, but where each run is to give the same bits (``deterministic``).

    Raises
    ------
    PictureError
        Some can no longer be read; all of a batch are named.
    """
    executor.expect(len(rows))
    size = batch_size if deterministic else partial(executor.rows, batch_size)
    for some, batch in loader.eval_batches(size, rows=rows):
        yield some, executor.predict(_filled(batch, batch_size))[: len(some)]


def _filled(batch: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The batch with its first image repeated up to this size: of a batch of one, last bits differ."""
    return batch if len(batch) >= size else np.concatenate([batch, np.repeat(batch[:1], size - len(batch), axis=0)])
