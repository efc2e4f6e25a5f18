"""Sums, means, extremes and norms over axes."""

from __future__ import annotations

from typing import Callable, Optional

import torch
from torch import Tensor

from ....ops import Shape
from ....ops.axes import axes_of
from .base import Compute, computes
from .gradients import with_slope

_Reducer = Callable[[Tensor, Shape], Tensor]
"""Reduces axes, which keep a length of 1."""


def _prod(data: Tensor, axes: Shape) -> Tensor:
    for axis in axes:
        data = data.prod(axis, keepdim=True)
    return data


def extreme(reduced: Tensor, data: Tensor) -> Tensor:
    """A largest or smallest value; all that equal it have its whole gradient."""
    return with_slope(reduced, data, (data == reduced).to(data.dtype))


_REDUCERS: dict[str, _Reducer] = {
    "mean": lambda data, axes: data.mean(axes, keepdim=True),
    "sum": lambda data, axes: data.sum(axes, keepdim=True),
    "max": lambda data, axes: extreme(data.amax(axes, keepdim=True), data),
    "min": lambda data, axes: extreme(data.amin(axes, keepdim=True), data),
    "prod": _prod,
    "nansum": lambda data, axes: data.nansum(axes, keepdim=True),
    "nanprod": lambda data, axes: _prod(torch.where(data.isnan(), 1.0, data), axes),
}


def _reduced(data: Tensor, reducer: _Reducer, axis: Optional[Shape], keepdims: bool, exclude: bool = False) -> Tensor:
    axes = every = tuple(range(data.ndim))
    if axis:
        axes = axes_of(axis, tuple(data.shape))
        axes = tuple(one for one in every if one not in axes) if exclude else axes
    reduced = reducer(data, axes) if axes else data.clone()  # others may write over it
    if keepdims:
        return reduced
    return reduced.reshape([side for one, side in enumerate(reduced.shape) if one not in axes] or [1])


def _by(reducer: _Reducer) -> Compute:
    def by(data: Tensor, *, axis: Optional[Shape], keepdims: bool, exclude: bool) -> Tensor:
        return _reduced(data, reducer, axis, keepdims, exclude)

    return by


for _name, _reducer in _REDUCERS.items():
    computes(_name)(_by(_reducer))


@computes("norm")
def norm(data: Tensor, *, ord: int, axis: Optional[Shape], keepdims: bool) -> Tensor:  # noqa: A002 - MXNet's name
    """The sum of the absolute values, or the root of the sum of the squares."""
    if ord == 1:
        return _reduced(data.abs(), _REDUCERS["sum"], axis, keepdims)
    return _reduced(data.square(), _REDUCERS["sum"], axis, keepdims).sqrt()


def _first(find: Callable[..., Tensor]) -> Compute:
    """The first place of an extreme, as a float; over all axes the place among all values."""

    def first(data: Tensor, *, axis: Optional[int], keepdims: bool) -> Tensor:
        if axis is None:
            return find(data).reshape([1] * data.ndim if keepdims else [1]).to(data.dtype)
        found = find(data, axis, keepdim=keepdims)
        return (found if found.ndim else found.reshape(1)).to(data.dtype)

    return first


computes("argmax")(_first(torch.argmax))
computes("argmin")(_first(torch.argmin))
