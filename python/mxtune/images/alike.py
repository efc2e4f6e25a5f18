"""Near-copies among images of one or of several sets: those of a whole set are found once, for all of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Optional

import numpy as np

from .near import near_copies
from .pixels import Pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]


def near_numbers(parts: Sequence[tuple[Pixels, Rows]], labels: Optional[Sequence[str]]) -> list[int]:
    """A number for each image, equal for near-copies of each other.

    Parameters
    ----------
    parts
        Pixels and rows of them, which were all looked at.
    labels
        Of all these images, as `near_copies` takes them.
    """
    signatures = [pixels.signatures[row] for pixels, rows in parts for row in rows.tolist()]
    whole = parts[0][0]
    if any(pixels is not whole for pixels, _ in parts):
        return near_copies(signatures, labels)
    every = np.concatenate([rows for _, rows in parts])
    order = np.argsort(every, kind="stable").tolist()
    labels = None if labels is None else [labels[place] for place in order]
    key = every[order].tobytes(), labels
    if whole.near is None or whole.near[0] != key:
        whole.near = key, near_copies([signatures[place] for place in order], labels)
    return [number for _, number in sorted(zip(order, whole.near[1]))]
