"""How images are prepared for the networks of keras.applications, which do that outside of the network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, Optional

from .config import Net


class Application(NamedTuple):
    """A network of keras.applications.

    Parameters
    ----------
    name
        As the file has it: ``"mobilenetv2_1.00_224"``.
    mean, std
        What is subtracted, then divided by, for red, green and blue.
    size
        Of its images, where the file leaves that open.
    blue_first
        Whether it takes blue, green and red.
    """

    name: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    size: int = 224
    blue_first: bool = False


_CAFFE = ((123.68, 116.779, 103.939), (1.0,))
_TENSORFLOW = ((127.5,), (127.5,))
_TORCH = ((0.485 * 255, 0.456 * 255, 0.406 * 255), (0.229 * 255, 0.224 * 255, 0.225 * 255))
_PREPARATIONS = (
    (r"vgg1[69]|resnet(50|101|152)", _CAFFE),
    (r"resnet(50|101|152)v2|xception|inception_v3|inception_resnet_v2|mobilenet(v2)?_\d\.\d\d_\d+|nasnet(_.*)?",
     _TENSORFLOW),
    (r"densenet(121|169|201)", _TORCH),
)  # fmt: skip
_LARGE = {"xception": 299, "inception_v3": 299, "inception_resnet_v2": 299, "nasnet_large": 331}


def application(net: Net) -> Optional[Application]:
    """The network of keras.applications that a network, or the first one inside, is by its name."""
    for name in _names(net):
        for pattern, (mean, std) in _PREPARATIONS:
            if re.fullmatch(pattern, name.lower()):
                return Application(name, mean, std, _LARGE.get(name.lower(), 224), (mean, std) == _CAFFE)
    return None


def _names(net: Net) -> Iterator[str]:
    yield net.name
    for layer in net.layers:
        if layer.net is not None:
            yield layer.name
            yield from _names(layer.net)
