"""The same values in another shape or order."""

from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor

from ....ops import Shape, Values, get
from ....ops.axes import axes_of
from .base import computes, rule

_RESHAPED = get("Reshape", "").shapes


@computes("Flatten")
def flatten(data: Tensor) -> Tensor:
    """All axes but the first as one."""
    return data.reshape(data.shape[0], -1)


@computes("Reshape")
def reshape(data: Tensor, *, shape: Shape, reverse: bool) -> Tensor:
    """By the codes 0, -1, -2, -3 and -4, which the rule of `ops` reads."""
    return data.reshape(_sides(shape, reverse, tuple(data.shape)))


@rule
def _sides(shape: Shape, reverse: bool, given: Shape) -> Shape:
    (sides,) = _RESHAPED(Values(shape=shape, reverse=reverse), (given,))
    return sides


@computes("reshape_like")
def reshape_like(data: Tensor, like: Tensor) -> Tensor:
    """To the shape of another array."""
    return data.reshape(like.shape)


@computes("transpose")
def transpose(data: Tensor, *, axes: Shape) -> Tensor:
    """Axes in another order; without one, reversed."""
    return data.permute(axes_of(axes, tuple(data.shape)) or tuple(reversed(range(data.ndim))))


@computes("SwapAxis")
def swap(data: Tensor, *, dim1: int, dim2: int) -> Tensor:
    """Two axes change places."""
    return data.transpose(dim1, dim2)


@computes("expand_dims")
def expand_dims(data: Tensor, *, axis: int) -> Tensor:
    """A new axis of 1."""
    return data.unsqueeze(axis)


@computes("squeeze")
def squeeze(data: Tensor, *, axis: Optional[Shape]) -> Tensor:
    """Without axes of 1; one is left where all go."""
    squeezed = data.squeeze() if axis is None else data.squeeze(axis) if axis else data
    return squeezed if squeezed.ndim else squeezed.reshape(1)


@computes("depth_to_space")
def depth_to_space(data: Tensor, *, block_size: int) -> Tensor:
    """Channels become blocks; the place in a block goes before the channel, unlike in PyTorch's pixel_shuffle."""
    batch, channels, height, width = data.shape
    parts = data.reshape(batch, block_size, block_size, channels // block_size**2, height, width)
    return parts.permute(0, 3, 4, 1, 5, 2).reshape(batch, -1, height * block_size, width * block_size)


@computes("space_to_depth")
def space_to_depth(data: Tensor, *, block_size: int) -> Tensor:
    """The way back."""
    batch, channels, height, width = data.shape
    rows, columns = height // block_size, width // block_size
    parts = data.reshape(batch, channels, rows, block_size, columns, block_size)
    return parts.permute(0, 3, 5, 1, 2, 4).reshape(batch, -1, rows, columns)


@computes("reverse")
def reverse(data: Tensor, *, axis: Shape) -> Tensor:
    """Along axes."""
    return torch.flip(data, axis)
