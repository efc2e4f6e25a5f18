"""Pictures through a network: decoded a batch ahead, those that can't be read left out and named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import progress
from ..engines.mxnet.executor import Executor
from ..errors import PictureWarning
from ..images import ImageSet, decode_or_none
from ..images.findings import warn
from ..images.loader import ahead
from ..images.preprocess import Preprocess
from ..words import bullets

if TYPE_CHECKING:
    from numpy.typing import NDArray


def outputs(
    executor: Executor, preprocess: Preprocess, images: ImageSet, width: int, batch_size: int, title: str
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """What the network says of each picture, (N, width), NaN for bad pictures; and which are good, (N,)."""
    out = np.full((len(images), width), np.nan, np.float32)
    good = np.zeros(len(images), dtype=bool)
    bad: list[tuple[str, str]] = []
    reporter = progress.current()
    reporter.event("start", title=title, total=len(images), unit="pictures")
    try:
        for rows, pictures, wrong in _decoded(preprocess, images, batch_size):
            bad += wrong
            if len(rows):
                out[rows] = executor.predict(preprocess.batch(pictures))
                good[rows] = True
            reporter.event("advance", n=len(rows) + len(wrong))
    finally:
        reporter.event("end")
    if bad:
        lines = bullets([f"{name}: {reason}" for name, reason in bad])
        warn(PictureWarning(f"Can't read {len(bad)} of {len(images)} pictures: their rows are NA.", lines))
    return out, good


def _decoded(
    preprocess: Preprocess, images: ImageSet, batch_size: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8], list[tuple[str, str]]]]:
    """Batches of ``(rows, pictures, bad ones)``, the next one under way while one is used."""

    def decoded(rows: NDArray[np.int64]) -> Any:
        found, bad = decode_or_none(images, rows.tolist(), preprocess.picture, at_least=preprocess.canvas_size)
        kept = [place for place, picture in enumerate(found) if picture is not None]
        pictures = [picture for picture in found if picture is not None]
        return rows[kept], np.stack(pictures) if pictures else np.empty(0, np.uint8), bad

    starts = range(0, len(images), batch_size)
    yield from ahead(decoded, [(np.arange(start, min(start + batch_size, len(images))),) for start in starts])
