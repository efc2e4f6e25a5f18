"""Maps in training with channels of zeros, up to a whole number of oneDNN's blocks."""

from __future__ import annotations

import math

from ....graph import Node
from ...base import Program
from ...passes import Undo, shapes_in, unchanged
from .maps import with_zeros

_BLOCK = 16
_MOST = 1.6  # channels after to channels before: more arithmetic costs more than other memory layouts do


def align_channels(program: Program) -> tuple[Program, Undo]:
    """The program in training whose maps have 16, 32, ... channels, where nothing but zeros is added.

    With other numbers oneDNN 2.4 mixes blocks of 8 and 16 channels: the gradient of BatchNorm then takes a loop for
    reference, two thirds of a step of MobileNetV2, and small convolutions become matrix products.
    """
    graph = program.graph
    if not program.trainable or not any(_is_uneven(node) for node in graph.nodes if node.has_role("convolution")):
        return program, unchanged
    return with_zeros(program, shapes_in(program), _whole_blocks)


def _is_uneven(node: Node) -> bool:
    return bool(node.values.num_filter % _BLOCK)


def _whole_blocks(channels: int, pointwise: bool) -> int:  # noqa: ARG001 - for all kernels
    after = math.ceil(channels / _BLOCK) * _BLOCK
    return after if after <= _MOST * channels else channels
