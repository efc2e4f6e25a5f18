"""Which labels are probably wrong, by predictions that have not learned them.

The idea of confident learning (Northcutt, Jiang and Chuang, 2021). Of Fashion-MNIST, 2,000 images with a tenth of the
labels wrong, `log_ratio` ranks the wrong ones first more often than the margin of probabilities, the probability of the
label alone, and what is surer than usual of its class.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_LEAST = 1e-12  # of a probability
_MORE_PROBABLE = math.log(10)  # from here on a label is suspect: of the above, 9 of 10 of these were wrong
_FAR = 3.5  # from here on a deviation is (Iglewicz and Hoaglin, 1993)
_NORMAL = 1.4826  # of a normal distribution, its standard deviation over its median deviation
_BY_CHANCE = 0.01  # how often confusions that are none may look like some, over all pairs
_TOLD_APART = 0.75  # how well classes must be told apart to be two: halfway from chance


class Alike(NamedTuple):
    """Two classes that may be one: by code, how many images carry each, the share of each that predictions take for the
    other, and how well they are told apart, 0.5 for not at all, with the upper end of its interval at 95 %."""

    one: int
    other: int
    n_one: int
    n_other: int
    one_as_other: float
    other_as_one: float
    told_apart: float
    upper: float


def log_ratio(probabilities: Array, y: Array) -> Array:
    """How much more the best other class speaks for an image than its own: (N,), of probabilities (N, K) the logarithm
    of their ratio."""
    logs = np.log(np.maximum(probabilities, _LEAST))
    rows = np.arange(len(y))
    own = logs[rows, y]
    logs[rows, y] = -np.inf
    return np.asarray(logs.max(axis=1, initial=-np.inf) - own)


def is_suspect(score: Array) -> Array:
    """Whether a `log_ratio` says that another class is ten times as probable."""
    return np.asarray(score > _MORE_PROBABLE)


def spread(residuals: Array) -> Array:
    """The robust standard deviation (K,) of the columns of residuals (N, K)."""
    if not len(residuals):
        return np.zeros(residuals.shape[1])
    return np.asarray(_NORMAL * np.median(np.abs(residuals - np.median(residuals, axis=0)), axis=0))


def deviations(residuals: Array) -> Array:
    """How far residuals (N, K) are from the median of their column, in robust standard deviations."""
    scale = spread(residuals)
    centre = np.median(residuals, axis=0) if len(residuals) else 0.0
    return np.asarray(np.abs(residuals - centre) / np.where(scale > 0, scale, np.inf))


def is_far(deviation: Array) -> Array:
    """Whether a deviation is too large for an error of prediction alone."""
    return np.asarray(deviation > _FAR)


def alike(y: Array, predicted: Array, logits: Array) -> list[Alike]:
    """The pairs of classes that are taken for each other, both ways and beyond chance, and not told apart.

    By chance an image that is taken for another class is so for each of them as often as it occurs.

    Parameters
    ----------
    y, predicted
        (N,) int64: the class that an image carries, and the one that it is taken for.
    logits
        (N, K): the larger, the more speaks for a class.
    """
    k = logits.shape[1]
    counts = np.zeros((k, k), np.int64)
    np.add.at(counts, (y, predicted), 1)
    share = counts.sum(axis=1) / max(len(y), 1)
    wrong = counts.sum(axis=1) - np.diag(counts)
    expected = wrong[:, None] * share / np.maximum(1 - share, 1e-9)[:, None]
    np.fill_diagonal(counts, 0)
    return _one_class(counts, expected, lambda one, other: (y == one, y == other), logits)


def alike_labels(has: Array, taken: Array, logits: Array) -> list[Alike]:
    """As `alike`, of labels of which an image may carry several: of pairs, images that carry one of the two count.

    By chance an image that carries one is taken for the other as often as those that carry neither.

    Parameters
    ----------
    has, taken
        (N, K) bool: which labels each image carries, and for which it is taken.
    logits
        (N, K), as `alike` has them.
    """
    lacks = ~has
    wrongly = (taken & lacks).astype(np.float64)
    counts = has.T.astype(np.float64) @ wrongly
    alone = has.T.astype(np.float64) @ lacks
    neither = np.maximum(lacks.sum(axis=0) - alone, 0)
    usual = np.where(neither > 0, (wrongly.sum(axis=0) - counts) / np.maximum(neither, 1), has.mean(axis=0))
    np.fill_diagonal(counts, 0)

    def only(one: int, other: int) -> tuple[Array, Array]:
        return has[:, one] & lacks[:, other], has[:, other] & lacks[:, one]

    return _one_class(counts.astype(np.int64), alone * usual, only, logits)


def _one_class(
    counts: Array, expected: Array, images_of: Callable[[int, int], tuple[Array, Array]], logits: Array
) -> list[Alike]:
    """Those pairs of which ``counts`` (K, K) are more than ``expected``; the worst told apart come first."""
    tries = max(len(counts) * (len(counts) - 1) / 2, 1)
    found = []
    for one, other in np.argwhere(np.triu(np.minimum(counts, counts.T) > 0, 1)).tolist():
        both = ((one, other), (other, one))
        if any(_upper_tail(int(counts[pair]), float(expected[pair])) > _BY_CHANCE / tries for pair in both):
            continue
        first, second = images_of(one, other)
        difference = logits[:, one].astype(np.float64) - logits[:, other]
        area, upper = _told_apart(difference[first], difference[second])
        if upper < _TOLD_APART:
            n = int(first.sum()), int(second.sum())
            taken = float(counts[one, other] / n[0]), float(counts[other, one] / n[1])
            found.append(Alike(one, other, *n, *taken, area, upper))
    return sorted(found, key=lambda pair: pair.told_apart)


def _told_apart(first: Array, second: Array) -> tuple[float, float]:
    """The chance that a number of the first is above one of the second, and the upper end of its interval at 95 %
    (DeLong, DeLong and Clarke-Pearson, 1988)."""
    above, below = _share_below(second, first), 1 - _share_below(first, second)
    area = float(above.mean())
    error = math.sqrt(sum(float(part.var(ddof=1)) / len(part) if len(part) > 1 else 1.0 for part in (above, below)))
    return area, min(1.0, area + 1.96 * error)


def _share_below(values: Array, limits: Array) -> Array:
    """The share of values below each limit; ties count half."""
    ordered = np.sort(values)
    ends = (np.searchsorted(ordered, limits, side) for side in ("left", "right"))
    return np.asarray(sum(ends) / (2 * len(values)))


def _upper_tail(count: int, expected: float) -> float:
    """The chance of at least this count, where so many are expected (Poisson)."""
    if expected <= 0:
        return 0.0 if count else 1.0
    logs = (k * math.log(expected) - expected - math.lgamma(k + 1) for k in range(count))
    return max(0.0, 1.0 - math.fsum(map(math.exp, logs)))
