"""Two sets of pictures in one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import ArgumentError
from .imageset import ImageSet
from .labels import Labels
from .pixels import Pixels


def join(one: ImageSet, other: ImageSet) -> ImageSet:
    """The pictures of both, in order; classes are those of the first, and then what the second has besides.

    Raises
    ------
    ArgumentError
        Their labels are of different kinds, or one has groups and the other has not.
    """
    if (one.groups is None) != (other.groups is None):
        raise ArgumentError("Only one of the sets has groups.", hint="Give both, or neither, `groups` in mximages().")
    names = [*one.names, *other.names]
    items = [images._pixels.items[row] for images in (one, other) for row in images._rows]
    known = one._hashes is not None and other._hashes is not None
    return ImageSet(
        Pixels(items, names),
        np.arange(len(names), dtype=np.int64),
        names,
        [*one._files, *other._files],
        _labels(one._labels, other._labels),
        sizes=None if one._sizes is None or other._sizes is None else np.concatenate([one._sizes, other._sizes]),
        hashes=[*one.hashes, *other.hashes] if known else None,
        grey=one.grey and other.grey,
        bad=(*one.bad, *other.bad),
        problems=[*one.problems, *other.problems],
        groups=None if one.groups is None or other.groups is None else [*one.groups, *other.groups],
    )


def _labels(one: Labels, other: Labels) -> Labels:
    kinds = ["no labels" if labels.task is None else labels.task.name for labels in (one, other)]
    if kinds[0] != kinds[1]:
        raise ArgumentError("The labels of the two sets are of different kinds.", [f"{kinds[0]}, {kinds[1]}"])
    if one.task is None or one.y is None or other.y is None:
        return one
    if not one.task.has_classes:
        if one.levels != other.levels:
            raise ArgumentError("The two sets have different numbers as labels.", [f"{one.levels}, {other.levels}"])
        return replace(one, y=np.concatenate([one.y, other.y]))
    levels = tuple(dict.fromkeys([*one.levels, *other.levels]))
    places = np.asarray([levels.index(level) for level in other.levels], dtype=np.int64)
    task = replace(one.task, levels=levels)
    if one.y.ndim == 1:
        return replace(one, task=task, y=np.concatenate([one.y, places[other.y]]))
    y = np.zeros((len(one.y) + len(other.y), len(levels)), dtype=one.y.dtype)
    y[: len(one.y), : one.y.shape[1]] = one.y
    y[len(one.y) :, places] = other.y
    return replace(one, task=task, y=y)
