"""Gradients as MXNet defines them, where PyTorch would derive others: of losses, and of values that are equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor


def with_slope(value: Tensor, data: Tensor, slope: Tensor) -> Tensor:
    """The value, of which a gradient reaches ``data`` times ``slope``; value and slope broadcast to the data."""
    return _Slope.apply(data, value.detach(), slope.detach())


def with_gradient(value: Tensor, data: Tensor, gradient: Tensor) -> Tensor:
    """The value, whose gradient by ``data`` is the one given, whatever comes from above."""
    return _Gradient.apply(data, value.detach(), gradient.detach())


def clamped(data: Tensor, low: float, high: float) -> Tensor:
    """The values between two bounds, whose gradient passes from one bound to the other, both included.

    As PyTorch's own, whose gradient takes four steps and a third of a training step of EfficientNet-Lite0.
    """
    return _Clamp.apply(data, low, high)


class _Clamp(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(context: Any, data: Tensor, low: float, high: float) -> Tensor:
        context.save_for_backward(data)
        context.outside = [
            float(np.nextafter(np.float32(end), np.float32(to))) for end, to in ((low, -1e38), (high, 1e38))
        ]
        return data.clamp(low, high)

    @staticmethod
    def backward(context: Any, above: Tensor) -> tuple[Tensor, None, None]:
        (data,) = context.saved_tensors
        return torch.ops.aten.hardtanh_backward(above, data, *context.outside), None, None


class _Slope(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(context: Any, _data: Tensor, value: Tensor, slope: Tensor) -> Tensor:
        context.save_for_backward(slope)
        return value.view_as(value)

    @staticmethod
    def backward(context: Any, above: Tensor) -> tuple[Tensor, None, None]:
        (slope,) = context.saved_tensors
        return above * slope, None, None


class _Gradient(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(context: Any, _data: Tensor, value: Tensor, gradient: Tensor) -> Tensor:
        context.save_for_backward(gradient)
        return value.view_as(value)

    @staticmethod
    def backward(context: Any, above: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = context.saved_tensors
        return gradient.expand_as(above), None, None
