"""The cost of confident mistakes."""

from __future__ import annotations

import numpy as np

from .base import Array, least, mean, mean_metric, metric


@mean_metric("log_loss", "classification", best=0, rank=3)
def log_loss(y: Array, probabilities: Array) -> Array:
    """The mean of -log of the true class's probability."""
    own = np.clip(probabilities[np.arange(len(y)), y.astype(np.int64)], least(probabilities), 1)
    return np.asarray(-np.log(own.astype(float)))


@metric("log_loss", "multilabel", best=0, rank=4)
def binary_log_loss(y: Array, probabilities: Array) -> float:
    """The mean binary cross-entropy of images and labels."""
    right = np.clip(np.where(y > 0, probabilities, 1 - probabilities), least(probabilities), 1)
    return -mean(np.log(right.astype(float)))
