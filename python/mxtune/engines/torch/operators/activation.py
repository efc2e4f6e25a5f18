"""Activations: functions of each value by itself; and softmax, which needs its neighbours."""

from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its name everywhere

from ....ops import Shape
from .base import Run, computes
from .gradients import clamped

_ACTIVATIONS = {
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softrelu": F.softplus,
    "softsign": F.softsign,
}


@computes("Activation")
def activation(data: Tensor, *, act_type: str) -> Tensor:
    """One of five, by its name."""
    return _ACTIVATIONS[act_type](data)


for _name in ("relu", "sigmoid", "tanh", "softsign"):
    computes(_name)(_ACTIVATIONS[_name])


@computes("clip")
def clip(data: Tensor, *, a_min: float, a_max: float) -> Tensor:
    """Between two bounds."""
    return clamped(data, a_min, a_max) if data.requires_grad else data.clamp(a_min, a_max)


@computes("LeakyReLU")
def leaky_relu(data: Tensor, gamma: Optional[Tensor] = None, *, act_type: str, slope: float) -> Tensor:
    """What is negative is made smaller: by a number, by one that is learned for each channel, or bent."""
    if gamma is not None:
        return F.prelu(data, gamma)
    if act_type == "elu":
        return F.elu(data, slope)
    if act_type == "selu":
        return F.selu(data)
    return F.gelu(data) if act_type == "gelu" else F.leaky_relu(data, slope)


@computes("hard_sigmoid")
def hard_sigmoid(data: Tensor, *, alpha: float, beta: float) -> Tensor:
    """A line, cut off at 0 and 1."""
    return F.hardtanh(alpha * data + beta, 0.0, 1.0)  # whose gradient is 0 at both ends, unlike clamp's


@computes("Dropout")
def dropout(data: Tensor, *, p: float, mode: str, axes: Shape, run: Run) -> Tensor:
    """Some values are zeros, the others grow; along axes all share one fate. Which, does not depend on how a batch is
    divided: it is drawn for all of it."""
    if p == 0 or not (run.training or mode == "always"):
        return data
    sides = [1 if axis in axes else side for axis, side in enumerate(data.shape)]
    first, end, rows = run.rows or (0, len(data), len(data))
    times, rest = divmod(len(data), end - first)  # rows of the data for each of the batch
    divided = 0 not in axes and not rest
    if divided:
        sides[0] = rows * times
    kept = torch.empty(sides, dtype=data.dtype, device=data.device).bernoulli_(1 - p, generator=run.generator)
    return data * ((kept[first * times : end * times] if divided else kept) / (1 - p))


@computes("softmax")
def softmax(data: Tensor, *, axis: int, temperature: Optional[float]) -> Tensor:
    """Positive numbers that sum up to 1 along an axis."""
    return (data if temperature is None else data / temperature).softmax(axis)


@computes("log_softmax")
def log_softmax(data: Tensor, *, axis: int, temperature: Optional[float]) -> Tensor:
    """Their logarithms."""
    return (data if temperature is None else data / temperature).log_softmax(axis)


@computes("softmin")
def softmin(data: Tensor, *, axis: int, temperature: Optional[float]) -> Tensor:
    """A softmax of the negative values."""
    return (-data if temperature is None else -data / temperature).softmax(axis)


@computes("SoftmaxActivation")
def softmax_activation(data: Tensor, *, mode: str) -> Tensor:
    """Over the channels, or along the last axis."""
    return data.softmax(1 if mode == "channel" else -1)
