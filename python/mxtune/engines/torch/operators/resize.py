"""Maps made larger or smaller."""

from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its name everywhere

from ....ops import Shape, Values, get
from .base import computes, rule

_RESIZED = get("_contrib_BilinearResize2D", "").shapes


@computes("UpSampling")
def upsampling(first: Tensor, *others: Tensor, scale: int, sample_type: str, multi_input_mode: str) -> Tensor:
    """Each value as a square, of several inputs to one size; or a transposed convolution with the weight given."""
    if sample_type == "bilinear":
        (weight,) = others
        pad = (scale - scale % 2) // 2  # half of what the kernel reaches beyond a step
        return F.conv_transpose2d(first, weight, None, scale, pad, 0, first.shape[1])
    size = tuple(side * scale for side in first.shape[2:])
    maps = [F.interpolate(data, size, mode="nearest-exact") for data in (first, *others)]
    return torch.cat(maps, 1) if multi_input_mode == "concat" else sum(maps[1:], maps[0])


@rule
def _size(
    height: int,
    width: int,
    scale_height: Optional[float],
    scale_width: Optional[float],
    mode: str,
    shapes: tuple[Shape, ...],
) -> Shape:
    values = Values(height=height, width=width, scale_height=scale_height, scale_width=scale_width, mode=mode)
    ((_, _, *size),) = _RESIZED(values, shapes)
    return tuple(size)


@computes("_contrib_BilinearResize2D")
def bilinear(
    data: Tensor,
    *like: Tensor,
    height: int,
    width: int,
    scale_height: Optional[float],
    scale_width: Optional[float],
    mode: str,
    align_corners: bool,
) -> Tensor:
    """Bilinear interpolation to a size, or by scales."""
    shapes = tuple(tuple(maps.shape) for maps in (data, *like))
    size = _size(height, width, scale_height, scale_width, mode, shapes)
    if size == tuple(data.shape[2:]):
        return data
    for axis, side in zip((2, 3), size):
        if side == 1:  # MXNet takes the first row or column
            data = data.narrow(axis, 0, 1)
    return F.interpolate(data, size, mode="bilinear", align_corners=align_corners)
