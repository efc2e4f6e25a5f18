"""AlexNet: five convolutions and two wide dense layers, in the form for one GPU."""

from __future__ import annotations

from ..graph import Entry as Output
from ._gluon import Layers, register_gluon


def write(b: Layers, x: Output, classes: int) -> Output:
    """The network, for images of at least 63 x 63."""
    with b.block("features"):
        x = b.own_relu(b.conv(x, 64, kernel=11, stride=4, pad=2, bias=True))
        x = b.own_relu(b.conv(b.max_pool(x), 192, kernel=5, pad=2, bias=True))
        x = b.max_pool(x)
        for channels in (384, 256, 256):
            x = b.own_relu(b.conv(x, channels, kernel=3, pad=1, bias=True))
        x = b.flatten(b.max_pool(x))
        for _ in range(2):
            x = b.dropout(b.own_relu(b.dense(x, 4096)))
    return b.dense(x, classes, place="output")


register_gluon(
    "alexnet",
    write,
    parameters=61_100_840,
    macs=714_188_480,
    paper="Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks",
)
