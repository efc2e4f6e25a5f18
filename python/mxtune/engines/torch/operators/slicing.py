"""Parts of an array: slices, crops, splits, rows by number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional, Union

import torch
from torch import Tensor

from ....ops import Shape
from ....ops.axes import axes_of, axis_of
from .base import computes

_Ends = Sequence[Optional[int]]


def _part(data: Tensor, axis: int, part: slice) -> Tensor:
    return data[(slice(None),) * axis + (part,)]


@computes("slice")
def sliced(data: Tensor, *, begin: _Ends, end: _Ends, step: _Ends) -> Tensor:
    """As Python slices, also backwards, which PyTorch does not."""
    for axis, ends in enumerate(zip(begin, end, step or (None,) * len(begin))):
        places = range(*slice(*ends).indices(data.shape[axis]))
        if places.step > 0:
            data = _part(data, axis, slice(places.start, places.stop, places.step))
        else:
            data = _part(data, axis, slice(places[-1], places[0] + 1, -places.step)).flip(axis)
    return data


@computes("slice_axis")
def slice_axis(data: Tensor, *, axis: int, begin: int, end: Optional[int]) -> Tensor:
    """A slice of one axis."""
    return _part(data, axis_of(axis, tuple(data.shape)), slice(begin, end))


@computes("slice_like")
def slice_like(data: Tensor, like: Tensor, *, axes: Shape) -> Tensor:
    """The beginning, as long as another array."""
    for axis in axes_of(axes, tuple(data.shape)) or range(data.ndim):
        data = data.narrow(axis, 0, like.shape[axis])
    return data


@computes("Crop")
def crop(data: Tensor, *like: Tensor, offset: Shape, h_w: Shape, center_crop: bool) -> Tensor:
    """A part of each map, as large as those of another array or as told."""
    size = like[0].shape[2:] if like else h_w
    start = [(whole - part) // 2 for whole, part in zip(data.shape[2:], size)] if center_crop else offset
    for axis in (0, 1):
        data = data.narrow(2 + axis, start[axis], size[axis])
    return data


@computes("SliceChannel")
def split(data: Tensor, *, num_outputs: int, axis: int, squeeze_axis: bool) -> Union[Tensor, tuple[Tensor, ...]]:
    """Equal parts along an axis, which may go."""
    parts = data.unbind(axis) if squeeze_axis else data.split(data.shape[axis] // num_outputs, axis)
    return parts if len(parts) > 1 else parts[0]


def _within(index: Tensor, count: int, mode: str) -> Tensor:
    """Whole numbers from 0 to below ``count``."""
    places = index.detach().long()
    return places.remainder(count) if mode == "wrap" else places.clamp(0, count - 1)


@computes("take")
def take(data: Tensor, indices: Tensor, *, axis: int, mode: str) -> Tensor:
    """Rows by their numbers, along an axis."""
    axis = axis_of(axis, tuple(data.shape))
    rows = data.index_select(axis, _within(indices, data.shape[axis], mode).reshape(-1))
    return rows.reshape(data.shape[:axis] + indices.shape + data.shape[axis + 1 :])


@computes("pick")
def pick(data: Tensor, index: Tensor, *, axis: int, keepdims: bool, mode: str) -> Tensor:
    """One value of each row along an axis."""
    axis = axis_of(axis, tuple(data.shape))
    left, right = data.shape[:axis], data.shape[axis + 1 :]
    places = _within(index, data.shape[axis], mode).reshape((*left, 1, *right))
    picked = data.gather(axis, places)
    return picked if keepdims else picked.reshape((*left, *right) or (1,))


@computes("one_hot")
def one_hot(indices: Tensor, *, depth: int, on_value: float, off_value: float) -> Tensor:
    """A new last axis with one value at the index, another elsewhere."""
    hot = indices.detach().long().unsqueeze(-1) == torch.arange(depth, device=indices.device)
    return torch.where(hot, on_value, off_value).to(indices.dtype)


@computes("topk")
def topk(data: Tensor, *, axis: int, k: int, ret_typ: str, is_ascend: bool) -> Union[Tensor, tuple[Tensor, Tensor]]:
    """The largest or smallest values along an axis, where they lie, or a mask of them."""
    places = data.detach().argsort(stable=True, dim=axis, descending=not is_ascend).narrow(axis, 0, k)
    if ret_typ == "mask":
        return torch.zeros_like(data).scatter(axis, places, 1.0)
    if ret_typ == "indices":
        return places.to(data.dtype)
    values = data.gather(axis, places)
    return (values, places.to(data.dtype)) if ret_typ == "both" else values
