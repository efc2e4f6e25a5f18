"""Arrays put together, repeated, stretched and padded."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its name everywhere

from ....ops import Shape
from .base import computes


@computes("Concat")
def concat(*inputs: Tensor, dim: int) -> Tensor:
    """Along an axis."""
    return torch.cat(inputs, dim)


@computes("stack")
def stack(*inputs: Tensor, axis: int) -> Tensor:
    """Along a new axis."""
    return torch.stack(inputs, axis)


_MODES = {"edge": "replicate", "reflect": "reflect"}


@computes("Pad")
def pad(data: Tensor, *, mode: str, pad_width: Shape, constant_value: float) -> Tensor:
    """A border around each map."""
    top, bottom, left, right = pad_width[4:]
    if mode == "constant":
        return F.pad(data, (left, right, top, bottom), value=constant_value)
    return F.pad(data, (left, right, top, bottom), _MODES[mode])


@computes("tile")
def tile(data: Tensor, *, reps: Shape) -> Tensor:
    """The whole array several times along each axis."""
    return data.tile(reps)


@computes("repeat")
def repeat(data: Tensor, *, repeats: int, axis: int) -> Tensor:
    """Each row several times."""
    return data.repeat_interleave(repeats, axis)


@computes("broadcast_to")
def broadcast_to(data: Tensor, *, shape: Shape) -> Tensor:
    """To a shape, in which 0 stands for a side as it is."""
    return data.expand([side or -1 for side in shape])


@computes("broadcast_like")
def broadcast_like(data: Tensor, like: Tensor) -> Tensor:
    """To the shape of another array."""
    return data.expand(like.shape)


@computes("broadcast_axis")
def broadcast_axis(data: Tensor, *, axis: Shape, size: Shape) -> Tensor:
    """Axes of 1, each to a length."""
    sides = [-1] * data.ndim
    for one, side in zip(axis, size):
        sides[one] = side
    return data.expand(sides)
