"""Normalisation by statistics of a batch, a layer, a group, an image, or the neighbours."""

from __future__ import annotations

from typing import Union

import torch
from torch import Tensor

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
    run: Run,
) -> Union[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """By the statistics of the batch in training, by those kept otherwise.

    MXNet keeps the batch's own variance, without Bessel's correction.
    """
    factor = None if fix_gamma else gamma
    own = run.training and not use_global_stats
    stored = (None, None) if own else (moving_mean, moving_var)
    out, mean, deviation = torch.native_batch_norm(data, factor, beta, *stored, own, 0.0, eps)
    if own:
        with torch.no_grad():
            var = deviation**-2 - eps
            run.moved.append((moving_mean, moving_mean * momentum + mean * (1 - momentum)))
            run.moved.append((moving_var, moving_var * momentum + var * (1 - momentum)))
    if not output_mean_var:
        return out
    return out, *((mean, deviation**-2 - eps) if own else stored)
