"""A small fluent writer of graphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Union

from .data import Entry, Graph, Node
from .names import Names

Size = Union[int, tuple[int, int]]


def _pair(size: Size) -> str:
    height, width = (size, size) if isinstance(size, int) else size
    return f"({height}, {width})"


class Builder:
    """Writes a graph layer by layer; each method returns the entry of the layer that it added.

    Layers without parameters get a name from their kind and a number when none is given.

    Parameters
    ----------
    base
        A graph to extend; its nodes are kept.

    Attributes
    ----------
    nodes
        What was written so far.

    Examples
    --------
    >>> b = Builder()
    >>> x = b.conv(b.data(), "conv1", 20, kernel=5)
    >>> x = b.pool(b.act(x, "tanh"), "max", kernel=2, stride=2)
    >>> b.graph(b.dense(b.flatten(x), "fc", 10)).arguments
    ('data', 'conv1_weight', 'conv1_bias', 'fc_weight', 'fc_bias')
    """

    def __init__(self, base: Graph | None = None) -> None:
        self.nodes: list[Node] = list(base.nodes) if base else []
        self._names = Names(node.name for node in self.nodes)

    def add_node(self, op: str, name: str, inputs: Sequence[Entry], **attrs: str) -> Entry:
        """Any operator of MXNet, its arguments as MXNet writes them."""
        node = Node(self._names.new(name), op, attrs, tuple(inputs))
        self.nodes.append(node)
        return node.name, 0

    def data(self, name: str = "data") -> Entry:
        """The input, (N, C, H, W)."""
        return self.add_node("null", name, ())

    variable = data

    def conv(
        self,
        x: Entry,
        name: str,
        channels: int,
        kernel: Size = 3,
        stride: Size = 1,
        pad: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilate: Size = 1,
    ) -> Entry:
        """A convolution with ``<name>_weight`` and, with `bias`, ``<name>_bias``."""
        inputs = [x, self.variable(f"{name}_weight")] + ([self.variable(f"{name}_bias")] if bias else [])
        return self.add_node(
            "Convolution",
            name,
            inputs,
            kernel=_pair(kernel),
            stride=_pair(stride),
            pad=_pair(pad),
            dilate=_pair(dilate),
            num_filter=str(channels),
            num_group=str(groups),
            no_bias=str(not bias),
        )

    def batchnorm(self, x: Entry, name: str, eps: float = 1e-5, momentum: float = 0.9, scale: bool = True) -> Entry:
        """Batch normalisation over channels, with gamma (always 1 without `scale`), beta and moving statistics."""
        slots = ("gamma", "beta", "moving_mean", "moving_var")
        variables = [self.variable(f"{name}_{slot}") for slot in slots]
        return self.add_node(
            "BatchNorm", name, [x, *variables], eps=repr(eps), momentum=repr(momentum), fix_gamma=str(not scale)
        )

    def act(self, x: Entry, kind: str, name: str | None = None) -> Entry:
        """``"relu"``, ``"relu6"``, ``"tanh"``, ``"sigmoid"``, or another of MXNet's ``Activation``."""
        name = name or f"{x[0]}_{kind}"
        if kind == "relu6":
            return self.add_node("clip", name, [x], a_min="0", a_max="6")
        return self.add_node("Activation", name, [x], act_type=kind)

    def pool(
        self,
        x: Entry,
        kind: str,
        kernel: Size,
        stride: Size = 1,
        pad: Size = 0,
        name: str | None = None,
        ceil: bool = False,
    ) -> Entry:
        """``"max"`` or ``"avg"`` over windows; with `ceil` the last one may lie partly outside the map."""
        convention = {"pooling_convention": "full"} if ceil else {}
        return self.add_node(
            "Pooling",
            name or f"{x[0]}_pool",
            [x],
            pool_type=kind,
            kernel=_pair(kernel),
            stride=_pair(stride),
            pad=_pair(pad),
            **convention,
        )

    def global_pool(self, x: Entry, kind: str = "avg", name: str | None = None) -> Entry:
        """``"avg"`` or ``"max"`` over the whole image: (N, C, 1, 1)."""
        return self.add_node(
            "Pooling", name or f"{x[0]}_{kind}pool", [x], pool_type=kind, kernel="(1, 1)", global_pool="True"
        )

    def dense(self, x: Entry, name: str, units: int, bias: bool = True) -> Entry:
        """A fully connected layer: (N, units). What has more than two dimensions is flattened first."""
        inputs = [x, self.variable(f"{name}_weight")] + ([self.variable(f"{name}_bias")] if bias else [])
        return self.add_node("FullyConnected", name, inputs, num_hidden=str(units), no_bias=str(not bias))

    def flatten(self, x: Entry, name: str | None = None) -> Entry:
        """All but the first dimension as one."""
        return self.add_node("Flatten", name or f"{x[0]}_flat", [x])

    def dropout(self, x: Entry, p: float, name: str | None = None) -> Entry:
        """Dropout: a share `p` of the values set to zero in training, nothing changes in prediction."""
        return self.add_node("Dropout", name or f"{x[0]}_dropout", [x], p=repr(p))

    def concat(self, xs: Sequence[Entry], name: str = "concat") -> Entry:
        """Side by side along channels."""
        return self.add_node("Concat", name, list(xs), dim="1", num_args=str(len(xs)))

    def add(self, x: Entry, y: Entry, name: str = "add") -> Entry:
        """The sum of two entries of one shape."""
        return self.add_node("elemwise_add", name, [x, y])

    def same_pad(
        self, x: Entry, size: tuple[int, int], kernel: int, stride: int, name: str | None = None
    ) -> tuple[Entry, tuple[int, int]]:
        """TensorFlow's SAME padding before a window of `kernel` and `stride` over a `size` (H, W) image.

        Returns
        -------
        entry, pad
            A symmetric padding is left to the convolution: `entry` is `x`, `pad` what to pass to it. An
            asymmetric one (TensorFlow puts the larger half at the end) is a ``Pad`` node, and `pad` is (0, 0).
        """
        totals = [max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in size]
        if all(total % 2 == 0 for total in totals):
            return x, (totals[0] // 2, totals[1] // 2)
        (top, bottom), (left, right) = ((total // 2, total - total // 2) for total in totals)
        widths = f"(0, 0, 0, 0, {top}, {bottom}, {left}, {right})"
        entry = self.add_node("Pad", name or f"{x[0]}_pad", [x], mode="constant", constant_value="0", pad_width=widths)
        return entry, (0, 0)

    def graph(self, *heads: Entry) -> Graph:
        """The graph that ends in these entries, with only what they need."""
        from .edit import subgraph

        return subgraph(Graph(tuple(self.nodes), tuple(heads)), heads)
