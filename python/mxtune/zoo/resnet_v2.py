"""ResNet, second form: normalisation and ReLU stand before each convolution, and the sums are left as they are."""

from __future__ import annotations

from functools import partial

from ..graph import Entry as Output
from ._gluon import Layers, register_gluon
from .resnet import Depth

NETWORKS = {
    18: Depth((2, 2, 2, 2), False, 11_687_854, 1_814_073_344),
    34: Depth((3, 4, 6, 3), False, 21_796_014, 3_663_761_408),
    50: Depth((3, 4, 6, 3), True, 25_549_486, 4_089_184_256),
    101: Depth((3, 4, 23, 3), True, 44_541_614, 7_801_405_440),
    152: Depth((3, 8, 36, 3), True, 60_185_262, 11_513_626_624),
}


def write(depth: Depth, b: Layers, x: Output, classes: int) -> Output:
    """The network, for images of any size."""
    block = _bottleneck if depth.bottleneck else _basic
    with b.block("features"):
        x = b.batchnorm(x, scale=False)
        x = b.relu(b.batchnorm(b.conv(x, 64, kernel=7, stride=2, pad=3)))
        x, width = b.max_pool(x, pad=1), 64
        for stage, repeats in enumerate(depth.repeats):
            channels = (256 if depth.bottleneck else 64) * 2**stage
            with b.block(prefix=f"stage{stage + 1}_"):
                for repeat in range(repeats):
                    stride = 2 if stage > 0 and repeat == 0 else 1
                    with b.block():
                        x = block(b, x, channels, stride, projected=width != channels)
                    width = channels
        x = b.flatten(b.global_pool(b.relu(b.batchnorm(x))))
    return b.dense(x, classes, place="output")


def _basic(b: Layers, x: Output, channels: int, stride: int, projected: bool) -> Output:
    start = _activated(b, x, "bn1")
    y = b.conv(start, channels, kernel=3, stride=stride, pad=1, place="conv1")
    y = b.conv(_activated(b, y, "bn2"), channels, kernel=3, pad=1, place="conv2")
    return b.add(y, b.conv(start, channels, stride=stride, place="downsample") if projected else x)


def _bottleneck(b: Layers, x: Output, channels: int, stride: int, projected: bool) -> Output:
    start = _activated(b, x, "bn1")
    y = b.conv(start, channels // 4, place="conv1")
    y = b.conv(_activated(b, y, "bn2"), channels // 4, kernel=3, stride=stride, pad=1, place="conv2")
    y = b.conv(_activated(b, y, "bn3"), channels, place="conv3")
    return b.add(y, b.conv(start, channels, stride=stride, place="downsample") if projected else x)


def _activated(b: Layers, x: Output, place: str) -> Output:
    return b.relu(b.batchnorm(x, place=place), kind="activation")


for _number, _depth in NETWORKS.items():
    register_gluon(
        f"resnet{_number}_v2",
        partial(write, _depth),
        parameters=_depth.parameters,
        macs=_depth.macs,
        paper="He et al. 2016, Identity mappings in deep residual networks",
    )
