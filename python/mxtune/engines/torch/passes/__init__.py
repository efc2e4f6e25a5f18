"""What rewrites a program before PyTorch runs it, one file per pass."""

from __future__ import annotations

from collections.abc import Sequence

from ...devices import Device
from ...passes import Pass, absorb_asymmetric_padding, fold_batchnorm
from .fuse_batchnorm import fuse_batchnorm

__all__ = ["PASSES", "passes_for"]

PASSES: tuple[Pass, ...] = (fold_batchnorm, fuse_batchnorm, absorb_asymmetric_padding)
"""In the order in which they are applied."""


def passes_for(devices: Sequence[Device]) -> tuple[Pass, ...]:
    """Those that pay on these devices.

    Padding goes into kernels on CPUs alone: features of EfficientNet-Lite0 take a sixth less time on 2 CPUs. What their
    larger kernels cost on a GPU nobody has measured.
    """
    return PASSES if all(device.kind == "cpu" for device in devices) else PASSES[:-1]
