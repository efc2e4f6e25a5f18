"""Which images train and which validate: each class, label or range in proportion, copies and groups together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]


def divide(
    strata: Callable[[Rows], NDArray[Any]], groups: Sequence[object], fraction: float, seed: int
) -> tuple[Rows, Rows]:
    """Rows (int64, ascending) for training and for validation.

    Every class or label with at least two different images keeps at least one of them in training. The same
    seed gives the same rows on every machine.

    Parameters
    ----------
    strata
        For some rows, what is to be split evenly: (n,) int64, or (n, K) bool where each column is.
    groups
        Rows with equal entries are copies of one image and stay on one side.
    fraction
        The share that validates, above 0 and below 1.
    """
    rng = np.random.default_rng(seed)
    numbered = {group: index for index, group in enumerate(dict.fromkeys(groups))}
    group_of = np.asarray([numbered[group] for group in groups], dtype=np.int64)
    first = np.unique(group_of, return_index=True)[1]
    sizes = np.bincount(group_of, minlength=len(first)).astype(np.int64)
    order = np.argsort(rng.random(len(first)), kind="stable")
    parts = strata(first)
    chosen = (_by_stratum if parts.ndim == 1 else _by_label)(parts, sizes, order, fraction)
    validates = chosen[group_of]
    return np.flatnonzero(~validates), np.flatnonzero(validates)


def fold_numbers(strata: NDArray[Any], groups: Sequence[object], count: int, seed: int) -> Rows:
    """(N,) int64: the fold of each image, from 0 to ``count - 1``, each class or label in proportion, groups whole.

    The same seed gives the same folds on every machine.

    Parameters
    ----------
    strata
        What is to be spread evenly: (N,) int64, or (N, K) bool where each column is.
    groups
        Rows with equal entries stay in one fold.
    count
        How many folds.
    """
    numbered = {group: index for index, group in enumerate(dict.fromkeys(groups))}
    group_of = np.asarray([numbered[group] for group in groups], dtype=np.int64)
    sizes = np.bincount(group_of)
    own = rarest(strata) if strata.ndim > 1 else np.unique(strata, return_inverse=True)[1].reshape(-1)
    first = own[np.unique(group_of, return_index=True)[1]]  # of several classes in a group, that of its first image
    order = np.lexsort((np.random.default_rng(seed).random(len(sizes)), -sizes))
    filled = np.zeros((int(own.max(initial=0)) + 1, count)).tolist()
    totals = [0] * count
    fold = [0] * len(sizes)
    for group, stratum, size in zip(order.tolist(), first[order].tolist(), sizes[order].tolist()):
        row = filled[stratum]
        chosen = min(range(count), key=lambda number: (row[number], totals[number]))
        fold[group] = chosen
        row[chosen] += size
        totals[chosen] += size
    return np.asarray(fold, np.int64)[group_of]


def rarest(labels: NDArray[np.bool_]) -> Rows:
    """The rarest label of each image, (N,); one more than there are for those without any."""
    counts = labels.sum(axis=0)
    rarest: Rows = np.where(labels, counts, len(labels) + 1).argmin(axis=1)
    return np.where(labels.any(axis=1), rarest, labels.shape[1])


_DRAWS = 32  # divisions of whole groups, of which the one nearest to the shares is taken
_VISITS = 100_000  # groups that all draws may look at


def divide_groups(strata: NDArray[Any], groups: Sequence[object], fraction: float, seed: int) -> tuple[Rows, Rows]:
    """As `divide`, for groups of many images and several classes, which stay whole.

    Parameters
    ----------
    strata
        For all rows, what is to be split evenly: (N,) int64, or (N, K) bool where each column is.
    groups
        Rows with equal entries stay on one side.
    """
    numbered = {group: index for index, group in enumerate(dict.fromkeys(groups))}
    group_of = np.asarray([numbered[group] for group in groups], dtype=np.int64)
    one_hot = strata if strata.ndim > 1 else strata[:, np.newaxis] == np.unique(strata)
    columns = np.column_stack([one_hot, ~one_hot.any(axis=1)])  # the last one: images without any label
    counts = np.zeros((len(numbered), columns.shape[1]))
    np.add.at(counts, group_of, columns)
    rng = np.random.default_rng(seed)
    draws = range(max(1, min(_DRAWS, _VISITS // max(1, len(counts)))))
    own: list[list[tuple[int, float]]] = [[] for _ in counts]  # each group's classes, and how many it has of each
    for group, column in zip(*(axis.tolist() for axis in np.nonzero(counts))):
        own[group].append((column, float(counts[group, column])))
    drawn = [_drawn(counts, own, rng.random(len(counts)), fraction) for _ in draws]
    validates = min(drawn, key=lambda chosen: _miss(counts, chosen, fraction))[group_of]
    return np.flatnonzero(~validates), np.flatnonzero(validates)


def _drawn(
    counts: NDArray[np.float64],
    own: Sequence[Sequence[tuple[int, float]]],
    places: NDArray[np.float64],
    fraction: float,
) -> NDArray[np.bool_]:
    """Groups that validate, from the larger to the smaller: each class's last group trains."""
    remaining = (counts.sum(axis=0) * fraction).tolist()
    training = (counts > 0).sum(axis=0).tolist()
    chosen = np.zeros(len(counts), dtype=bool)
    for group in np.lexsort((places, -np.floor(np.log2(counts.sum(axis=1))))).tolist():
        if all(training[column] > 1 and 2 * remaining[column] >= count for column, count in own[group]):
            chosen[group] = True
            for column, count in own[group]:
                remaining[column] -= count
                training[column] -= 1
    if not chosen.any():  # every group is larger than the share: the smallest that may go
        candidates = [group for group in range(len(counts)) if ((counts > 0).sum(axis=0)[counts[group] > 0] > 1).all()]
        chosen[sorted(candidates, key=lambda group: (counts[group].sum(), places[group]))[:1]] = True
    return chosen


