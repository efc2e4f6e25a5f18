"""Oddities of readable images: kept in ``problems``, and reported in a shortened warning."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
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
from .roles import PARTS
from .scale import of_another_scale, stands_beside_8_bits

_PACKAGE = str(Path(__file__).resolve().parents[1])


def without_empty(labels: Labels, categories: bool = False) -> Labels:
    """Drop the levels that no image has, and warn of them; ``categories``: whether they are those of a categorical."""
    counts = labels.counts()
    empty = [level for level, n in counts.items() if n == 0]
    if labels.task is None or labels.y is None or not empty:
        return labels
    text = f"{counted(len(empty), 'class has no images and is', 'classes have no images and are')} left out."
    keep, drop = ("levels = levels(y)", "droplevels(y)") if in_r() else ("levels=", "remove_unused_categories()")
    hint = f"{keep} in mximages() keeps them, {drop} drops them before." if categories else None
    warn(LabelWarning(text, bullets(empty), hint))
    return Labels(*labels.task.without_levels(labels.y, np.asarray([n > 0 for n in counts.values()])))


def warn_of_misleading_names(images: ImageSet, looks: list[Look]) -> None:
    """Warn of files whose extension belongs to another format."""
    lines = [f"{name}: {look.remark}" for name, look in zip(images.names, looks) if look.remark]
    if lines:
        images.problems += lines
        warn(PictureWarning(f"{counted(len(lines), 'file has', 'files have')} a misleading extension.", bullets(lines)))


def warn_of_copies(images: ImageSet) -> None:
    """Warn of exact copies: odd where their labels agree; otherwise at least one label is wrong."""
    groups: dict[bytes, list[int]] = {}
    for index, hash_ in enumerate(images.hashes):
        groups.setdefault(hash_, []).append(index)
    same_label, different_labels = [], []
    for rows in groups.values():
        if len(rows) > 1:
            names = [images.names[row] for row in rows]
            if images.has_classes and len({images.label_of(row) for row in rows}) > 1:
                different_labels.append(
                    " = ".join(f"{name} ({images.label_of(row)})" for name, row in zip(names, rows))
                )
            else:
                same_label.append(" = ".join(names))
    if same_label:
        images.problems += [f"exact copies: {line}" for line in same_label]
        warn(
            PictureWarning(
                f"{counted(len(same_label), 'image has', 'images have')} exact duplicates.",
                bullets(same_label),
            )
        )
    if different_labels:
        images.problems += [f"copies with different labels: {line}" for line in different_labels]
        subject = counted(len(different_labels), "image has", "images have")
        text = f"{subject} exact duplicates with different labels."
        warn(LabelWarning(text, bullets(different_labels), "At most one of the labels can be right."))


def report_near_copies(images: ImageSet) -> None:
    """Report near-copies that are not exact copies, once: a split keeps them together."""
    groups: dict[int, dict[bytes, str]] = {}
    for number, content, name in zip(images.near_copies, images.hashes, images.names):
        groups.setdefault(number, {}).setdefault(content, name)
    near_sets = [list(names_by_content.values()) for names_by_content in groups.values() if len(names_by_content) > 1]
    if near_sets:
        images.problems += [f"near-copies: {listing(names, 6)}" for names in near_sets]
        subject = f"{sum(map(len, near_sets))} images look nearly the same as others (bursts, crops, re-saved files)"
        stays = " Each set stays on one side of a split." if images.parts is None else ""
        progress.default().event("message", text=f"{subject}, in {counted(len(near_sets), 'set')}.{stays}")


def report_parts(images: ImageSet) -> None:
    """Report how many images are for training, validation and test, where that is told; warn of what they share with
    those for training, and of classes that none for training has."""
    if images.parts is None:
        return
    sets = {part: images.part(part) for part in PARTS if part in images.parts}
    shares = listing([f"{len(part)} for {name}" for name, part in sets.items()])
    text = f"Of {counted(len(images), 'image')} {shares}."
    parts_of_group: dict[str, set[str]] = {}
    for group, part in zip(images.groups or (), images.parts):
        parts_of_group.setdefault(group, set()).add(part)
    across = sorted(group for group, parts in parts_of_group.items() if len(parts) > 1)
    if parts_of_group and not across:
        text += " No group is in several of these."
    progress.default().event("message", text=text)
    training = sets.pop("training", None)
    if training is None:
        return
    resembling = {name: int(part.resembling(training).sum()) for name, part in sets.items()}
    lines = [f"{name}: {n} of {len(sets[name])}, copies or of one group" for name, n in resembling.items() if n]
    lines += [f"groups in several parts: {listing(across)}"] if across else []
    if lines:
        images.problems += [f"resembling those for training: {line}" for line in lines]
        text = "Some images for validation or test resemble images for training."
        warn(PictureWarning(text, lines, "This makes the results on them too optimistic."))
    counts = training.labels.counts()
    untrained = [level for level, n in counts.items() if n == 0]
    if untrained:
        images.problems += [f"no image for training: {level}" for level in untrained]
        text = f"{counted(len(untrained), 'class has', 'classes have')} no image for training."
        warn(LabelWarning(text, bullets(untrained), "A model can't learn them."))


def scales(images: ImageSet, than: Optional[str] = None, loose: bool = False, unread: Collection[str] = ()) -> None:
    """Warn of images whose values seem to be on another scale than the set's, or than what ``than`` names."""
    if images.has_numbers or not stands_beside_8_bits(images.range):
        spans = ((name, span) for name, span in images.spans() if name not in unread)
        warning = of_another_scale(spans, images.range, than, loose)
        if warning is not None:
            images.problems += [f"another scale: {line}" for line in warning.bullets if than is None]
            warn(warning)


