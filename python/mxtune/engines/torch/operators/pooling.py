"""Pooling over windows, over the whole map, and to a given size.

PyTorch has no padding beyond half a window, and leaves a last window out that would lie in the padding alone; MXNet
has both. There a border is put around the map first.
"""

from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its name everywhere

from ....ops import Shape
from .base import computes
from .reduction import extreme


@computes("Pooling")
def pooling(
    data: Tensor,
    *,
    kernel: Shape,
    pool_type: str,
    global_pool: bool,
    pooling_convention: str,
    stride: Shape,
    pad: Shape,
    count_include_pad: Optional[bool],
) -> Tensor:
    """The largest, the mean or the sum in each window, or in the map."""
    if global_pool:
        return _whole(data, pool_type)
    sides = len(kernel)
    view = _View(kernel, stride or (1,) * sides, pad or (0,) * sides, pooling_convention == "full")
    if sides == 1:  # rows as maps that are 1 high
        row = _View((1, *view.kernel), (1, *view.stride), (0, *view.pad), view.full)
        return _pooled(data.unsqueeze(2), row, pool_type, count_include_pad is not False).squeeze(2)
    return _pooled(data, view, pool_type, count_include_pad is not False)


def _whole(data: Tensor, pool_type: str) -> Tensor:
    axes = tuple(range(2, data.ndim))
    if pool_type == "max":  # unlike amax: of equal values the first has the gradient
        return F.adaptive_max_pool2d(data, 1) if len(axes) == 2 else F.adaptive_max_pool1d(data, 1)
    return data.mean(axes, keepdim=True) if pool_type == "avg" else data.sum(axes, keepdim=True)


class _View:
    """Windows over maps: the last may reach over the edge where the convention is "full"."""

    def __init__(self, kernel: Shape, stride: Shape, pad: Shape, full: bool) -> None:
        self.kernel, self.stride, self.pad, self.full = kernel, stride, pad, full

    def starts(self, axis: int, size: int) -> range:
        """Where windows start along an axis, counted from the map's edge."""
        pad, stride = self.pad[axis], self.stride[axis]
        span = size + 2 * pad - self.kernel[axis]
        return range(-pad, -pad + stride * ((span + stride - 1 if self.full else span) // stride) + 1, stride)

    def fits(self, size: Shape) -> bool:
        """Whether PyTorch has the same windows."""
        if any(2 * p > k for p, k in zip(self.pad, self.kernel)):
            return False
        return not self.full or all(self.starts(axis, n)[-1] < n for axis, n in enumerate(size))

    def border(self, size: Shape) -> tuple[int, ...]:
        """Of all windows around a map: left, right, top, bottom."""
        after = [max(self.starts(a, n)[-1] + self.kernel[a] - n, 0) for a, n in enumerate(size)]
        return self.pad[1], after[1], self.pad[0], after[0]

    def counts(self, axis: int, size: int, with_pad: bool) -> list[int]:
        """How many values a mean along this axis is over: those of the padding, too, but none beyond it."""
        low, high = (-self.pad[axis], size + self.pad[axis]) if with_pad else (0, size)
        kernel = self.kernel[axis]
        return [max(min(start + kernel, high) - max(start, low), 0) for start in self.starts(axis, size)]


def _pooled(data: Tensor, view: _View, pool_type: str, with_pad: bool) -> Tensor:
    size = tuple(data.shape[2:])
    if view.fits(size):
        if pool_type == "max":
            return F.max_pool2d(data, view.kernel, view.stride, view.pad, ceil_mode=view.full)
        divisor = 1 if pool_type == "sum" else None
        return F.avg_pool2d(data, view.kernel, view.stride, view.pad, view.full, with_pad, divisor)
    if pool_type == "max":
        padded = F.pad(data, view.border(size), value=torch.finfo(data.dtype).min)
        return F.max_pool2d(padded, view.kernel, view.stride)
    sums = F.avg_pool2d(F.pad(data, view.border(size)), view.kernel, view.stride, divisor_override=1)
    if pool_type == "sum":
        return sums
    rows, columns = (data.new_tensor(view.counts(axis, n, with_pad)) for axis, n in enumerate(size))
    return sums / (rows[:, None] * columns)


@computes("Pooling_v1")
def pooling_v1(
    data: Tensor,
    *,
    kernel: Shape,
    pool_type: str,
    global_pool: bool,
    pooling_convention: str,
    stride: Shape,
    pad: Shape,
) -> Tensor:
    """As of old: padding is zeros to a maximum, too, all equal values have its gradient, and means are over windows."""
    size = tuple(data.shape[2:])
    if global_pool:
        view = _View(size, (1, 1), (0, 0), False)
    else:
        view = _View(kernel, stride or (1, 1), pad or (0, 0), pooling_convention == "full")
    padded = F.pad(data, view.border(size))
    if pool_type != "max":
        return F.avg_pool2d(padded, view.kernel, view.stride, divisor_override=1 if pool_type == "sum" else None)
    windows = padded.unfold(2, view.kernel[0], view.stride[0]).unfold(3, view.kernel[1], view.stride[1])
    return extreme(windows.amax((-2, -1), keepdim=True), windows).amax((-2, -1))


@computes("_contrib_AdaptiveAvgPooling2D")
def adaptive(data: Tensor, *, output_size: Shape) -> Tensor:
    """Means of parts that may overlap, as many as told."""
    return F.adaptive_avg_pool2d(data, (output_size * 2)[:2] if output_size else 1)
