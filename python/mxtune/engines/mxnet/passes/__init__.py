"""Passes of MXNet's own, one file per pass; and all that it applies."""

from __future__ import annotations

from ...passes import Pass, absorb_asymmetric_padding, fold_batchnorm
from .activate_after_pooling import activate_after_pooling
from .align_channels import align_channels
from .average_in_int8 import average_in_int8
from .clip_as_relus import clip_as_relus
from .depthwise_as_matmul import depthwise_as_matmul
from .depthwise_in_columns import depthwise_in_columns
from .guard_concat import guard_concat
from .guard_fusion import guard_fusion
from .means_over_the_edge import means_over_the_edge
from .mirror_maps import mirror_maps
from .widen_maps import widen_maps

__all__ = ["FOR_ONEDNN", "NOT_IN_INT8", "PASSES", "PASSES_IN_INT8"]

PASSES: tuple[Pass, ...] = (
    fold_batchnorm,
    activate_after_pooling,
    mirror_maps,
    depthwise_as_matmul,  # before padding is absorbed: it takes zeros before a convolution over by itself
    absorb_asymmetric_padding,
    means_over_the_edge,
    guard_concat,
    guard_fusion,
    align_channels,  # after all that makes or removes maps
    widen_maps,
    clip_as_relus,  # after that: its maps are not 0 where there is nothing
    depthwise_in_columns,
)
"""In the order in which they are applied."""

FOR_ONEDNN: tuple[Pass, ...] = (align_channels, widen_maps, clip_as_relus, depthwise_in_columns)
"""Those that are for CPUs alone."""

NOT_IN_INT8: tuple[Pass, ...] = (widen_maps,)
"""Those that cost more than they save in int8."""

PASSES_IN_INT8: tuple[Pass, ...] = (average_in_int8,)
"""After those, for what is computed in int8."""
