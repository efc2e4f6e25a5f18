"""MobileNet: depthwise 3 x 3 convolutions, each followed by one of 1 x 1, in four widths."""

from __future__ import annotations

from functools import partial

from ..graph import Entry as Output
from ._gluon import Layers, register_gluon

# channels and stride of each pair of convolutions
PAIRS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
# width: parameters, macs
NETWORKS = {
    "1.0": (4_231_976, 568_740_352),
    "0.75": (2_585_560, 325_400_448),
    "0.5": (1_331_592, 149_497_088),
    "0.25": (470_072, 41_030_272),
}


def write(width: float, b: Layers, x: Output, classes: int) -> Output:
    """The network with `width` times the channels, for images of any size."""
    channels = int(32 * width)
    with b.block("features"):
        x = _conv(b, x, channels, kernel=3, stride=2)
        for full, stride in PAIRS:
            x = _conv(b, x, channels, kernel=3, stride=stride, groups=channels)
            channels = int(full * width)
            x = _conv(b, x, channels)
        x = b.flatten(b.global_pool(x))
    return b.dense(x, classes, place="output")


def _conv(b: Layers, x: Output, channels: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> Output:
    return b.relu(b.batchnorm(b.conv(x, channels, kernel, stride, kernel // 2, groups)))


for _width, (_parameters, _macs) in NETWORKS.items():
    register_gluon(
        f"mobilenet{_width}",
        partial(write, float(_width)),
        parameters=_parameters,
        macs=_macs,
        paper="Howard et al. 2017, MobileNets: efficient convolutional neural networks for mobile vision applications",
    )
