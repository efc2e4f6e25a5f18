"""How often the most probable class is the true one."""

from __future__ import annotations

import numpy as np

from .base import Array, mean_metric


@mean_metric("accuracy", "classification", best=1, rank=1)
def accuracy(y: Array, probabilities: Array) -> Array:
    """The share of images whose most probable class (of equals the first) is the true one."""
    return np.asarray(probabilities.argmax(axis=1) == y)


@mean_metric("top5_accuracy", "classification", best=1, rank=4, applies=lambda classes: classes > 5)
def top5_accuracy(y: Array, probabilities: Array) -> Array:
    """The share of images whose true class is among the five most probable."""
    best = np.argsort(-probabilities, kind="stable")[:, :5]
    return np.asarray((best == y[:, None]).any(axis=1))


@mean_metric("exact_match", "multilabel", best=1, rank=3)
def exact_match(y: Array, probabilities: Array) -> Array:
    """The share of images with every label right, where a label counts from a probability of .5 on."""
    return np.asarray(((y > 0) == (probabilities >= 0.5)).all(axis=1))
