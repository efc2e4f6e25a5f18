"""Passes that serve several engines: from a program to a faster equivalent. One file per pass; no engine lies here.

``freeze_statistics`` is not optional: without it an engine would compute something different.
"""

from __future__ import annotations

from .absorb_asymmetric_padding import absorb_asymmetric_padding, zeros_before
from .base import Pass, Undo, applied, largest_in, shapes_in, unchanged
from .fold_batchnorm import fold_batchnorm
from .freeze_statistics import freeze_statistics

__all__ = [
    "Pass",
    "Undo",
    "absorb_asymmetric_padding",
    "applied",
    "fold_batchnorm",
    "freeze_statistics",
    "largest_in",
    "shapes_in",
    "unchanged",
    "zeros_before",
]
