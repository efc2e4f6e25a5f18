"""Accuracy in which each class counts the same."""

from __future__ import annotations

import numpy as np

from .base import Array, mean, metric
from .confusion import pair_counts


@metric("balanced_accuracy", "classification", best=1, rank=2)
def balanced_accuracy(y: Array, probabilities: Array) -> float:
    """The mean recall of the classes that occur (Brodersen et al., 2010)."""
    counts = pair_counts(np.asarray(y, np.int64), probabilities.argmax(axis=1), probabilities.shape[1])
    hits, occurs = counts.diagonal(), counts.sum(axis=1)
    return mean(hits[occurs > 0] / occurs[occurs > 0])
