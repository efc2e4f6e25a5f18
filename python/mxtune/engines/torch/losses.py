"""The losses of `mxtune.tasks.losses` on PyTorch: numbers to differentiate, computed where the outputs are."""

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


def shares(loss: Loss, targets: Array, counts: Array) -> NDArray[np.float64]:
    """How much each row of a batch adds to its mean loss: 1 in sum, or nothing where no row counts."""
    weights = np.asarray(counts, np.float64)
    if isinstance(loss, CrossEntropy) and loss.class_weights is not None:
        weights = weights * np.asarray(loss.class_weights)[targets]
    return np.asarray(weights / max(float(weights.sum()), 1e-12))


def weighted_loss(loss: Loss, outputs: Tensor, targets: Array, weights: Array) -> Tensor:
    """The sum of the losses of rows, each with its weight, in float64 where the device has it.

    Parameters
    ----------
    outputs
        (N, K) of the network.
    targets
        As for `Executor.step`.
    weights
        (N,), see `shares`.
    """
    exact = outputs.float() if outputs.device.type == "mps" else outputs.double()
    each = _each(loss, exact, _beside(exact, targets))
    return (_beside(exact, weights) * each).sum()


def _beside(outputs: Tensor, array: Array) -> Tensor:
    """An array beside the outputs: codes as whole numbers, others as numbers of the same type."""
    kind = torch.int64 if np.issubdtype(array.dtype, np.integer) else outputs.dtype
    return torch.from_numpy(np.array(array)).to(outputs.device, kind)


@singledispatch
def _each(loss: Loss, outputs: Tensor, targets: Tensor) -> Tensor:
    """The loss of each row."""
    raise NotImplementedError(f"PyTorch has not been told of {type(loss).__name__}")


@_each.register
def _(loss: CrossEntropy, outputs: Tensor, targets: Tensor) -> Tensor:
    log_p = F.log_softmax(outputs, 1)
    true = log_p.gather(1, targets[:, None])[:, 0]
    return -(1 - loss.smoothing) * true - loss.smoothing * log_p.mean(1)


@_each.register
def _(loss: BinaryCrossEntropy, outputs: Tensor, targets: Tensor) -> Tensor:
    each = F.binary_cross_entropy_with_logits(outputs, targets.to(outputs.dtype), reduction="none")
    return each.sum(1) / loss.labels


@_each.register
def _(loss: SquaredError, outputs: Tensor, targets: Tensor) -> Tensor:
    scale = outputs.new_tensor(loss.scale)
    return 0.5 * ((outputs - targets) / scale).square().mean(1)
