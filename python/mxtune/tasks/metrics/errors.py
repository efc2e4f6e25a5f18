"""How far numbers are off. Several targets are each measured in their own unit, and averaged."""

from __future__ import annotations

import numpy as np

from .base import Array, mean, metric


@metric("rmse", "regression", best=0, rank=1)
def rmse(y: Array, predicted: Array) -> float:
    """The root of the mean squared error."""
    if not len(y):
        return float("nan")
    return mean(np.sqrt(((y.astype(float) - predicted) ** 2).sum(axis=0) / len(y)))


@metric("mae", "regression", best=0, rank=2)
def mae(y: Array, predicted: Array) -> float:
    """The mean absolute error."""
    return mean(np.abs(y.astype(float) - predicted))


@metric("r2", "regression", best=1, rank=3)
def r2(y: Array, predicted: Array) -> float:
    """The share of the variance that is explained, of the targets that vary."""
    if not len(y):
        return float("nan")
    true = y.astype(float)
    squares = ((true - predicted) ** 2).sum(axis=0)
    spread = ((true - true.mean(axis=0)) ** 2).sum(axis=0)
    varies = (true != true[0]).any(axis=0)  # not the spread: a mean of equal numbers is rounded
    return mean(1 - squares[varies] / spread[varies])
