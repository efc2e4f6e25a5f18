"""Convolutions and their transposes."""

from __future__ import annotations

from typing import Optional

from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its name everywhere

from ....ops import Shape
from .base import computes

_BLOCK = 16
"""Channels from which on oneDNN's scratch memory suffices. With fewer, the gradient of a 1 x 1 kernel with strides, in
maps with channels last, writes beyond it (its issue 6035; in PyTorch 2.13): RepVGG in training ended the process."""


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
    if weight.requires_grad and weight.shape[1] < _BLOCK and weight.shape[2:] == (1, 1) and max(stride, default=1) > 1:
        down, across = pad or (0, 0)  # the kernel reads every other place only: those are taken first
        data = F.pad(data, (across, across, down, down))[:, :, :: stride[0], :: stride[1]]
        stride = pad = ()
    return function(data, weight, bias, stride or 1, pad or 0, dilate or 1, num_group)


@computes("Deconvolution")
def deconvolution(
    data: Tensor,
    weight: Tensor,
    bias: Optional[Tensor] = None,
    *,
    kernel: Shape,
    stride: Shape,
    pad: Shape,
    dilate: Shape,
    num_group: int,
    adj: Shape,
    target_shape: Shape,
) -> Tensor:
    """The transpose of a convolution, whose padding a target shape decides."""
    sides = len(kernel)
    steps, gaps = stride or (1,) * sides, dilate or (1,) * sides
    before, more = pad or (0,) * sides, adj or (0,) * sides
    if any(target_shape):
        reach = (1 + (k - 1) * d for k, d in zip(kernel, gaps))
        cut = [s * (n - 1) + r - t for s, n, r, t in zip(steps, data.shape[2:], reach, target_shape)]
        before, more = tuple((n + 1) // 2 for n in cut), tuple(n % 2 for n in cut)
    function = F.conv_transpose2d if sides == 2 else F.conv_transpose1d
    return function(data, weight, bias, steps, before, more, num_group, gaps)