def _miss(counts: NDArray[np.float64], chosen: NDArray[np.bool_], fraction: float) -> float:
    """How far the classes are from their shares."""
    shares = counts.sum(axis=0) * fraction
    return float((np.abs(counts[chosen].sum(axis=0) - shares) / np.maximum(shares, 1)).sum())


def _by_stratum(strata: Rows, sizes: Rows, order: Rows, fraction: float) -> NDArray[np.bool_]:
    levels = np.unique(strata)
    totals = np.asarray([sizes[strata == level].sum() for level in levels])
    limits = np.asarray([sizes[strata == level].sum() - sizes[strata == level].min() for level in levels])
    counts_wanted = _shares(totals, limits, fraction)
    chosen = np.zeros(len(strata), dtype=bool)
    for level, want in zip(levels, counts_wanted):
        remaining = int(want)
        members = order[strata[order] == level]
        for group in members[:-1]:  # the last one trains, whatever the sizes are
            if 0 < sizes[group] <= remaining:
                chosen[group] = True
                remaining -= int(sizes[group])
    return chosen


def _shares(totals: NDArray[Any], limits: NDArray[Any], fraction: float) -> NDArray[Any]:
    """How many of each class validate: rounded so that the sum is right too (largest remainders first)."""
    exact = totals * fraction
    shares = np.minimum(np.floor(exact + 1e-9).astype(np.int64), limits)
    missing = max(1, round(float(totals.sum()) * fraction)) - int(shares.sum())
    for index in np.argsort(-(exact - shares), kind="stable"):
        if missing > 0 and shares[index] < limits[index]:
            shares[index] += 1
            missing -= 1
    rounded: NDArray[Any] = shares
    return rounded


def _by_label(labels: NDArray[np.bool_], sizes: Rows, order: Rows, fraction: float) -> NDArray[np.bool_]:
    """Iterative stratification (Sechidis, Tsoumakas and Vlahavas, 2011): the rarest label comes first."""
    weights = labels * sizes[:, np.newaxis]
    pictures = labels.sum(axis=0)
    targets = weights.sum(axis=0) * fraction
    room = max(1, round(float(sizes.sum()) * fraction))
    in_training = np.zeros(labels.shape[1], dtype=np.int64)
    chosen = np.zeros(len(sizes), dtype=bool)
    is_undecided = np.ones(len(sizes), dtype=bool)
    for label in np.argsort(pictures, kind="stable"):
        for group in order[labels[order, label] & is_undecided[order]]:
            is_undecided[group] = False
            own_labels = np.flatnonzero(labels[group])
            needed = (in_training[own_labels] == 0).any()  # each label trains on at least one image
            if not needed and targets[label] >= sizes[group] / 2 and sizes[group] <= room:
                chosen[group] = True
                room -= int(sizes[group])
                targets -= weights[group]
            else:
                in_training[own_labels] += 1
    for group in order[is_undecided[order]]:  # those without any label fill the rest
        if sizes[group] <= room:
            chosen[group] = True
            room -= int(sizes[group])
    return chosen
