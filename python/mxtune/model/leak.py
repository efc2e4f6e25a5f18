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


def warn_of(task: Task, figures: Mapping[str, float], y: Array, outputs: Array, resembling: Array) -> None:
    """Say how good the model is on all validation images, and on those that resemble none for training.

    Parameters
    ----------
    figures
        The metrics on all of them.
    y, outputs
        Their labels, and the network's outputs for them.
    resembling
        (N,) bool: a copy, a near-copy or one of their group was trained on. Without any there is no warning.

    Warns
    -----
    PictureWarning
        Some do resemble images for training.
    """
    if not resembling.any():
        return
    name, n = task.primary_metric, int((~resembling).sum())
    text = f"{int(resembling.sum())} of {counted(len(y), 'validation image')} resemble images for training."
    lines = [f"{name} on all of them: {figures[name]:.3g}, which is too optimistic"]
    if n:
        rest = task.measure(y[~resembling], outputs[~resembling])[name]
        lines.append(f"{name} on the {n} that resemble none: {rest:.3g}")
    else:
        lines.append("all of them do: how good the model is on other subjects can't be told")
    warn(PictureWarning(text, lines, "Use `groups`, or validate on images of other subjects."))


def corrected(task: Task, validation: Validation) -> str:
    """The figure on validation images that resemble none for training, to follow that on all; or no text."""
    if not validation.resembling.any():
        return ""
    if validation.resembling.all():
        return " (too optimistic: all resemble images for training)"
    rest, name = ~validation.resembling, task.primary_metric
    figure = task.measure(validation.y[rest], validation.outputs[rest])[name]
    return f" (too optimistic: {figure:.3g} on the {int(rest.sum())} that resemble none for training)"
