"""Prediction sets: all that an image may be, so that the truth is among it as often as was asked for.

Split-conformal (Vovk, Gammerman and Shafer, 2005): what fits no worse than the truth did for that share of images that
were not trained on, out of fold (cross-conformal: Vovk, 2015) or kept for validation.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import progress
from ..arguments import is_number
from ..calls import option, value_text
from ..errors import ArgumentError
from ..tasks import Task
from .validation import Validation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

LEVEL = 0.9


def check(task: Task, validation: Validation, kind: str, level: Any, abstain: Any) -> None:
    """Refuse what `Model.predict` can't do, before its work.

    Raises
    ------
    ArgumentError
        A number is not one between 0 and 1, or there is nothing to make sets from, or no class to abstain from.
    """
    for name, value in (("level", level), ("abstain", abstain)):
        if value is not None and not (is_number(value) and 0 < value < 1):
            raise ArgumentError(f"`{name}` must be above 0 and below 1.", [f"it is {value_text(value)}"])
    if kind == "set":
        _check_remembered(validation)
    elif level not in (None, LEVEL):
        text = f"`level` is for sets: {option('type', 'set')}."
        raise ArgumentError(text, [f"`type` is {value_text(kind)}"])
    if abstain is None:
        return
    nothing = np.zeros((0, task.outputs))
    task.abstaining(task.predictions(nothing, "class", nothing.any(axis=1)), nothing, abstain)
    if kind not in ("class", "prob"):
        raise ArgumentError("`abstain` is for classes and their probabilities.", [f"`type` is {value_text(kind)}"])


def sets(task: Task, validation: Validation, outputs: Array, level: float, good: Array) -> dict[str, Any]:
    """Columns of a data frame: see `Model.predict`. How large they are on average is a message."""
    limits = limits_for(task, validation, level)
    size = task.size_of_sets(validation.outputs, limits)
    progress.current().event("message", text=f"Sets that hold the truth of {100 * level:g} % of images: {size}.")
    return task.sets(outputs, limits, good)


def limits_for(task: Task, validation: Validation, level: float) -> Array:
    """The worst misfit within a set, (J,): infinite, so that all is in it, where there are too few images to tell.

    Raises
    ------
    ArgumentError
        The model remembers no images that it did not train on.
    """
    _check_remembered(validation)
    own = ~validation.resembling if not validation.resembling.all() else np.ones(len(validation), bool)
    misfits = np.sort(task.misfits(validation.y[own], validation.outputs[own]), axis=0)
    rank = math.ceil((len(misfits) + 1) * level - 1e-9)
    return np.asarray(misfits[rank - 1] if rank <= len(misfits) else np.full(misfits.shape[1], np.inf))


def _check_remembered(validation: Validation) -> None:
    if not len(validation):
        hint = f"Train it with {option('folds', 5)} or {option('valid', 0.2)}."
        raise ArgumentError("The model remembers no images that it was not trained on, as sets need.", hint=hint)
