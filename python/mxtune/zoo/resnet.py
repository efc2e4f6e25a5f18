"""ResNet, first form: each block adds what it computes to its input, then takes the ReLU of the sum."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from ..graph import Entry as Output
from ._gluon import Layers, register_gluon


class Depth(NamedTuple):
    """Blocks of each stage; if a block is a bottleneck of three convolutions, not two."""

    repeats: tuple[int, int, int, int]
    bottleneck: bool
    parameters: int
    macs: int


NETWORKS = {
    18: Depth((2, 2, 2, 2), False, 11_689_512, 1_814_073_344),
    34: Depth((3, 4, 6, 3), False, 21_797_672, 3_663_761_408),
    50: Depth((3, 4, 6, 3), True, 25_575_912, 3_857_973_248),
    101: Depth((3, 4, 23, 3), True, 44_589_800, 7_570_194_432),
    152: Depth((3, 8, 36, 3), True, 60_252_648, 11_282_415_616),
}


def write(depth: Depth, b: Layers, x: Output, classes: int) -> Output:
    """The network, for images of any size."""
    block = _bottleneck if depth.bottleneck else _basic
    with b.block("features"):
        x = b.relu(b.batchnorm(b.conv(x, 64, kernel=7, stride=2, pad=3)))
        x, width = b.max_pool(x, pad=1), 64
        for stage, repeats in enumerate(depth.repeats):
            channels = (256 if depth.bottleneck else 64) * 2**stage
            with b.block(prefix=f"stage{stage + 1}_"):
                for repeat in range(repeats):
                    stride = 2 if stage > 0 and repeat == 0 else 1
                    with b.block():
                        x = b.relu(block(b, x, channels, stride, projected=width != channels), kind="activation")
                    width = channels
        x = b.global_pool(x)
    return b.dense(x, classes, place="output")


def _basic(b: Layers, x: Output, channels: int, stride: int, projected: bool) -> Output:
    with b.block("body"):
        y = b.relu(b.batchnorm(b.conv(x, channels, kernel=3, stride=stride, pad=1)))
        y = b.batchnorm(b.conv(y, channels, kernel=3, pad=1))
    return b.add(_projection(b, x, channels, stride) if projected else x, y)


def _bottleneck(b: Layers, x: Output, channels: int, stride: int, projected: bool) -> Output:
    with b.block("body"):  # Gluon has biases here, though batch normalisation takes them off again
        y = b.relu(b.batchnorm(b.conv(x, channels // 4, stride=stride, bias=True)))
        y = b.relu(b.batchnorm(b.conv(y, channels // 4, kernel=3, pad=1)))
        y = b.batchnorm(b.conv(y, channels, bias=True))
    return b.add(y, _projection(b, x, channels, stride) if projected else x)


def _projection(b: Layers, x: Output, channels: int, stride: int) -> Output:
    with b.block("downsample"):
        return b.batchnorm(b.conv(x, channels, stride=stride))


for _number, _depth in NETWORKS.items():
    register_gluon(
        f"resnet{_number}_v1",
        partial(write, _depth),
        parameters=_depth.parameters,
        macs=_depth.macs,
        paper="He et al. 2016, Deep residual learning for image recognition",
    )
