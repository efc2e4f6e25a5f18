"""The nodes of a layer, or of a small graph, that is to be put into a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..errors import NetworkError
from ..graph import Graph, Node
from ..ops import spell


def layer(after: str, operator: str, name: str, attrs: Mapping[str, object]) -> list[Node]:
    """The node of a new layer, with a variable for each of its parameters before it."""
    bare = Node(name, operator, {key: spell(value) for key, value in attrs.items()})
    variables = [Node(f"{name}_{slot.name}") for slot in bare.slots if slot.role != "data"]
    return [*variables, replace(bare, inputs=((after, 0), *((v.name, 0) for v in variables)))]


def spliced(graph: Graph, after: str) -> tuple[list[Node], str]:
    """The nodes of a graph whose one input has become the layer `after`, and its output."""
    if len(graph.inputs) != 1 or len(graph.heads) != 1 or graph.heads[0][1] != 0:
        raise NetworkError("Only a graph with one input and one output can be inserted.")
    data = graph.inputs[0]
    nodes = [
        replace(node, inputs=tuple((after, 0) if entry[0] == data else entry for entry in node.inputs))
        for node in graph.nodes
        if node.name != data
    ]
    return nodes, graph.heads[0][0]
