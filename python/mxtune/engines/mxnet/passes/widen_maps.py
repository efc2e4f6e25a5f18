"""Maps in inference with channels of zeros, up to a number that oneDNN's fastest convolutions take."""

from __future__ import annotations

import math
import os

from .... import machine
from ...base import Program
from ...passes import Undo, shapes_in, unchanged
from .maps import with_zeros

_MOST = 1.34  # channels after to channels before: more arithmetic costs more than other memory layouts do
_IN_48 = 0.95  # from this part of whole blocks of 48 channels on, oneDNN takes such blocks
_CODE = {"avx512f", "avx512bw", "avx512vl", "avx512dq"}  # what these convolutions are made of
_LIMIT = "DNNL_MAX_CPU_ISA"  # oneDNN's own setting
_WITHOUT = ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX512_MIC", "AVX512_MIC_4OPS")


def widen_maps(program: Program) -> tuple[Program, Undo]:
    """The program in inference of whose maps oneDNN's blocks of channels are full, where nothing but zeros is added.

    oneDNN 2.4's fastest convolutions keep the channels of a pixel together. They give channels in blocks of 64, 48, 32
    or 16, whichever it estimates to be best, and fill the kernels of the last one up. MXNet 1.9 has no room for that,
    and takes a slower convolution instead, whose maps have another order: they are reordered before and after.
    That is a sixth of the time of EfficientNet-Lite0, a tenth of MobileNetV2's. Other processors have no such
    convolutions.
    """
    if program.trainable or not _has_blocks():
        return program, unchanged
    return with_zeros(program, shapes_in(program), _in_full_blocks, cuts_averages=True)


def _has_blocks() -> bool:
    """Whether oneDNN takes these convolutions here."""
    return machine.instructions() >= _CODE and os.environ.get(_LIMIT, "").upper() not in _WITHOUT


def _in_full_blocks(channels: int, pointwise: bool) -> int:
    """The least number from this one on of which all blocks are full, whichever size oneDNN chooses."""
    after = channels
    while not _are_full(after, pointwise):
        after += 1
    return after if after <= _MOST * channels else channels


def _are_full(channels: int, pointwise: bool) -> bool:
    in_48 = math.ceil(channels / 48) * 48
    if channels == in_48 or (pointwise and channels >= _IN_48 * in_48):
        return channels == in_48
    return channels % 32 == 0 or channels == 16  # blocks of 32, else, would be best, and one not full
