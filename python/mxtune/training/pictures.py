"""The images of a training run, checked: those to train on and those to validate on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Optional, Union

from .. import progress
from ..arguments import is_number
from ..calls import option, value_text
from ..errors import ArgumentError, LabelError, PictureError, PictureWarning
from ..images import ImageSet, mximages
from ..images.findings import groups_across, scales, warn
from ..images.groups import Groups
from ..images.imageset import SHARE
from ..images.roles import Split
from ..images.scale import stands_beside_8_bits
from ..images.source import is_table
from ..words import bullets, counted

AUTO = "auto"  # `valid` is not given


def look_at(
    x: Any,
    y: Any,
    valid: Any,
    seed: int,
    groups: Groups = None,
    range: Union[str, Sequence[float], None] = None,  # noqa: A002
    split: Split = None,
    table: Mapping[str, Any] = MappingProxyType({}),
    task: Optional[str] = None,
) -> tuple[ImageSet, Optional[ImageSet]]:
    """Images to train on, and to validate on if there are any: where `valid` is ``"auto"``, those of ``split`` alone.

    Parameters
    ----------
    x, y, valid, seed, groups, range, split, task
        As `mxtrain` has them.
    table
        Its ``path``, ``label`` and ``root``, which are for ``valid``, too, where that is a table.

    Raises
    ------
    LabelError
        There are no labels, or nothing can be learned from them.
    ArgumentError
        ``valid`` can't be used, or ``split`` tells which images are for validation, too.
    """
    used = {} if isinstance(x, ImageSet) and is_table(valid) else table
    images = mximages(x, y, task=task, groups=groups, range=range, split=split, **used)
    images, validation = _by_parts(images, valid)
    _check_learnable(images)
    if images.range_is_given and not (images.has_numbers or stands_beside_8_bits(images.range)):
        warn(PictureWarning("`range` has no effect: all images are 8-bit, from 0 to 255 by type."))
    if validation is not None:
        return images, validation
    if valid is None or valid is False or is_auto(valid) or (is_number(valid) and valid == 0):
        return images, None
    if isinstance(valid, bool) or is_number(valid):
        return hold_out(images, valid, seed)
    again = groups if isinstance(groups, str) else None
    return images, _kept_aside(images, valid, again, table if is_table(valid) else {})


def _check_learnable(images: ImageSet) -> None:
    if not len(images):
        raise PictureError("There are no images to learn from.")
    if images.labels.task is None or images.y is None:
        raise LabelError(
            "The images have no labels.",
            hint=f"Use one folder per class, or name the column of a table with the labels: {option('label')}.",
        )
    images.labels.task.check_learnable(images.y)


def _by_parts(images: ImageSet, valid: Any) -> tuple[ImageSet, Optional[ImageSet]]:
    """What is for training; and for validation, where the set tells that."""
    if images.parts is None:
        return images, None
    if "training" not in images.parts:
        raise LabelError("No image is for training.", hint='`split` must say "train" for those to learn from.')
    training = images.part("training")
    if "validation" not in images.parts:
        return training, None
    if not is_auto(valid) and not (is_number(valid) and valid == SHARE):
        text = "The images for validation are given twice: by `split` and by `valid`."
        raise ArgumentError(text, hint="Leave `valid` out.")
    return training, images.part("validation")


def is_auto(valid: Any) -> bool:
    """Whether `valid` of `mxtrain` is not given."""
    return isinstance(valid, str) and valid == AUTO


def hold_out(images: ImageSet, valid: float, seed: int) -> tuple[ImageSet, Optional[ImageSet]]:
    """The images in two sets, of which a share validates; if there are too few of them, all of them, and None."""
    if valid is True or not 0 < valid < 1:
        raise ArgumentError(
            f"`valid` must be a share between 0 and 1, images, or {value_text(None)}.",
            [f"it is {value_text(valid)}"],
        )
    train, validation = images.split(float(valid), seed)
    if len(validation) and len(train):
        if images.parts is not None:
            text = f"Of the {len(images)} images for training {len(validation)} are kept for validation."
            progress.current().event("message", text=text)
        if images.groups is not None:
            n, of = len(set(validation.groups or ())), counted(len(set(images.groups)), "group")
            progress.current().event("message", text=f"Validating on {n} of {of}; no group is on both sides.")
        return train, validation
    few = "groups" if images.groups is not None and len(set(images.groups)) < len(images) else "images"
    progress.current().event("message", text=f"There are too few {few} to hold any out for validation.")
    return images, None


def _kept_aside(images: ImageSet, valid: Any, groups: Optional[str], table: Mapping[str, Any]) -> ImageSet:
    settings: dict[str, Any] = {"levels": images.levels or None, "task": images.task, "groups": groups, **table}
    training_range = None if isinstance(valid, ImageSet) else images.range
    validation = mximages(valid, range=training_range, **settings).ranged(images.range)
    if validation.range == images.range:
        scales(validation, "the training images", images.range_is_given)
    if validation.y is None:
        raise LabelError("The validation images have no labels.")
    both = [name if name == there else f"{name} = {there}" for name, there in images.shared(validation)]
    if both:
        text = f"{len(both)} of the validation images are also training images."
        warn(PictureWarning(text, bullets(both), "This makes the validation results too optimistic."))
    groups_across(images, validation)
    return validation
