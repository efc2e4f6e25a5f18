"""The losses of `mxtune.tasks.losses` on PyTorch: numbers to differentiate, computed where the outputs are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Optional

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its name everywhere

from ...tasks.losses import BinaryCrossEntropy, CrossEntropy, Loss, SquaredError
from .arrays import sent

Array = NDArray[Any]


@dataclass(frozen=True)
class Goal:
    """What some outputs should be, on their device: sent before they are computed, as nothing is sent in between."""

    targets: Tensor
    weights: Tensor
    scale: Optional[Tensor]

    @classmethod
    def of(cls, loss: Loss, targets: Array, weights: Array, device: torch.device) -> Goal:
        """For rows with these weights, see `Loss.shares`; in float64 where the device has it."""
        exact = np.float64 if device.type in ("cpu", "cuda") else np.float32  # Apple's have no float64
        kind = np.int64 if np.issubdtype(targets.dtype, np.integer) else exact
        scale = sent(np.asarray(loss.scale, exact), device) if isinstance(loss, SquaredError) else None
        return cls(sent(targets.astype(kind), device), sent(weights.astype(exact), device), scale)


def weighted_loss(loss: Loss, outputs: Tensor, goal: Goal) -> Tensor:
    """The sum of the losses of outputs (N, K), each with its weight."""
    return (goal.weights * _each(loss, outputs.to(goal.weights.dtype), goal)).sum()


@singledispatch
def _each(loss: Loss, outputs: Tensor, goal: Goal) -> Tensor:
    """The loss of each row."""
    raise NotImplementedError(f"PyTorch has not been told of {type(loss).__name__}")


@_each.register
def _(loss: CrossEntropy, outputs: Tensor, goal: Goal) -> Tensor:
    log_p = F.log_softmax(outputs, 1)
    true = log_p.gather(1, goal.targets[:, None])[:, 0]
    return -(1 - loss.smoothing) * true - loss.smoothing * log_p.mean(1)


@_each.register
def _(loss: BinaryCrossEntropy, outputs: Tensor, goal: Goal) -> Tensor:
    each = F.binary_cross_entropy_with_logits(outputs, goal.targets.to(outputs.dtype), reduction="none")
    return each.sum(1) / loss.labels


@_each.register
def _(loss: SquaredError, outputs: Tensor, goal: Goal) -> Tensor:
    return 0.5 * ((outputs - goal.targets) / goal.scale).square().sum(1) / loss.targets
