"""A leak: validation images that resemble images for training make the figures too optimistic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import PictureWarning
from ..images.findings import warn
from ..tasks import Task
from ..words import counted
from .validation import Validation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


def warn_of(resembling: Array) -> None:
    """Say how many validation images resemble some for training.

    Parameters
    ----------
    resembling
        (N,) bool: a copy, a near-copy or one of their group is to be trained on. Without any there is no warning.

    Warns
    -----
    PictureWarning
        Some do.
    """
    if not resembling.any():
        return
    text = f"{int(resembling.sum())} of {counted(len(resembling), 'validation image')} resemble images for training."
    lines = ["results on them are too optimistic; those on the others are reported, too"]
    if resembling.all():
        lines = ["all of them do: how good the model is on other subjects can't be told"]
    warn(PictureWarning(text, lines, "Use `groups`, or validate on images of other subjects."))


def told(task: Task, figures: Mapping[str, float], y: Array, outputs: Array, resembling: Array) -> str:
    """How good the model is on all validation images, and on those that resemble none for training; or no text."""
    name = task.primary_metric
    rest = _rest(task, y, outputs, resembling)
    return f"{name} on the validation images: {figures[name]:.3g}{rest}." if rest else ""


def corrected(task: Task, validation: Validation) -> str:
    """The figure on validation images that resemble none for training, to follow that on all; or no text."""
    return _rest(task, validation.y, validation.outputs, validation.resembling)


def _rest(task: Task, y: Array, outputs: Array, resembling: Array) -> str:
    if not resembling.any():
        return ""
    if resembling.all():
        return " (too optimistic: all resemble images for training)"
    figure = task.measure(y[~resembling], outputs[~resembling])[task.primary_metric]
    return f" (too optimistic: {figure:.3g} on the {int((~resembling).sum())} that resemble none for training)"
