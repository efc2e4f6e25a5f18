"""What the networks of Gluon's model zoo have in common: how Gluon names layers, and what its files call parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Callable, Optional

from ..formats.names import NameTable
from ..graph import Builder, Graph
from ..graph import Entry as Output
from ..graph.builder import Size
from . import Entry, imagenet, register

URL = "https://mxnet.apache.org/versions/1.9.1/api/python/docs/api/gluon/model_zoo/index.html"


class Layers:
    """Writes layers under the names that Gluon gives them, and notes where its blocks keep their parameters.

    Gluon counts layers of a kind below each prefix (``stage1_conv0``). Files of ``save_parameters`` hold a layer's
    place in the tree of blocks instead (``features.4.0.body.0``): at each step a name, or a number among the children.

    Attributes
    ----------
    names
        For each parameter, what the files of ``save_parameters`` call it.
    """

    def __init__(self) -> None:
        self._builder = Builder()
        self._counts: Counter[str] = Counter()
        self._prefix = ""
        self._place: tuple[str, ...] = ()
        self._children = 0
        self.names: dict[str, str] = {}

    @contextmanager
    def block(self, name: Optional[str] = None, prefix: str = "") -> Iterator[None]:
        """The layers written inside are the children of one block, their names begin with `prefix`."""
        place = self._next_place(name)
        outer = self._place, self._children, self._prefix
        self._place, self._children, self._prefix = place, 0, self._prefix + prefix
        yield
        self._place, self._children, self._prefix = outer

    def _next_place(self, name: Optional[str]) -> tuple[str, ...]:
        place = (*self._place, name or str(self._children))
        self._children += name is None
        return place

    def _next_name(self, kind: str) -> str:
        kind = self._prefix + kind
        self._counts[kind] += 1
        return f"{kind}{self._counts[kind] - 1}"

    def _note(self, name: str, place: tuple[str, ...], *slots: str) -> None:
        for slot in slots:
            self.names[f"{name}_{slot}"] = ".".join((*place, slot.replace("moving", "running")))

    def conv(
        self,
        x: Output,
        channels: int,
        kernel: Size = 1,
        stride: Size = 1,
        pad: Size = 0,
        groups: int = 1,
        bias: bool = False,
        place: Optional[str] = None,
        name: Optional[str] = None,
    ) -> Output:
        """A convolution."""
        name = self._prefix + name if name else self._next_name("conv")
        self._note(name, self._next_place(place), "weight", *["bias"] * bias)
        return self._builder.conv(x, name, channels, kernel, stride, pad, groups, bias)

    def batchnorm(self, x: Output, eps: float = 1e-5, scale: bool = True, place: Optional[str] = None) -> Output:
        """Batch normalisation."""
        name = self._next_name("batchnorm")
        self._note(name, self._next_place(place), "gamma", "beta", "moving_mean", "moving_var")
        return self._builder.batchnorm(x, name, eps, scale=scale)

    def dense(self, x: Output, units: int, place: Optional[str] = None) -> Output:
        """A fully connected layer."""
        name = self._next_name("dense")
        self._note(name, self._next_place(place), "weight", "bias")
        return self._builder.dense(x, name, units)

    def relu(self, x: Output, kind: str = "relu") -> Output:
        """A ReLU that is a block of its own; Gluon calls one that a block computes itself ``kind="activation"``."""
        self._next_place(None)
        return self._builder.act(x, "relu", self._next_name(kind))

    def own_relu(self, x: Output) -> Output:
        """The ReLU of a convolution or dense layer, not a block of its own."""
        return self._builder.act(x, "relu")

    def relu6(self, x: Output) -> Output:
        """A ReLU that ends at 6."""
        self._next_place(None)
        return self._builder.act(x, "relu6", self._next_name("relu6_"))

    def max_pool(self, x: Output, kernel: int = 3, stride: int = 2, pad: int = 0, ceil: bool = False) -> Output:
        """The maxima of windows."""
        self._next_place(None)
        return self._builder.pool(x, "max", kernel, stride, pad, self._next_name("pool"), ceil)

    def avg_pool(self, x: Output, kernel: int, stride: int, pad: int = 0) -> Output:
        """The averages of windows."""
        self._next_place(None)
        return self._builder.pool(x, "avg", kernel, stride, pad, self._next_name("pool"))

    def global_pool(self, x: Output) -> Output:
        """The average over the whole map, also where Gluon fixed a window for one size of image."""
        self._next_place(None)
        return self._builder.global_pool(x, "avg", self._next_name("pool"))

    def flatten(self, x: Output) -> Output:
        """All but the first dimension as one."""
        self._next_place(None)
        return self._builder.flatten(x, self._next_name("flatten"))

    def dropout(self, x: Output) -> Output:
        """Dropout of half the values in training."""
        self._next_place(None)
        return self._builder.dropout(x, 0.5, self._next_name("dropout"))

    def concat(self, xs: Sequence[Output]) -> Output:
        """Side by side along channels."""
        return self._builder.concat(xs, self._next_name("concat"))

    def add(self, x: Output, y: Output, name: Optional[str] = None) -> Output:
        """The sum of two entries."""
        return self._builder.add(x, y, self._prefix + name if name else self._next_name("add"))

    def data(self) -> Output:
        """The image."""
        return self._builder.data()

    def graph(self, head: Output) -> Graph:
        """The graph that ends in `head`, its nodes depth first as MXNet itself writes them."""
        written = self._builder.graph(head)
        order: dict[str, None] = {}
        waiting = [head[0]]
        while waiting:
            sources = [source for source, _ in written.node(waiting[-1]).inputs if source not in order]
            if sources:
                waiting.append(sources[0])
            else:
                order[waiting.pop()] = None
        return Graph(tuple(written.node(name) for name in order), written.heads)


Write = Callable[[Layers, Output, int], Output]
"""``write(layers, data, classes)`` writes a network and gives its output."""


def register_gluon(name: str, write: Write, parameters: int, macs: int, paper: str, size: int = 224) -> None:
    """Add a network that Gluon has too: an architecture for weights that users bring."""
    register(
        Entry(
            name=name,
            build=partial(_build, write),
            preprocess=imagenet((size, size)),
            parameters=parameters,
            macs=macs,
            licence="Apache-2.0",
            url=URL,
            paper=paper,
            names=partial(_names, write),
        )
    )


def _build(write: Write, classes: int, size: tuple[int, int], channels: int) -> Graph:  # noqa: ARG001
    layers = Layers()
    return layers.graph(write(layers, layers.data(), classes))


def _names(write: Write) -> tuple[NameTable]:
    layers = Layers()
    write(layers, layers.data(), 1000)
    return (NameTable("Gluon", layers.names),)
