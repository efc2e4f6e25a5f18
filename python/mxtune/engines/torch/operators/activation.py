"""Activations: functions of each value by itself; and softmax, which needs its neighbours."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its name everywhere

from .base import computes

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
    return data.clamp(a_min, a_max)
