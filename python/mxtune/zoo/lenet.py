"""LeNet: 20 and 50 filters of 5 x 5, 500 hidden units, tanh: the classic for small grey images."""

from __future__ import annotations

from ..graph import Builder, Graph
from ..images.preprocess import Preprocess
from . import Entry, register


def build(classes: int, size: tuple[int, int], channels: int) -> Graph:  # noqa: ARG001
    """The graph, for images of at least 16 x 16."""
    b = Builder()
    x = b.data()
    for number, filters in enumerate((20, 50), start=1):
        x = b.conv(x, f"conv{number}", filters, kernel=5)
        x = b.act(x, "tanh", f"tanh{number}")
        x = b.pool(x, "max", kernel=2, stride=2, name=f"pool{number}")
    x = b.dense(b.flatten(x, "flatten"), "fc1", 500)
    return b.graph(b.dense(b.act(x, "tanh", "tanh3"), "classifier", classes))


register(
    Entry(
        name="lenet",
        build=build,
        preprocess=Preprocess(  # the mean and spread of MNIST: tanh learns faster around 0
            size=(28, 28), channels=1, mean=(33.3,), std=(78.6,), crop=1.0, interpolation="bilinear"
        ),
        parameters=431_080,
        macs=2_293_000,
        classes=10,
        licence="Apache-2.0",
        url="",
        paper="LeCun et al. 1998, Gradient-based learning applied to document recognition",
    )
)
