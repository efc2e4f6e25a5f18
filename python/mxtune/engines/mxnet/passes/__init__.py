"""Passes: from a program to a faster equivalent, with the way back for its parameters. One file per pass.

``freeze_statistics`` is not optional: without it MXNet computes something different.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from ...base import Params, Program
from .absorb_asymmetric_padding import absorb_asymmetric_padding
from .clip_as_relu_min import clip_as_relu_min
from .depthwise_as_matmul import depthwise_as_matmul
from .fold_batchnorm import fold_batchnorm
from .freeze_statistics import freeze_statistics
from .guard_concat import guard_concat
from .guard_fusion import guard_fusion
from .undo import Undo

__all__ = ["PASSES", "Pass", "Undo", "applied", "freeze_statistics"]

Pass = Callable[[Program], tuple[Program, Undo]]
PASSES: tuple[Pass, ...] = (
    fold_batchnorm,
    depthwise_as_matmul,  # before padding is absorbed: it takes zeros before a convolution over by itself
    absorb_asymmetric_padding,
    clip_as_relu_min,
    guard_concat,
    guard_fusion,
)
"""In the order in which they are applied."""


def applied(program: Program, passes: Sequence[Pass]) -> tuple[Program, Undo]:
    """The program after all of these passes, and the way back through all of them."""
    undos: list[Undo] = []
    for rewrite in passes:
        program, undo = rewrite(program)
        undos.append(undo)

    def back(params: Params) -> Params:
        for undo in reversed(undos):
            params = undo(params)
        return params

    return program, back
