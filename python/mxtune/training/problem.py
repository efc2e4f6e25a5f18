"""`Problem`: what is learned from which data, the same in every phase of a training run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ..engines import Target
from ..images.loader import Loader
from ..model.quantised import Quantised
from ..tasks import Task
from ..tasks.losses import Loss
from .distributed import Crew
from .folds import Folds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


@dataclass(frozen=True)
class Problem:
    """Images, the task, its loss, and where it is computed.

    ``resembling``, (N,) bool: the validation images that resemble some for training. ``folds``: how the images are
    divided for heads that validate each other. ``before``: images that layers were trained on by a model that is
    continued, as `Validation` knows them. ``int8``: what features in int8 need, where they are computed in it.
    ``crew``: workers that compute features, and train layers.
    """

    train: Loader
    validation: Optional[Loader]
    task: Task
    loss: Loss
    target: Target
    seed: int
    resembling: Optional[NDArray[np.bool_]] = None
    folds: Optional[Folds] = None
    before: frozenset[bytes] = frozenset()
    int8: Optional[Quantised] = None
    crew: Optional[Crew] = None

    @property
    def layers(self) -> Target:
        """Where layers are trained."""
        return divided(self.target, self.crew)

    def targets(self, loader: Loader) -> Array:
        """The labels as the loss takes them: (N,) codes, or (N, K)."""
        return self.task.targets(np.asarray(loader.images.y))

    def score(self, outputs: Array) -> dict[str, Any]:
        """What a row of history records about the outputs for `validation`: the loss, and the primary metric."""
        assert self.validation is not None  # noqa: S101
        return self.scored(np.asarray(self.validation.images.y), outputs)

    def scored(self, y: Array, outputs: Array) -> dict[str, Any]:
        """The same for images with these labels."""
        losses = self.loss.each(outputs.astype(np.float64), self.task.targets(y))
        return {"valid_loss": float(losses.mean()), f"valid_{self.task.primary_metric}": self.task.score(y, outputs)}


def divided(target: Target, crew: Optional[Crew]) -> Target:
    """Where layers are trained: on CPUs by the workers. Each GPU has a process anyway."""
    if crew is None or any(device.kind != "cpu" for device in target.devices):
        return target
    return replace(target, processes=max(1, crew.count), start=crew.start)
