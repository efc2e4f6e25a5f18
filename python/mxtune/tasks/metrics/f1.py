"""Precision and recall in one (van Rijsbergen, 1979)."""

from __future__ import annotations

import numpy as np

from .base import Array, mean, metric
from .confusion import pair_counts


@metric("macro_f1", "classification", best=1, rank=5)
def macro_f1(y: Array, probabilities: Array) -> float:
    """The mean F1 of the classes that occur or are predicted."""
    counts = pair_counts(np.asarray(y, np.int64), probabilities.argmax(axis=1), probabilities.shape[1])
    return _mean_f1(counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0))


@metric("f1", "multilabel", best=1, rank=1)
def label_f1(y: Array, probabilities: Array) -> float:
    """The mean F1 of the labels that occur or are predicted, from a probability of .5 on."""
    true, predicted = y > 0, probabilities >= 0.5
    return _mean_f1((true & predicted).sum(axis=0), true.sum(axis=0), predicted.sum(axis=0))


def _mean_f1(hits: Array, occurs: Array, predicted: Array) -> float:
    counted = occurs + predicted > 0
    return mean(2 * hits[counted] / (occurs + predicted)[counted])
