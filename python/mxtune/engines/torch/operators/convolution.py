"""Convolutions and their transposes."""

from __future__ import annotations

from typing import Optional

from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its name everywhere

from ....ops import Shape
from .base import computes


@computes("Convolution")
def convolution(
    data: Tensor,
    weight: Tensor,
    bias: Optional[Tensor] = None,
    *,
    stride: Shape,
    pad: Shape,
    dilate: Shape,
    num_group: int,
) -> Tensor:
    """Of maps, or of rows (N, C, W)."""
    function = F.conv2d if data.ndim == 4 else F.conv1d
    return function(data, weight, bias, stride or 1, pad or 0, dilate or 1, num_group)
