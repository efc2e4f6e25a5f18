"""Temperature: one number that makes probabilities as sure as they are right (Guo et al., 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .losses import Loss, SquaredError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_MOST = 5.0  # a temperature beyond says that something else is wrong
_STEPS = 30  # of the golden section, which finds the logarithm to 1e-6


def temperature(outputs: Array, targets: Array, loss: Loss) -> float:
    """What outputs (N, K), float64, are to be divided by for the lowest loss on images that were not trained on.

    Examples
    --------
    >>> from mxtune.tasks.losses import CrossEntropy
    >>> sure = np.array([[4.0, 0.0], [4.0, 0.0], [4.0, 0.0], [4.0, 0.0]])
    >>> round(temperature(sure, np.array([0, 0, 0, 1]), CrossEntropy(2)), 2)
    3.64
    """
    golden = (np.sqrt(5) - 1) / 2
    low, high = -np.log(_MOST), np.log(_MOST)

    def cost(place: float) -> float:
        return float(loss.each(outputs / np.exp(place), targets).mean())

    inner = [high - golden * (high - low), low + golden * (high - low)]
    costs = [cost(place) for place in inner]
    for _ in range(_STEPS):
        if costs[0] < costs[1]:
            high, inner = inner[1], [inner[1] - golden * (inner[1] - low), inner[0]]
            costs = [cost(inner[0]), costs[0]]
        else:
            low, inner = inner[0], [inner[1], inner[0] + golden * (high - inner[0])]
            costs = [costs[1], cost(inner[1])]
    return float(np.exp((low + high) / 2))


def calibrated(outputs: Array, targets: Array, loss: Loss, fold: Array) -> tuple[float, Array]:
    """The temperature, and the outputs of each fold divided by the one that the other folds ask for.

    1, and the outputs as they are, where that is no better on the fold that was left out, by more than a standard
    error; and for numbers, which have no probabilities.

    Parameters
    ----------
    outputs
        (N, K) float64, each of a head that has not seen the image.
    targets, fold
        Of the N images.
    """
    folds = np.unique(fold)
    if isinstance(loss, SquaredError) or len(folds) < 2:
        return 1.0, outputs
    divided = outputs.copy()
    for one in folds:
        held_out = fold == one
        divided[held_out] /= temperature(outputs[~held_out], targets[~held_out], loss)
    gain = loss.each(outputs, targets) - loss.each(divided, targets)
    if gain.mean() <= gain.std() / np.sqrt(len(gain)):
        return 1.0, outputs
    return temperature(outputs, targets, loss), divided
