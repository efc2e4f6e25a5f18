"""Node and Graph: what a symbol graph is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..errors import NetworkError
from ..words import near

Entry = tuple[str, int]
"""One output of a node: the node's name and which of its outputs."""

_CONVOLUTION = ("data", "weight", "bias")
_BATCHNORM = ("data", "gamma", "beta", "moving_mean", "moving_var")
_NORM = ("data", "gamma", "beta")
_LOSS = ("data", "label")

PARAMETER_SLOTS: Mapping[str, tuple[str, ...]] = {
    "Convolution": _CONVOLUTION,
    "Convolution_v1": _CONVOLUTION,
    "Deconvolution": _CONVOLUTION,
    "FullyConnected": _CONVOLUTION,
    "BatchNorm": _BATCHNORM,
    "BatchNorm_v1": _BATCHNORM,
    "CuDNNBatchNorm": _BATCHNORM,
    "_contrib_SyncBatchNorm": _BATCHNORM,
    "InstanceNorm": _NORM,
    "LayerNorm": _NORM,
    "GroupNorm": _NORM,
    "LeakyReLU": ("data", "gamma"),
    "Embedding": ("data", "weight"),
    "SoftmaxOutput": _LOSS,
    "Softmax": _LOSS,
    "LinearRegressionOutput": _LOSS,
    "LogisticRegressionOutput": _LOSS,
    "MAERegressionOutput": _LOSS,
    "SVMOutput": _LOSS,
}
"""The names of the inputs of operators that hold parameters or take a label."""

LABEL_OPERATORS = frozenset(operator for operator, slots in PARAMETER_SLOTS.items() if slots is _LOSS)
"""Operators that are a loss: the Caffe-era ends of a network."""


@dataclass(frozen=True)
class Node:
    """One operator, or a variable (``op == "null"``).

    Parameters
    ----------
    name
        Unique in its graph.
    op
        MXNet's operator, such as ``"Convolution"``.
    attrs
        The operator's arguments, each as MXNet writes it: ``{"kernel": "(3, 3)"}``.
    inputs
        Which outputs of which nodes it takes, in order.
    """

    name: str
    op: str = "null"
    attrs: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Entry, ...] = ()

    @property
    def slots(self) -> tuple[str, ...]:
        """What each input is called: ``("data", "weight", "bias")`` of a convolution; empty if unknown."""
        slots = PARAMETER_SLOTS.get(self.op, ())
        if self.op == "LeakyReLU" and self.attrs.get("act_type") != "prelu":
            return ("data",)
        if slots is _CONVOLUTION and is_true(self.attrs.get("no_bias", self._bias_default)):
            return slots[:2]
        return slots

    @property
    def _bias_default(self) -> str:
        return "True" if self.op == "Deconvolution" else "False"


def is_true(text: str) -> bool:
    """True if MXNet reads this attribute as true."""
    return text.strip().lower() in {"true", "1"}


def integers(text: str) -> tuple[int, ...]:
    """The whole numbers of an attribute such as ``"(3, 3)"`` or ``"7"``.

    Examples
    --------
    >>> integers("(3, 3)"), integers("7"), integers("()")
    ((3, 3), (7,), ())
    """
    return tuple(int(part) for part in text.strip("()[] ").replace("L", "").split(",") if part.strip())


@dataclass(frozen=True)
class Graph:
    """Nodes in topological order, with unique names, and the entries that are the outputs.

    Raises
    ------
    NetworkError
        A name occurs twice, or a node uses what comes after it or does not exist.

    Examples
    --------
    >>> graph = Graph((Node("data"), Node("out", "Flatten", {}, (("data", 0),))), (("out", 0),))
    >>> graph.inputs, graph.node("out").op
    (('data',), 'Flatten')
    """

    nodes: tuple[Node, ...]
    heads: tuple[Entry, ...]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for node in self.nodes:
            for source, _ in node.inputs:
                if source not in seen:
                    raise NetworkError(f"Node {node.name} takes {source}, which does not come before it.")
            if node.name in seen:
                raise NetworkError(f"Two nodes are called {node.name}.")
            seen.add(node.name)
        for name, _ in self.heads:
            if name not in seen:
                raise NetworkError(f"The output {name} is not in the graph.")

    @cached_property
    def _by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def node(self, name: str) -> Node:
        """The node of this name.

        Raises
        ------
        NetworkError
            There is none; near matches are named.
        """
        found = self._by_name.get(name)
        if found is None:
            operators = (node.name for node in self.nodes if node.op != "null")
            raise NetworkError(f"The network has no layer {str(name)[:100]}.", hint=near(name, operators))
        return found

    @cached_property
    def auxiliary(self) -> tuple[str, ...]:
        """Variables that training updates without a gradient: BatchNorm's moving mean and variance."""
        found = [
            source
            for node in self.nodes
            if PARAMETER_SLOTS.get(node.op) is _BATCHNORM
            for source, _ in node.inputs[3:5]
        ]
        return tuple(dict.fromkeys(found))

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """Variables in order, without auxiliary states: data, labels and parameters."""
        auxiliary = set(self.auxiliary)
        return tuple(n.name for n in self.nodes if n.op == "null" and n.name not in auxiliary)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Variables that no operator takes as its parameter or label: the data."""
        inner = {source for node in self.nodes for source, _ in node.inputs[1:] if node.op in PARAMETER_SLOTS}
        used = {source for node in self.nodes for source, _ in node.inputs} | {name for name, _ in self.heads}
        return tuple(name for name in self.arguments if name in used and name not in inner)

    @cached_property
    def consumers(self) -> dict[str, tuple[Node, ...]]:
        """For each node's name, the nodes that take one of its outputs, in order."""
        found: dict[str, list[Node]] = {node.name: [] for node in self.nodes}
        for node in self.nodes:
            for source in dict.fromkeys(name for name, _ in node.inputs):
                found[source].append(node)
        return {name: tuple(nodes) for name, nodes in found.items()}

    def ancestors(self, names: Iterable[str]) -> set[str]:
        """These nodes and all that they need."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(source for source, _ in self.node(name).inputs)
        return found

    def fresh(self, name: str, taken: Sequence[str] = ()) -> str:
        """This name, or with the first number behind it that makes it new to the graph."""
        candidate, number = name, 1
        while candidate in self._by_name or candidate in taken:
            candidate, number = f"{name}_{number}", number + 1
        return candidate

    def __repr__(self) -> str:
        operators = sum(node.op != "null" for node in self.nodes)
        heads = ", ".join(name for name, _ in self.heads)
        return f"<Graph of {operators} operators, output {heads}>"
