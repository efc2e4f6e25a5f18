"""Inception v3: branches side by side, in which 1 x 7 and 7 x 1 convolutions take the place of larger ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from ..graph import Entry as Output
from ..graph.builder import Size
from ._gluon import Layers, register_gluon


@dataclass(frozen=True)
class Conv:
    """A convolution, normalised and with ReLU."""

    channels: int
    kernel: Size = 1
    stride: int = 1
    pad: Size = 0


AVG, MAX = "average pooling", "maximum pooling"
Step = Union[Conv, str, list["Step"], tuple["Step", ...]]
"""A layer; or a list, its steps one after the other; or a tuple, its steps side by side."""


def across(channels: int, kernel: int = 7) -> Conv:
    """A convolution of one row."""
    return Conv(channels, (1, kernel), pad=(0, kernel // 2))


def down(channels: int, kernel: int = 7) -> Conv:
    """A convolution of one column."""
    return Conv(channels, (kernel, 1), pad=(kernel // 2, 0))


def module_a(pooled: int) -> Step:
    """Two 3 x 3 convolutions in place of a 5 x 5 one (figure 5 of the paper)."""
    return (
        [Conv(64)],
        [Conv(48), Conv(64, 5, pad=2)],
        [Conv(64), Conv(96, 3, pad=1), Conv(96, 3, pad=1)],
        [AVG, Conv(pooled)],
    )


def module_c(inner: int) -> Step:
    """Rows and columns of 7 (figure 6)."""
    return (
        [Conv(192)],
        [Conv(inner), across(inner), down(192)],
        [Conv(inner), down(inner), across(inner), down(inner), across(192)],
        [AVG, Conv(192)],
    )


MODULE_B: Step = (
    [Conv(384, 3, stride=2)],
    [Conv(64), Conv(96, 3, pad=1), Conv(96, 3, stride=2)],
    [MAX],
)
MODULE_D: Step = (
    [Conv(192), Conv(320, 3, stride=2)],
    [Conv(192), across(192), down(192), Conv(192, 3, stride=2)],
    [MAX],
)
SPLIT: Step = ([across(384, 3)], [down(384, 3)])
MODULE_E: Step = (  # figure 7
    [Conv(320)],
    [[Conv(384)], SPLIT],
    [[Conv(448), Conv(384, 3, pad=1)], SPLIT],
    [AVG, Conv(192)],
)
STEM = (Conv(32, 3, stride=2), Conv(32, 3), Conv(64, 3, pad=1), MAX, Conv(80), Conv(192, 3), MAX)
MODULES = {
    "A1": module_a(32),
    "A2": module_a(64),
    "A3": module_a(64),
    "B": MODULE_B,
    "C1": module_c(128),
    "C2": module_c(160),
    "C3": module_c(160),
    "C4": module_c(192),
    "D": MODULE_D,
    "E1": MODULE_E,
    "E2": MODULE_E,
}


def write(b: Layers, x: Output, classes: int) -> Output:
    """The network, for images of at least 75 x 75."""
    with b.block("features"):
        for step in STEM:
            x = _write(b, x, step)
        for name, module in MODULES.items():
            x = _write(b, x, module, prefix=f"{name}_")
        x = b.dropout(b.global_pool(x))
    return b.dense(x, classes, place="output")


def _write(b: Layers, x: Output, step: Step, prefix: str = "") -> Output:
    if step == AVG:
        return b.avg_pool(x, kernel=3, stride=1, pad=1)
    if step == MAX:
        return b.max_pool(x)
    with b.block(prefix=prefix):
        if isinstance(step, Conv):
            x = b.conv(x, step.channels, step.kernel, step.stride, step.pad)
            return b.relu(b.batchnorm(x, eps=1e-3))
        if isinstance(step, tuple):
            return b.concat([_write(b, x, branch) for branch in step])
        for following in step:
            x = _write(b, x, following)
        return x


register_gluon(
    "inceptionv3",
    write,
    parameters=23_834_568,
    macs=5_713_216_096,
    paper="Szegedy et al. 2016, Rethinking the inception architecture for computer vision",
    size=299,
)
