"""Normalisation by statistics of a batch, a layer, a group, an image, or the neighbours."""

from __future__ import annotations

from typing import Optional, Union

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its name everywhere

from ....ops import Shape
from .base import Run, computes


@computes("BatchNorm", "BatchNorm_v1")
def batchnorm(
    data: Tensor,
    gamma: Tensor,
    beta: Tensor,
    moving_mean: Tensor,
    moving_var: Tensor,
    *,
    eps: float,
    momentum: float,
    fix_gamma: bool,
    use_global_stats: bool,
    output_mean_var: bool,
    axis: Optional[int] = None,
    run: Run,
) -> Union[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """By the statistics of the batch in training, by those kept otherwise.

    MXNet keeps the batch's own variance, without Bessel's correction. The third output is the factor that the
    variance comes to; of BatchNorm_v1, which has no axis, it is the variance.
    """
    own = run.training and not use_global_stats
    stored = (None, None) if own else (moving_mean, moving_var)
    out, mean, factor = torch.native_batch_norm(data, None if fix_gamma else gamma, beta, *stored, own, 0.0, eps)
    if own:
        with torch.no_grad():
            var = factor**-2 - eps
            run.moved.append((moving_mean, moving_mean * momentum + mean * (1 - momentum)))
            run.moved.append((moving_var, moving_var * momentum + var * (1 - momentum)))
    if not output_mean_var:
        return out
    if not own:
        mean, factor = moving_mean, (moving_var + eps).rsqrt()
    return out, mean, factor**-2 - eps if axis is None else factor


def _with_deviation(out: Tensor, data: Tensor, axes: Shape, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """The output with the mean and the deviation over axes that keep a length of 1; these pass no gradient on."""
    var, mean = torch.var_mean(data.detach(), axes, correction=0, keepdim=True)
    return out, mean, (var + eps).sqrt()


@computes("LayerNorm")
def layer_norm(
    data: Tensor, gamma: Tensor, beta: Tensor, *, axis: int, eps: float, output_mean_var: bool
) -> Union[Tensor, tuple[Tensor, ...]]:
    """Along one axis."""
    out = F.layer_norm(data.movedim(axis, -1), gamma.shape, gamma, beta, eps).movedim(-1, axis)
    return _with_deviation(out, data, (axis,), eps) if output_mean_var else out


@computes("GroupNorm")
def group_norm(
    data: Tensor, gamma: Tensor, beta: Tensor, *, num_groups: int, eps: float, output_mean_var: bool
) -> Union[Tensor, tuple[Tensor, ...]]:
    """In groups of channels, each with one factor and one offset."""
    width = data.shape[1] // num_groups
    out = _grouped(data, num_groups, gamma.repeat_interleave(width), beta.repeat_interleave(width), eps)
    if not output_mean_var:
        return out
    _, mean, deviation = _with_deviation(out, data.reshape(len(data), num_groups, -1), (2,), eps)
    return out, mean.squeeze(2), deviation.squeeze(2)


@computes("InstanceNorm")
def instance_norm(data: Tensor, gamma: Tensor, beta: Tensor, *, eps: float) -> Tensor:
    """In each channel of each image."""
    return _grouped(data, data.shape[1], gamma, beta, eps)


def _grouped(data: Tensor, groups: int, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    """What a group of channels becomes, of any layout.

    With channels last, the gradient by factor and offset alone ends the process in PyTorch 2.13.
    """
    if not data.requires_grad and (gamma.requires_grad or beta.requires_grad):
        data = data.contiguous()
    return torch.group_norm(data, groups, gamma, beta, eps)


@computes("L2Normalization")
def l2_normalization(data: Tensor, *, eps: float, mode: str) -> Tensor:
    """To a length of 1: each image, each place over its channels, or each channel over its places."""
    first = {"instance": 1, "channel": 1, "spatial": 2}[mode]
    axes = tuple(range(first, 2 if mode == "channel" else data.ndim))
    squares = data.square()
    return data / ((squares.sum(axes, keepdim=True) if axes else squares) + eps).sqrt()


@computes("LRN")
def lrn(data: Tensor, *, nsize: int, alpha: float, beta: float, knorm: float) -> Tensor:
    """By the squares of the channels around."""
    return F.local_response_norm(data, nsize, alpha, beta, knorm)
