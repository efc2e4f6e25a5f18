"""The labels of two sets of images, joined into one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import ArgumentError
from ..tasks.label_type import TEXT
from .labels import Labels


def join_labels(one: Labels, other: Labels) -> Labels:
    """The labels of both, in order; classes are those of the first, and then what the second has besides.

    Raises
    ------
    ArgumentError
        They are of different kinds.
    """
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
    codes = np.asarray([levels.index(level) for level in other.levels], dtype=np.int64)
    same_type = other.task is not None and one.task.label_type == other.task.label_type
    task = replace(one.task, levels=levels, label_type=one.task.label_type if same_type else TEXT)
    if one.y.ndim == 1:
        return replace(one, task=task, y=np.concatenate([one.y, codes[other.y]]))
    y = np.zeros((len(one.y) + len(other.y), len(levels)), dtype=one.y.dtype)
    y[: len(one.y), : one.y.shape[1]] = one.y
    y[len(one.y) :, codes] = other.y
    return replace(one, task=task, y=y)
