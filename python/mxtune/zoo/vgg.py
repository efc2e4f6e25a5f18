"""VGG: stacks of 3 x 3 convolutions, each on a map of half the size; with batch normalisation or without."""

from __future__ import annotations

from functools import partial

from ..graph import Entry as Output
from ._gluon import Layers, register_gluon

CHANNELS = (64, 128, 256, 512, 512)
# depth: convolutions in each stack; parameters without and with batch normalisation; macs
NETWORKS = {
    11: ((1, 1, 2, 2, 2), (132_863_336, 132_868_840), 7_609_090_048),
    13: ((2, 2, 2, 2, 2), (133_047_848, 133_053_736), 11_308_466_176),
    16: ((2, 2, 3, 3, 3), (138_357_544, 138_365_992), 15_470_264_320),
    19: ((2, 2, 4, 4, 4), (143_667_240, 143_678_248), 19_632_062_464),
}


def write(repeats: tuple[int, ...], normalised: bool, b: Layers, x: Output, classes: int) -> Output:
    """The network, for images of at least 32 x 32."""
    with b.block("features"):
        for channels, number in zip(CHANNELS, repeats):
            for _ in range(number):
                x = b.conv(x, channels, kernel=3, pad=1, bias=True)
                x = b.relu(b.batchnorm(x) if normalised else x)
            x = b.max_pool(x, kernel=2)
        for _ in range(2):
            x = b.dropout(b.own_relu(b.dense(x, 4096)))
    return b.dense(x, classes, place="output")


for _depth, (_repeats, _parameters, _macs) in NETWORKS.items():
    for _normalised, _suffix in enumerate(("", "_bn")):
        register_gluon(
            f"vgg{_depth}{_suffix}",
            partial(write, _repeats, bool(_normalised)),
            parameters=_parameters[_normalised],
            macs=_macs,
            paper="Simonyan and Zisserman 2015, Very deep convolutional networks for large-scale image recognition",
        )
