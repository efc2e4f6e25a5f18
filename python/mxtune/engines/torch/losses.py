"""The losses of `mxtune.tasks.losses` on PyTorch: a number to differentiate, computed where the outputs are."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its name everywhere

from ...tasks.losses import BinaryCrossEntropy, CrossEntropy, Loss, SquaredError

Array = NDArray[Any]


def mean_loss(loss: Loss, outputs: Tensor, targets: Array, counts: Array) -> Tensor:
    """The mean loss over the rows that count, in float64 where the device has it.

    Parameters
    ----------
    outputs
        (N, K) of the network.
    targets, counts
        As for `Executor.step`.
    """
    exact = outputs.float() if outputs.device.type == "mps" else outputs.double()
    goal, weights = _on(exact, targets), _on(exact, counts).to(exact.dtype)
    each, weights = _each(loss, exact, goal, weights)
    return (weights * each).sum() / weights.sum().clamp_min(1e-12)


def _on(outputs: Tensor, array: Array) -> Tensor:
    """An array beside the outputs: codes as whole numbers, others as numbers of the same type."""
    kind = torch.int64 if np.issubdtype(array.dtype, np.integer) else outputs.dtype
    return torch.from_numpy(np.array(array)).to(outputs.device, kind)


@singledispatch
def _each(loss: Loss, outputs: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """The loss of each row, and how much it counts."""
    raise NotImplementedError(f"PyTorch has not been told of {type(loss).__name__}")


@_each.register
def _(loss: CrossEntropy, outputs: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    if loss.class_weights is not None:
        weights = weights * outputs.new_tensor(loss.class_weights)[targets]
    log_p = F.log_softmax(outputs, 1)
    true = log_p.gather(1, targets[:, None])[:, 0]
    return -(1 - loss.smoothing) * true - loss.smoothing * log_p.mean(1), weights


@_each.register
def _(loss: BinaryCrossEntropy, outputs: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    each = F.binary_cross_entropy_with_logits(outputs, targets.to(outputs.dtype), reduction="none")
    return each.sum(1) / loss.labels, weights


@_each.register
def _(loss: SquaredError, outputs: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    scale = outputs.new_tensor(loss.scale)
    return 0.5 * ((outputs - targets) / scale).square().mean(1), weights
