"""Which pictures train and which validate: each class, label or range in its share, copies together."""

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

    Every class or label with at least two different pictures keeps at least one of them in training. The same
    seed gives the same rows on every machine.

    Parameters
    ----------
    strata
        For some rows, what is to be split evenly: (n,) int64, or (n, K) bool where each column is.
    groups
        Rows with equal entries are copies of one picture and stay on one side.
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


def _by_stratum(strata: Rows, sizes: Rows, order: Rows, fraction: float) -> NDArray[np.bool_]:
    levels = np.unique(strata)
    totals = np.asarray([sizes[strata == level].sum() for level in levels])
    most = np.asarray([sizes[strata == level].sum() - sizes[strata == level].min() for level in levels])
    wanted = _shares(totals, most, fraction)
    chosen = np.zeros(len(strata), dtype=bool)
    for level, want in zip(levels, wanted):
        left = int(want)
        members = order[strata[order] == level]
        for group in members[:-1]:  # the last one trains, whatever the sizes are
            if 0 < sizes[group] <= left:
                chosen[group] = True
                left -= int(sizes[group])
    return chosen


def _shares(totals: NDArray[Any], most: NDArray[Any], fraction: float) -> NDArray[Any]:
    """How many of each class validate: rounded so that the sum is right too (largest remainders first)."""
    exact = totals * fraction
    shares = np.minimum(np.floor(exact + 1e-9).astype(np.int64), most)
    missing = max(1, round(float(totals.sum()) * fraction)) - int(shares.sum())
    for index in np.argsort(-(exact - shares), kind="stable"):
        if missing > 0 and shares[index] < most[index]:
            shares[index] += 1
            missing -= 1
    rounded: NDArray[Any] = shares
    return rounded


def _by_label(labels: NDArray[np.bool_], sizes: Rows, order: Rows, fraction: float) -> NDArray[np.bool_]:
    """Iterative stratification (Sechidis, Tsoumakas and Vlahavas, 2011): the rarest label comes first."""
    weights = labels * sizes[:, np.newaxis]
    pictures = labels.sum(axis=0)
    wanted = weights.sum(axis=0) * fraction
    room = max(1, round(float(sizes.sum()) * fraction))
    in_training = np.zeros(labels.shape[1], dtype=np.int64)
    chosen = np.zeros(len(sizes), dtype=bool)
    open_ = np.ones(len(sizes), dtype=bool)
    for label in np.argsort(pictures, kind="stable"):
        for group in order[labels[order, label] & open_[order]]:
            open_[group] = False
            mine = np.flatnonzero(labels[group])
            needed = (in_training[mine] == 0).any()  # each label trains on at least one picture
            if not needed and wanted[label] >= sizes[group] / 2 and sizes[group] <= room:
                chosen[group] = True
                room -= int(sizes[group])
                wanted -= weights[group]
            else:
                in_training[mine] += 1
    for group in order[open_[order]]:  # those without any label fill up
        if sizes[group] <= room:
            chosen[group] = True
            room -= int(sizes[group])
    return chosen
