"""How well two classes are separated, whatever the threshold."""

from __future__ import annotations

import numpy as np

from .base import Array, metric


@metric("roc_auc", "classification", best=1, rank=6, applies=lambda classes: classes == 2)
def roc_auc(y: Array, probabilities: Array) -> float:
    """The chance that an image of the second class scores above one of the first (Hanley and McNeil, 1982).

    By mean ranks: ties count half.
    """
    positive = y == 1
    _, place, counts = np.unique(probabilities[:, 1], return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    n, others = int(positive.sum()), int((~positive).sum())
    if not n or not others:
        return float("nan")
    return float((rank[positive].sum() - n * (n + 1) / 2) / (n * others))
