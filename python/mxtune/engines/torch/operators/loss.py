"""Losses that end a network: probabilities or values, whose gradient is the loss's own, whatever comes from above."""

from __future__ import annotations

from typing import Callable

import torch
from torch import Tensor

from .base import Compute, computes
from .gradients import with_gradient, with_slope


@computes("SoftmaxOutput")
def softmax_output(
    data: Tensor,
    label: Tensor,
    *,
    grad_scale: float,
    ignore_label: float,
    multi_output: bool,
    use_ignore: bool,
    preserve_shape: bool,
    normalization: str,
    out_grad: bool,
    smooth_alpha: float,
) -> Tensor:
    """Probabilities, with the gradient of their cross-entropy."""
    rows = data if multi_output else data.flatten(0, -2) if preserve_shape else data.flatten(1)
    rows = rows.flatten(2) if rows.ndim > 2 else rows.unsqueeze(2)  # (N, classes, places)
    p = rows.detach().softmax(1)
    labels, classes = label.detach().long().reshape(-1), p.shape[1]
    codes = labels[: len(p) * p.shape[2]].reshape(len(p), 1, p.shape[2])
    hot = (codes == torch.arange(classes, device=data.device)[:, None]).to(p.dtype)
    if smooth_alpha and not multi_output:
        hot = torch.where(hot > 0, 1 - smooth_alpha, smooth_alpha / max(classes - 1, 1))
    slope = (p - hot) * grad_scale
    if use_ignore:
        slope = slope * (codes != int(ignore_label))
    if normalization == "valid":
        slope = slope / (labels != int(ignore_label)).sum().clamp(min=1)
    else:
        count = len(data) if multi_output else label.numel()
        slope = slope / (p.shape[2] * (count if normalization == "batch" else 1))
    return (with_slope if out_grad else with_gradient)(p.reshape(data.shape), data, slope.reshape(data.shape))


@computes("SVMOutput")
def svm_output(
    data: Tensor, label: Tensor, *, margin: float, regularization_coefficient: float, use_linear: bool
) -> Tensor:
    """The values, with the gradient of the hinge loss, or of its square."""
    with torch.no_grad():
        codes = label.long().reshape(-1, 1)
        rows = data.reshape(len(codes), -1)
        sign = torch.where(codes == torch.arange(rows.shape[1], device=data.device), -1.0, 1.0)
        short = margin + sign * rows  # of the margin
        size = (short > 0).to(data.dtype) if use_linear else 2 * short.clamp(min=0)
        gradient = (sign * size * regularization_coefficient).reshape(data.shape)
    return with_gradient(data, data, gradient)


def _sign(error: Tensor) -> Tensor:
    """1 where the value is too large, -1 elsewhere: there is no 0."""
    return torch.where(error > 0, 1.0, -1.0)


def _regression(link: Callable[[Tensor], Tensor], slope: Callable[[Tensor], Tensor]) -> Compute:
    def output(data: Tensor, label: Tensor, *, grad_scale: float) -> Tensor:
        with torch.no_grad():
            linked = link(data)
            gradient = slope(linked - label.reshape(data.shape)) * (grad_scale * len(label) / label.numel())
        return with_gradient(linked, data, gradient)

    return output


computes("LinearRegressionOutput")(_regression(lambda data: data, lambda error: error))
computes("LogisticRegressionOutput")(_regression(torch.sigmoid, lambda error: error))
computes("MAERegressionOutput")(_regression(lambda data: data, _sign))


@computes("MakeLoss")
def make_loss(data: Tensor, *, grad_scale: float, valid_thresh: float, normalization: str) -> Tensor:
    """The values, which are a loss: their gradient is a constant."""
    count = data.new_ones(())
    if normalization == "batch":  # all axes but the last are one to MXNet
        count = count * (data.numel() // data.shape[-1])
    elif normalization == "valid":
        count = (data.detach() > valid_thresh).sum().clamp(min=1)
    return with_gradient(data, data, grad_scale / count)


@computes("make_loss")
def ones(data: Tensor) -> Tensor:
    """The values, each with a gradient of 1."""
    return with_gradient(data, data, data.new_ones(()))
