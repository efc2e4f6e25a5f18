"""The shapes of a graph: each operator's rule, applied to those before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from ..errors import NetworkError
from ..ops import MisfitError, Shape
from ..words import listing, shape_text
from .data import Graph, Node
from .limits import LIMITS, Limits, Shapes, check_needs, check_output, check_size


def shapes_of(graph: Graph, inputs: Mapping[str, Shape], limits: Limits = LIMITS) -> Shapes:
    """The shapes of all outputs of each node. Nothing is allocated, and no engine is asked.

    Parameters
    ----------
    inputs
        The shapes of the data, such as ``{"data": (1, 3, 224, 224)}``; of parameters too, where the graph alone
        does not give them.
    limits
        What the network may need.

    Raises
    ------
    NetworkError
        The shapes contradict one another or leave some open, or the network needs more than `limits` allows.

    Examples
    --------
    >>> from mxtune.graph import Builder
    >>> b = Builder()
    >>> shapes_of(b.graph(b.conv(b.data(), "conv", 8, kernel=3)), {"data": (1, 3, 10, 12)})["conv"]
    ((1, 8, 8, 10),)
    """
    key = (*sorted((name, tuple(shape)) for name, shape in inputs.items()), limits)
    if key not in graph.known_shapes:
        graph.known_shapes[key] = _shapes_of(graph, inputs, limits)
    return dict(graph.known_shapes[key])


def _shapes_of(graph: Graph, inputs: Mapping[str, Shape], limits: Limits) -> Shapes:
    check_size(len(graph.nodes), limits)
    shapes: Shapes = {}
    waiting: set[str] = set()
    for node in graph.nodes:
        if not node.is_variable:
            _infer(graph, node, shapes, inputs, waiting, limits)
        elif (shape := inputs.get(node.name) or _declared(graph, node)) is not None:
            shapes[node.name] = (tuple(shape),)
            check_output(node, shapes[node.name], limits)
        else:
            waiting.add(node.name)
    if waiting:
        raise _left_open(inputs, sorted(waiting))
    check_needs(graph, shapes, limits)
    return shapes


def _declared(graph: Graph, node: Node) -> Optional[Shape]:
    """The shape of a parameter that lies in no slot; for others the operator that takes them gives it."""
    return None if node.name in graph.slotted else node.declared_shape


def _infer(
    graph: Graph, node: Node, shapes: Shapes, inputs: Mapping[str, Shape], waiting: set[str], limits: Limits
) -> None:
    """Add the shapes of a node's outputs, and of those of its inputs that were unknown."""
    input_shapes = tuple(
        None if source in waiting else _entry(shapes, node, source, index) for source, index in node.inputs
    )
    for (source, _), shape, slot in zip(node.inputs, input_shapes, node.slots):
        if shape is None and slot.role == "data":
            raise _left_open(inputs, [source])
    try:
        complete, outputs = node.operator.infer(node.values, input_shapes)
    except MisfitError as fault:
        raise NetworkError(
            f"The layers of the network do not fit together for input of {_text(inputs)}.",
            [f"{node.name} ({node.op}): {fault.words}"],
            fault.hint,
        ) from None
    for (source, _), shape in zip(node.inputs, complete):
        if source in waiting:
            shapes[source] = (shape,)
            check_output(graph.node(source), (shape,), limits)
            waiting.discard(source)
    shapes[node.name] = outputs
    check_output(node, outputs, limits)


def _entry(shapes: Shapes, node: Node, source: str, index: int) -> Shape:
    if index >= len(shapes[source]):
        raise NetworkError(f"{node.name} takes output {index} of {source}, which has {len(shapes[source])}.")
    return shapes[source][index]


def _left_open(inputs: Mapping[str, Shape], names: list[str]) -> NetworkError:
    return NetworkError(
        f"Input of {_text(inputs)} leaves no shape for {listing(names, 3)}.",
        hint="An input is missing, or nothing determines a parameter's shape.",
    )


def _text(inputs: Mapping[str, Shape]) -> str:
    return ", ".join(f"{name} {shape_text(shape)}" for name, shape in inputs.items()) or "no shape"
