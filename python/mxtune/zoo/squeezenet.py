"""SqueezeNet: fire modules squeeze to few channels, and expand by 1 x 1 and 3 x 3 convolutions side by side."""

from __future__ import annotations

from functools import partial

from ..graph import Entry as Output
from ._gluon import Layers, register_gluon

# version: channels and kernel of the stem; squeezed channels of the fire modules between poolings; parameters; macs
NETWORKS = {
    "1.0": (96, 7, ((16, 16, 32), (32, 48, 48, 64), (64,)), 1_248_424, 818_924_576),
    "1.1": (64, 3, ((16, 16), (32, 32), (48, 48, 64, 64)), 1_235_496, 349_151_936),
}


def write(stem: int, kernel: int, groups: tuple[tuple[int, ...], ...], b: Layers, x: Output, classes: int) -> Output:
    """The network, for images of at least 29 x 29; its classifier is a convolution."""
    with b.block("features"):
        x = b.relu(b.conv(x, stem, kernel, stride=2, bias=True))
        for group in groups:
            x = b.max_pool(x, ceil=True)
            for squeezed in group:
                x = _fire(b, x, squeezed)
        x = b.dropout(x)
    with b.block("output"):
        return b.flatten(b.global_pool(b.relu(b.conv(x, classes, bias=True))))


def _fire(b: Layers, x: Output, squeezed: int) -> Output:
    with b.block():
        x = _conv(b, x, squeezed)
        with b.block():
            return b.concat([_conv(b, x, 4 * squeezed), _conv(b, x, 4 * squeezed, kernel=3, pad=1)])


def _conv(b: Layers, x: Output, channels: int, kernel: int = 1, pad: int = 0) -> Output:
    with b.block():
        return b.relu(b.conv(x, channels, kernel, pad=pad, bias=True))


for _version, (_stem, _kernel, _groups, _parameters, _macs) in NETWORKS.items():
    register_gluon(
        f"squeezenet{_version}",
        partial(write, _stem, _kernel, _groups),
        parameters=_parameters,
        macs=_macs,
        paper="Iandola et al. 2016, SqueezeNet: AlexNet-level accuracy with 50x fewer parameters",
    )
