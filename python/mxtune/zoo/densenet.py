"""DenseNet: each layer takes the maps of all layers before it in its stage; transitions halve channels and size."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from ..graph import Entry as Output
from ._gluon import Layers, register_gluon


class Depth(NamedTuple):
    """Channels of the stem and of each layer, and the layers of each stage."""

    stem: int
    growth: int
    repeats: tuple[int, int, int, int]
    parameters: int
    macs: int


NETWORKS = {
    121: Depth(64, 32, (6, 12, 24, 16), 7_978_856, 2_834_161_664),
    161: Depth(96, 48, (6, 12, 36, 24), 28_681_000, 7_727_907_072),
    169: Depth(64, 32, (6, 12, 32, 32), 14_149_480, 3_359_843_328),
    201: Depth(64, 32, (6, 12, 48, 32), 20_013_928, 4_291_365_888),
}


def write(depth: Depth, b: Layers, x: Output, classes: int) -> Output:
    """The network, for images of at least 29 x 29."""
    width = depth.stem
    with b.block("features"):
        x = b.relu(b.batchnorm(b.conv(x, width, kernel=7, stride=2, pad=3)))
        x = b.max_pool(x, pad=1)
        for stage, repeats in enumerate(depth.repeats, start=1):
            with b.block(prefix=f"stage{stage}_"):
                for _ in range(repeats):
                    x = _layer(b, x, depth.growth)
            width += repeats * depth.growth
            if stage < len(depth.repeats):
                width //= 2
                x = _transition(b, x, width)
        x = b.flatten(b.global_pool(b.relu(b.batchnorm(x))))
    return b.dense(x, classes, place="output")


def _layer(b: Layers, x: Output, growth: int) -> Output:
    with b.block():
        with b.block("1"):  # next to the identity, which is 0
            y = b.conv(b.relu(b.batchnorm(x)), 4 * growth)
            y = b.conv(b.relu(b.batchnorm(y)), growth, kernel=3, pad=1)
        return b.concat([x, y])


def _transition(b: Layers, x: Output, channels: int) -> Output:
    with b.block():
        return b.avg_pool(b.conv(b.relu(b.batchnorm(x)), channels), kernel=2, stride=2)


for _number, _depth in NETWORKS.items():
    register_gluon(
        f"densenet{_number}",
        partial(write, _depth),
        parameters=_depth.parameters,
        macs=_depth.macs,
        paper="Huang et al. 2017, Densely connected convolutional networks",
    )
