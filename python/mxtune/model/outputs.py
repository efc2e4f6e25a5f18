"""Pictures through a network: a batch at a time, those that can't be read left out and named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import progress
from ..engines import Executor
from ..errors import PictureWarning
from ..images.findings import warn
from ..images.loader import Loader
from ..words import bullets

if TYPE_CHECKING:
    from numpy.typing import NDArray


def outputs(
    executor: Executor, loader: Loader, width: int, batch_size: int, title: str
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The network's output for each picture, (N, width), NaN for bad pictures; and which are good, (N,)."""
    count = len(loader)
    out = np.full((count, width), np.nan, np.float32)
    good = np.zeros(count, dtype=bool)
    reporter = progress.current()
    reporter.event("start", title=title, total=count, unit="pictures")
    try:
        for number, (rows, batch) in enumerate(loader.eval_batches(batch_size, skip_bad=True)):
            if len(rows):
                out[rows] = executor.predict(batch)
                good[rows] = True
            reporter.event("advance", n=min(batch_size, count - number * batch_size))
    finally:
        reporter.event("end")
    if loader.bad:
        lines = [f"{name}: {reason}" for name, reason in loader.bad]
        text = f"Can't read {len(lines)} of {count} pictures: their rows are NA."
        warn(PictureWarning(text, bullets(lines)))
    return out, good
