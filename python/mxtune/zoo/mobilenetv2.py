"""MobileNetV2: inverted residuals, which expand, convolve depthwise, and project without activation; in four widths."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from ..graph import Entry as Output
from ._gluon import Layers, register_gluon


class Stage(NamedTuple):
    """Blocks of one kind; the first of them has the stride."""

    repeats: int
    stride: int
    expand: int
    channels: int


STAGES = (
    Stage(1, 1, 1, 16),
    Stage(2, 2, 6, 24),
    Stage(3, 2, 6, 32),
    Stage(4, 2, 6, 64),
    Stage(3, 1, 6, 96),
    Stage(3, 2, 6, 160),
    Stage(1, 1, 6, 320),
)
# width: parameters, macs
NETWORKS = {
    "1.0": (3_504_960, 313_619_328),
    "0.75": (2_627_592, 186_650_528),
    "0.5": (1_964_736, 92_271_040),
    "0.25": (1_516_392, 30_480_864),
}


def write(multiplier: float, b: Layers, x: Output, classes: int) -> Output:
    """The network with `multiplier` times the channels, for images of any size; its classifier is a convolution."""
    width, number = int(32 * multiplier), 0
    with b.block("features", prefix="features_"):
        x = b.relu6(_conv(b, x, width, kernel=3, stride=2))
        for stage in STAGES:
            channels = int(stage.channels * multiplier)
            for repeat in range(stage.repeats):
                with b.block(prefix=f"linearbottleneck{number}_"):
                    x = _block(b, x, width, stage.expand, stage.stride if repeat == 0 else 1, channels)
                width, number = channels, number + 1
        x = b.global_pool(b.relu6(_conv(b, x, 1280)))
    with b.block("output", prefix="output_"):
        return b.flatten(b.conv(x, classes, name="pred"))


def _block(b: Layers, x: Output, width: int, expand: int, stride: int, channels: int) -> Output:
    with b.block("out"):
        y = b.relu6(_conv(b, x, width * expand))
        y = b.relu6(_conv(b, y, width * expand, kernel=3, stride=stride, groups=width * expand))
        y = _conv(b, y, channels)
    return b.add(y, x, "add") if stride == 1 and width == channels else y


def _conv(b: Layers, x: Output, channels: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> Output:
    return b.batchnorm(b.conv(x, channels, kernel, stride, kernel // 2, groups))


for _width, (_parameters, _macs) in NETWORKS.items():
    register_gluon(
        f"mobilenetv2_{_width}",
        partial(write, float(_width)),
        parameters=_parameters,
        macs=_macs,
        paper="Sandler et al. 2018, MobileNetV2: inverted residuals and linear bottlenecks",
    )
