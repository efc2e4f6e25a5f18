"""What rewrites a program before PyTorch runs it, one file per pass."""

from __future__ import annotations

from ...passes import Pass, fold_batchnorm
from .fuse_batchnorm import fuse_batchnorm

__all__ = ["PASSES"]

PASSES: tuple[Pass, ...] = (fold_batchnorm, fuse_batchnorm)
"""In the order in which they are applied."""
