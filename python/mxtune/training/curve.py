"""Heads on fewer and fewer of the images, and what they say of images that they have not seen: for a learning curve.

They are solved along a few principal axes of all features: of 2,000 images of Fashion-MNIST accuracies differ by .005
at most from those of heads on all features, for a tenth of the time.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import progress
from ..blas import one_thread
from ..errors import ArgumentError
from ..images.split import rarest
from ..model.curve import Point
from ..tasks import Task
from ..words import counted
from .convex import apply, minimise
from .folds import Folds, SideBySide
from .head import PENALTIES, WORSE, standardise
from .options import USUAL_FOLDS
from .space import Space, step_along

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Rows = NDArray[np.int64]

_AXES = 384
_SHARES = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.125, 0.09, 0.0625)  # of the images of the other folds
_REPEATS = 3  # of all sizes but the largest, with other images
_LEAST = 10  # images, and two a class, of which a head is worth a look
_TOLERANCE = 1e-4  # of the loss of all heads together


@one_thread()
def along_axes(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features (N, d) along their widest principal axes, (N, r). **They are standardised in place.**"""
    standardise(features)
    return Space.of(features).widest[:, -_AXES:]


@one_thread()
def points_of(coordinates: Array, y: Array, task: Task, group: Array, seed: int) -> list[Point]:
    """What heads on ever more of the images say of the others, at ascending sizes.

    Each class is in proportion in each set, and groups are whole. Smaller sets are parts of larger ones.

    Parameters
    ----------
    coordinates
        (N, r): along principal axes of standardised features.
    y
        Labels, as the task has them.
    group
        (N,) int64: equal for images that stay together.

    Raises
    ------
    ArgumentError
        There are too few images, or of too few groups.
    KeyboardInterrupt
        Ctrl-C came.
    """
    strata = task.strata(y, 1 / USUAL_FOLDS)
    folds = Folds(USUAL_FOLDS, seed, strata, group.tolist(), task.has_classes and strata.ndim == 1)
    shares = [share for share in _SHARES if share * 0.8 * len(y) >= max(_LEAST, 2 * len(task.levels))]
    if not folds.are_possible or len(shares) < 3:
        text = "There are too few images for a learning curve."
        raise ArgumentError(
            text, [f"there are {counted(len(set(folds.groups)), 'image or group', 'images or groups')}"]
        )
    fold = folds.numbers()
    numbers = coordinates.astype(np.float32)
    runs = [(share, repeat) for share in shares[::-1] for repeat in range(1 if share == 1 else _REPEATS)]
    reporter = progress.current()
    reporter.event("start", title="Training heads on fewer images", total=len(runs), unit="sets")
    found: dict[float, list[tuple[float, Array]]] = {}
    try:
        for share, repeat in runs:
            rows = np.flatnonzero((_places(folds, seed + repeat) < share) & (fold >= 0))
            found.setdefault(share, []).append(_unseen(numbers, rows, y, task, fold))
            reporter.event("advance", n=1)
    finally:
        reporter.event("end")
    return [
        Point(float(np.mean([n for n, _ in own])), np.stack([outputs for _, outputs in own])) for own in found.values()
    ]


def _unseen(numbers: NDArray[np.float32], rows: Rows, y: Array, task: Task, fold: Rows) -> tuple[float, Array]:
    """Of heads on these rows but those of a fold each: how many they have, and what they say of the fold."""
    loss, targets, count = task.loss(y), task.targets(y), int(fold.max()) + 1
    centre = numbers[rows].mean(axis=0)
    part, tested = numbers[rows] - centre, fold >= 0
    spread = np.einsum("ij,ij->j", part, part).astype(np.float64) / len(part)
    seen = np.stack([fold[rows] != one for one in range(count)], axis=1).astype(np.float64)
    heads = SideBySide(loss, count)
    solution = np.zeros((count * task.outputs, numbers.shape[1] + 1))
    tried: list[tuple[Array, Array]] = []  # the outputs of each penalty, and the loss of each image
    for penalty in PENALTIES:
        solution, interrupted = minimise(
            part, targets[rows], heads, penalty, solution, _TOLERANCE, partial(step_along, spread, penalty), seen
        )
        if interrupted:
            raise KeyboardInterrupt
        every = np.stack(np.split(apply(numbers - centre, solution, heads), count, axis=1))
        outputs = every[np.maximum(fold, 0), np.arange(len(fold))]
        tried.append((outputs, loss.each(outputs, targets)))
        means = [costs[tested].mean() for _, costs in tried]
        if means[-1] > WORSE * min(means):
            break
    chosen = np.full((len(fold), task.outputs), np.nan, np.float32)
    for one in range(count):  # the penalty that is best on the other folds
        own, others = fold == one, tested & (fold != one)
        chosen[own] = min(tried, key=lambda each: float(each[1][others].mean()))[0][own]
    return float(seen.sum(axis=0).mean()), chosen


def _places(folds: Folds, seed: int) -> Array:
    """(N,) from 0, below 1: an image is in the sets of shares above. Equal for a group; each class is spread evenly,
    its first group at 0."""
    groups = np.unique(folds.groups, return_inverse=True)[1].reshape(-1)
    first, sizes = np.unique(groups, return_index=True)[1], np.bincount(groups)
    strata = folds.strata if folds.strata.ndim == 1 else rarest(folds.strata)
    own, order = strata[first], np.random.default_rng(seed).permutation(len(sizes))
    place = np.zeros(len(sizes))
    for stratum in np.unique(own):
        members = order[own[order] == stratum]
        ends = np.cumsum(sizes[members])
        place[members] = (ends - sizes[members]) / ends[-1]
    return np.asarray(place[groups])
