"""What is odd about pictures that can be read: kept in ``problems``, and said in a warning that is cut short."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Optional

import numpy as np

from .. import progress
from ..calls import in_r
from ..errors import LabelWarning, MxtuneWarning, PictureWarning
from ..words import bullets, counted, listing
from .imageset import ImageSet
from .labels import Labels
from .pixels import Look
from .scale import of_another_scale, stands_beside_8_bits

_PACKAGE = str(Path(__file__).resolve().parents[1])


def without_empty(labels: Labels) -> Labels:
    """Without the levels that no picture has, which are named."""
    counts = labels.counts()
    empty = [level for level, n in counts.items() if n == 0]
    if labels.task is None or labels.y is None or not empty:
        return labels
    text = f"{counted(len(empty), 'class has no picture and is', 'classes have no picture and are')} left out."
    warn(LabelWarning(text, bullets(empty)))
    return Labels(*labels.task.without_levels(labels.y, np.asarray([n > 0 for n in counts.values()])))


def mislead(images: ImageSet, looks: list[Look]) -> None:
    """Files whose ending is another format's."""
    lines = [f"{name}: {look.remark}" for name, look in zip(images.names, looks) if look.remark]
    if lines:
        images.problems += lines
        warn(PictureWarning(f"The names of {counted(len(lines), 'file')} mislead.", bullets(lines)))


def copies(images: ImageSet) -> None:
    """Exact copies: with one label they are odd, with different labels at least one label is wrong."""
    groups: dict[bytes, list[int]] = {}
    for index, content in enumerate(images.hashes):
        groups.setdefault(content, []).append(index)
    alike, torn = [], []
    for rows in groups.values():
        if len(rows) > 1:
            names = [images.names[row] for row in rows]
            if images.has_classes and len({images.label_of(row) for row in rows}) > 1:
                torn.append(" = ".join(f"{name} ({images.label_of(row)})" for name, row in zip(names, rows)))
            else:
                alike.append(" = ".join(names))
    if alike:
        images.problems += [f"exact copies: {line}" for line in alike]
        warn(
            PictureWarning(
                f"{counted(len(alike), 'picture is', 'pictures are')} there more than once.",
                bullets(alike),
            )
        )
    if torn:
        images.problems += [f"copies with different labels: {line}" for line in torn]
        text = f"{counted(len(torn), 'picture is', 'pictures are')} there more than once, with different labels."
        warn(LabelWarning(text, bullets(torn), "Only one of the labels can be right."))


def near(images: ImageSet) -> None:
    """Near-copies that are no exact ones: said once, since a split keeps them together."""
    groups: dict[int, dict[bytes, str]] = {}
    for number, content, name in zip(images.near_copies, images.hashes, images.names):
        groups.setdefault(number, {}).setdefault(content, name)
    alike = [list(found.values()) for found in groups.values() if len(found) > 1]
    if alike:
        images.problems += [f"near-copies: {listing(names, 6)}" for names in alike]
        what = f"{sum(map(len, alike))} pictures look nearly the same as others (bursts, crops, re-saved files)"
        text = f"{what}, in {counted(len(alike), 'set')}. Each set stays on one side of a split."
        progress.default().event("message", text=text)


def scales(images: ImageSet, than: Optional[str] = None, loose: bool = False, unread: Collection[str] = ()) -> None:
    """Pictures whose values seem to be of another scale than the set's, or ``than`` those it got its range from."""
    if images.has_numbers or not stands_beside_8_bits(images.range):
        known = ((name, span) for name, span in images.spans() if name not in unread)
        found = of_another_scale(known, images.range, than, loose)
        if found is not None:
            images.problems += [f"another scale: {line}" for line in found.bullets if than is None]
            warn(found)


def few(images: ImageSet) -> None:
    """Classes with a single picture."""
    counts = images.counts()
    single = [level for level, n in zip(counts["level"], counts["n"]) if n == 1]
    if single:
        images.problems += [f"a single picture: {level}" for level in single]
        text = f"{counted(len(single), 'class has', 'classes have')} a single picture."
        warn(
            LabelWarning(
                text,
                bullets(single),
                "Such a class can't be validated; some ten pictures are a good start.",
            )
        )


def lone(images: ImageSet) -> None:
    """Classes whose pictures are all of one group, of several."""
    if images.groups is None or not images.has_classes:
        return
    groups: dict[str, set[str]] = {}
    for row, group in enumerate(images.groups):
        groups.setdefault(images.label_of(row), set()).add(group)
    alone = sorted(label for label, found in groups.items() if len(found) == 1)
    if alone:
        images.problems += [f"a single group: {label}" for label in alone]
        text = f"The pictures of {counted(len(alone), 'class are', 'classes are each')} of a single group."
        warn(LabelWarning(text, bullets(alone), "Such a class can't be validated: it is used for training alone."))


def alike(images: ImageSet) -> None:
    """Classes whose names differ in nothing but blanks and case."""
    groups: dict[str, list[str]] = {}
    for level in images.labels.counts():
        groups.setdefault(" ".join(level.casefold().split()), []).append(f'"{level}"')
    lines = [" and ".join(names) for names in groups.values() if len(names) > 1]
    if lines:
        images.problems += [f"classes that differ only in blanks or case: {line}" for line in lines]
        how = "y = tolower(trimws(y))" if in_r() else 'y = [" ".join(label.lower().split()) for label in y]'
        hint = f"To join them, rename the folders or the labels: {how}."
        warn(LabelWarning("Some classes differ only in blanks or case.", bullets(lines), hint))


def across(images: ImageSet, validation: ImageSet) -> None:
    """Pictures that are in both sets."""
    lines = [name if name == there else f"{name} = {there}" for name, there in images.shared(validation)]
    if lines:
        images.problems += [f"in training and validation: {line}" for line in lines]
        text = f"{counted(len(lines), 'picture is', 'pictures are')} in training and in validation."
        warn(PictureWarning(text, bullets(lines), "This makes the validation results too optimistic."))
    groups_across(images, validation)


def groups_across(images: ImageSet, validation: ImageSet) -> None:
    """Groups that are in both sets."""
    both = sorted(set(images.groups or ()) & set(validation.groups or ()))
    if both:
        images.problems += [f"group in training and validation: {group}" for group in both]
        text = f"{counted(len(both), 'group is', 'groups are')} in training and in validation."
        warn(PictureWarning(text, bullets(both), "This makes the validation results too optimistic."))


def warn(warning: MxtuneWarning) -> None:
    """Warn at the line outside of this package that called it."""
    level, frame = 1, sys._getframe()
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE) and frame.f_back is not None:
        frame, level = frame.f_back, level + 1
    warnings.warn(warning, stacklevel=level)
