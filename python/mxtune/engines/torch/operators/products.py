"""Products of matrices: dense layers, dot, batch_dot, and the lookup of rows."""

from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its name everywhere

from .base import computes


@computes("FullyConnected")
def dense(data: Tensor, weight: Tensor, bias: Optional[Tensor] = None, *, flatten: bool) -> Tensor:
    """Of each row, or of the last axis."""
    return F.linear(data.reshape(len(data), -1) if flatten else data, weight, bias)


@computes("dot")
def dot(lhs: Tensor, rhs: Tensor, *, transpose_a: bool, transpose_b: bool) -> Tensor:
    """The last axis of the left by the first of the right; a transpose takes the axis at the other end."""
    return torch.tensordot(lhs, rhs, ([0 if transpose_a else -1], [-1 if transpose_b else 0]))


@computes("batch_dot")
def batch_dot(lhs: Tensor, rhs: Tensor, *, transpose_a: bool, transpose_b: bool) -> Tensor:
    """Matrices, pair by pair."""
    return torch.matmul(lhs.mT if transpose_a else lhs, rhs.mT if transpose_b else rhs)


@computes("Embedding")
def embedding(data: Tensor, weight: Tensor, *, input_dim: int) -> Tensor:
    """Rows by their numbers, which are clipped."""
    return F.embedding(data.detach().long().clamp(0, input_dim - 1), weight)
