"""Limits: how much a network may need. They prevent a file from exhausting the process or the machine."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import ceil, prod
from typing import NamedTuple

from ..errors import NetworkError
from ..ops import Shape
from ..words import shape_text
from .data import Graph, Node

Shapes = dict[str, tuple[Shape, ...]]
"""The shapes of all outputs of each node, by its name."""

_HINT = "If the network is meant to be this large, raise all limits together: limit={}."


@dataclass(frozen=True)
class Limits:
    """What one image in one network may need; the networks of the zoo at 512 pixels need half or less.

    Parameters
    ----------
    nodes
        Operators and variables.
    depth
        Operators in a row.
    elements
        Values of the largest output of a layer.
    parameters
        Values of all parameters together.
    bytes_alive
        Of the outputs that are needed at one time.
    work
        Multiply-accumulates, with the values that poolings read and those that layers write.
    pixels
        Of the image that the network sees, and of the one that it is cut from.
    """

    nodes: int = 20_000
    depth: int = 4_000
    elements: int = 2**26
    parameters: int = 2**30
    bytes_alive: int = 2**28
    work: int = 5 * 10**11
    pixels: int = 2**24

    @property
    def symbol_bytes(self) -> int:
        """Of a graph as text; those of the zoo have 60 to 100 per node."""
        return 400 * self.nodes

    def times(self, factor: float) -> Limits:
        """All of them raised or lowered together."""
        return Limits(*(int(getattr(self, field.name) * factor) for field in fields(self)))


LIMITS = Limits()


class Needs(NamedTuple):
    """What one image in one network needs; the fields are those of `Limits`."""

    depth: int
    parameters: int
    bytes_alive: int
    work: int


def check_size(n_nodes: int, limits: Limits) -> None:
    """Refuse a graph with too many nodes.

    Raises
    ------
    NetworkError
        It has more than `limits` allows.
    """
    if n_nodes > limits.nodes:
        raise _refusal("The network", f"{n_nodes:,} nodes", n_nodes, limits.nodes)


def check_output(node: Node, outputs: tuple[Shape, ...], limits: Limits) -> None:
    """Refuse a layer with too large an output, or a variable that is too large.

    Raises
    ------
    NetworkError
        It has more elements than `limits` allows.
    """
    most = limits.parameters if node.is_variable else limits.elements
    for shape in outputs:
        if prod(shape) > most:
            raise _refusal(node.name, f"{shape_text(shape)} = {prod(shape):,} numbers", prod(shape), most)


def check_picture(size: tuple[int, int], crop: float, limits: Limits) -> None:
    """Refuse images that are too large.

    Parameters
    ----------
    size
        Height and width that the network sees.
    crop
        The share of each side of the resized image that this is.

    Raises
    ------
    NetworkError
        They have more pixels than `limits` allows.
    """
    height, width = (side / crop for side in size)
    if height * width > limits.pixels:
        needed = f"images of {height:,.0f} x {width:,.0f} pixels"
        raise _refusal("The network", needed, height * width, limits.pixels)


def check_needs(graph: Graph, shapes: Shapes, limits: Limits) -> None:
    """Refuse a network that needs too much in total.

    Raises
    ------
    NetworkError
        It needs more than `limits` allows; the message names the limit.
    """
    needs = needs_of(graph, shapes)
    units = {
        "depth": "a depth of {:,} layers",
        "parameters": "{:,} parameters",
        "bytes_alive": "{:,} bytes for one image",
        "work": "{:,} operations for one image",
    }
    for name, unit in units.items():
        needed, allowed = getattr(needs, name), getattr(limits, name)
        if needed > allowed:
            raise _refusal("The network", unit.format(needed), needed, allowed)


def _refusal(what: str, needed: str, number: float, allowed: int) -> NetworkError:
    times = number / max(allowed, 1)
    hint = _HINT.format(ceil(times)) if times < 1000 else None
    return NetworkError(f"{what} needs {needed}; at most {allowed:,} are allowed.", hint=hint)


def needs_of(graph: Graph, shapes: Shapes) -> Needs:
    """What a network needs, from its shapes."""
    depth: dict[str, int] = {}
    work = 0
    for node in graph.nodes:
        depth[node.name] = max((depth[source] for source, _ in node.inputs), default=-1) + 1
        if not node.is_variable:
            inputs = tuple(shapes[source][index] for source, index in node.inputs)
            outputs = shapes[node.name]
            work += node.operator.macs(node.values, inputs, outputs) + node.operator.reads(node.values, inputs, outputs)
            work += sum(map(prod, outputs))
    parameters = sum(prod(shapes[name][0]) for name, role in graph.roles.items() if role in ("weight", "auxiliary"))
    return Needs(max(depth.values(), default=0), parameters, _most_alive(graph, shapes), work)


def _most_alive(graph: Graph, shapes: Shapes) -> int:
    """The most bytes of outputs, float32, that are still needed after some layer."""
    last = {name: node.name for node in graph.nodes for name, _ in node.inputs}
    heads = {name for name, _ in graph.heads}
    ends: dict[str, list[str]] = {}
    for name, user in last.items():
        if name not in heads:
            ends.setdefault(user, []).append(name)
    sizes = {n.name: 0 if n.is_variable else 4 * sum(map(prod, shapes[n.name])) for n in graph.nodes}
    alive = most = 0
    for node in graph.nodes:
        alive += sizes[node.name]
        most = max(most, alive)
        alive -= sum(sizes[name] for name in ends.get(node.name, ()))
    return most
