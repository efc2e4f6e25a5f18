"""What is odd about pictures that can be read: each finding is kept in ``problems`` and said in a warning."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Optional

import numpy as np

from ..errors import LabelWarning, MxtuneWarning, PictureWarning
from .imageset import ImageSet
from .labels import Labels, listed
from .pixels import Look

_PACKAGE = str(Path(__file__).resolve().parents[1])
_NAMED = 20  # names in a warning; `ImageSet.problems` has all of them


def without_empty(labels: Labels) -> Labels:
    """Without the levels that no picture has, which are named."""
    if labels.y is None or labels.task not in ("classification", "multilabel"):
        return labels
    if labels.task == "multilabel":
        used = np.count_nonzero(labels.y, axis=0) > 0
    else:
        used = np.bincount(labels.y, minlength=len(labels.levels)) > 0
    if np.all(used):
        return labels
    empty = [level for level, is_used in zip(labels.levels, used) if not is_used]
    text = f"{_count(len(empty), 'class has no picture and is', 'classes have no picture and are')} left out."
    warn(LabelWarning(text, listed(empty, _NAMED)))
    y = labels.y[:, used] if labels.task == "multilabel" else (np.cumsum(used) - 1)[labels.y].astype(np.int64)
    return Labels(labels.task, y, tuple(level for level, is_used in zip(labels.levels, used) if is_used))


def mislead(images: ImageSet, looks: list[Look]) -> None:
    """Files whose ending is another format's."""
    lines = [f"{name}: {look.remark}" for name, look in zip(images.names, looks) if look.remark]
    if lines:
        images.problems += lines
        warn(PictureWarning(f"The names of {_count(len(lines), 'file')} mislead.", listed(lines, _NAMED)))


def copies(images: ImageSet) -> None:
    """Exact copies: with one label they are odd, with different labels at least one label is wrong."""
    groups: dict[bytes, list[int]] = {}
    for index, content in enumerate(images.hashes):
        groups.setdefault(content, []).append(index)
    alike, torn = [], []
    for rows in groups.values():
        if len(rows) > 1:
            names = [images.names[row] for row in rows]
            if images.task in ("classification", "multilabel") and len({images.label_of(row) for row in rows}) > 1:
                torn.append(" = ".join(f"{name} ({images.label_of(row)})" for name, row in zip(names, rows)))
            else:
                alike.append(" = ".join(names))
    if alike:
        images.problems += [f"exact copies: {line}" for line in alike]
        warn(
            PictureWarning(
                f"{_count(len(alike), 'picture is', 'pictures are')} there more than once.",
                listed(alike, _NAMED),
            )
        )
    if torn:
        images.problems += [f"copies with different labels: {line}" for line in torn]
        text = f"{_count(len(torn), 'picture is', 'pictures are')} there more than once, with different labels."
        warn(LabelWarning(text, listed(torn, _NAMED), "Only one of the labels can be right."))


def few(images: ImageSet) -> None:
    """Classes with a single picture."""
    counts = images.counts()
    single = [level for level, n in zip(counts["level"], counts["n"]) if n == 1]
    if single:
        images.problems += [f"a single picture: {level}" for level in single]
        text = f"{_count(len(single), 'class has', 'classes have')} a single picture."
        warn(
            LabelWarning(
                text,
                listed(single, _NAMED),
                "Such a class can't be validated; some ten pictures are a good start.",
            )
        )


def across(images: ImageSet, validation: ImageSet) -> None:
    """Pictures that are in both sets."""
    lines = [name if name == there else f"{name} = {there}" for name, there in images.shared(validation)]
    if lines:
        images.problems += [f"in training and validation: {line}" for line in lines]
        text = f"{_count(len(lines), 'picture is', 'pictures are')} in training and in validation."
        warn(PictureWarning(text, listed(lines, _NAMED), "Validation then flatters the model."))


def _count(n: int, one: str, many: Optional[str] = None) -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"


def warn(warning: MxtuneWarning) -> None:
    """Warn at the line outside of this package that called it."""
    level, frame = 1, sys._getframe()
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE) and frame.f_back is not None:
        frame, level = frame.f_back, level + 1
    warnings.warn(warning, stacklevel=level)
