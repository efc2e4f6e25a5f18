"""Precision over all recalls."""

from __future__ import annotations

import numpy as np

from .base import Array, mean, metric


@metric("mean_average_precision", "multilabel", best=1, rank=2)
def mean_average_precision(y: Array, probabilities: Array) -> float:
    """The mean over the labels that occur of the area under the steps of precision by recall."""
    true = y > 0
    return mean(
        np.asarray([_average_precision(true[:, k], probabilities[:, k]) for k in np.flatnonzero(true.sum(axis=0))])
    )


def _average_precision(positive: Array, score: Array) -> float:
    """The sum over thresholds of precision times the step in recall, equal scores as one threshold."""
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(positive[order])
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    steps = np.diff(hits[ends], prepend=0)
    return float((hits[ends] / (ends + 1) * steps).sum() / hits[-1])