def warn_of_single_pictures(images: ImageSet) -> None:
    """Warn of classes with a single image."""
    single = [level for level, n in images.labels.counts().items() if n == 1]
    if single:
        images.problems += [f"a single image: {level}" for level in single]
        text = f"{counted(len(single), 'class has', 'classes have')} a single image."
        warn(
            LabelWarning(
                text,
                bullets(single),
                "Classes this small can't be validated. Aim for at least 10 images per class.",
            )
        )


def warn_of_single_groups(images: ImageSet) -> None:
    """Warn of classes whose images all belong to one group."""
    if images.groups is None or images.parts is not None or not images.has_classes:
        return
    groups: dict[str, set[str]] = {}
    for row, group in enumerate(images.groups):
        groups.setdefault(images.label_of(row), set()).add(group)
    single_group = sorted(label for label, label_groups in groups.items() if len(label_groups) == 1)
    if single_group:
        images.problems += [f"a single group: {label}" for label in single_group]
        text = f"{counted(len(single_group), 'class has', 'classes have')} images of a single group only."
        warn(
            LabelWarning(text, bullets(single_group), "Such a class can't be validated: it is used for training only.")
        )


def warn_of_similar_names(images: ImageSet) -> None:
    """Warn of classes whose names differ only in spaces or case."""
    groups: dict[str, list[str]] = {}
    for level in images.labels.counts():
        groups.setdefault(" ".join(level.casefold().split()), []).append(f'"{level}"')
    lines = [" and ".join(names) for names in groups.values() if len(names) > 1]
    if lines:
        images.problems += [f"classes that differ only in spaces or case: {line}" for line in lines]
        how = "y = tolower(trimws(y))" if in_r() else 'y = [" ".join(label.lower().split()) for label in y]'
        hint = f"To join them, rename the folders or the labels: {how}."
        warn(LabelWarning("Some classes differ only in spaces or case.", bullets(lines), hint))


def warn_of_shared_pictures(images: ImageSet, validation: ImageSet) -> None:
    """Warn of images that are in both sets."""
    lines = [name if name == other_name else f"{name} = {other_name}" for name, other_name in images.shared(validation)]
    if lines:
        images.problems += [f"in training and validation: {line}" for line in lines]
        text = f"{counted(len(lines), 'image is', 'images are')} in training and in validation."
        warn(PictureWarning(text, bullets(lines), "This makes the validation results too optimistic."))
    groups_across(images, validation)


def groups_across(images: ImageSet, validation: ImageSet) -> None:
    """Warn of groups that are in both sets."""
    shared_groups = sorted(set(images.groups or ()) & set(validation.groups or ()))
    if shared_groups:
        images.problems += [f"group in training and validation: {group}" for group in shared_groups]
        text = f"{counted(len(shared_groups), 'group is', 'groups are')} in training and in validation."
        warn(PictureWarning(text, bullets(shared_groups), "This makes the validation results too optimistic."))


_kept_back: ContextVar[Optional[list[MxtuneWarning]]] = ContextVar("mxtune_warnings", default=None)


@contextmanager
def kept_back() -> Iterator[list[MxtuneWarning]]:
    """Within, warnings of this thread are put into a list: where one that is an error would cost the work."""
    warnings_kept: list[MxtuneWarning] = []
    token = _kept_back.set(warnings_kept)
    try:
        yield warnings_kept
    finally:
        _kept_back.reset(token)


def warn(warning: MxtuneWarning) -> None:
    """Warn at the line outside this package that called it, unless warnings are `kept_back`."""
    kept = _kept_back.get()
    if kept is not None:
        kept.append(warning)
        return
    level, frame = 1, sys._getframe()
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE) and frame.f_back is not None:
        frame, level = frame.f_back, level + 1
    warnings.warn(warning, stacklevel=level)
