"""Operators that can write over their first input, where nobody reads it any more and no gradient is to be taken.

Memory that is used again needs not be cleared by the system and lies in the CPU's cache. Which input may be written
over, the runner decides: one that an operator of `OWNERS` made, and that nobody else can see.
"""

from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor

from .activation import leaky_relu as bent
from .base import writes

OWNERS = frozenset({
    "Activation", "BatchNorm", "BatchNorm_v1", "Concat", "Convolution", "Deconvolution", "FullyConnected", "Pooling",
    "_contrib_AdaptiveAvgPooling2D", "_mul_scalar", "_plus_scalar", "broadcast_add", "broadcast_mul", "clip",
    "elemwise_add", "elemwise_mul", "hard_sigmoid", "mean", "relu", "sigmoid", "tanh",
})  # fmt: skip
"""Operators whose output is memory of its own, never a view of an input."""
UNREAD = frozenset({
    "BatchNorm", "BatchNorm_v1", "Convolution", "Deconvolution", "FullyConnected", "broadcast_add", "elemwise_add",
})  # fmt: skip
"""Those of them whose gradient does not depend on their output."""
_ACTIVATIONS = {"relu": torch.relu_, "sigmoid": torch.sigmoid_, "tanh": torch.tanh_}


@writes("Activation")
def activation(data: Tensor, *, act_type: str) -> Tensor:
    """One by its name, if it has such a form."""
    function = _ACTIVATIONS.get(act_type)
    if function is not None:
        return function(data)
    return torch.nn.functional.softplus(data) if act_type == "softrelu" else torch.nn.functional.softsign(data)


for _name, _function in _ACTIVATIONS.items():
    writes(_name)(_function)


@writes("clip")
def clip(data: Tensor, *, a_min: float, a_max: float) -> Tensor:
    """Between two bounds."""
    return data.clamp_(a_min, a_max)


@writes("LeakyReLU")
def leaky_relu(data: Tensor, gamma: Optional[Tensor] = None, *, act_type: str, slope: float) -> Tensor:
    """GELU, of all its forms, in place."""
    return torch.ops.aten.gelu_(data) if act_type == "gelu" else bent(data, gamma, act_type=act_type, slope=slope)


@writes("elemwise_add")
def add(lhs: Tensor, rhs: Tensor) -> Tensor:
    """The sum."""
    return lhs.add_(rhs) if lhs.dtype == rhs.dtype else lhs + rhs


@writes("elemwise_mul", "broadcast_mul")
def multiply(lhs: Tensor, rhs: Tensor) -> Tensor:
    """The product, in place where the first factor is as large as it."""
    fits = lhs.dtype == rhs.dtype and lhs.shape == torch.broadcast_shapes(lhs.shape, rhs.shape)
    return lhs.mul_(rhs) if fits else lhs * rhs
