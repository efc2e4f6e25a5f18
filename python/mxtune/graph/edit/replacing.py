"""Layers in the place of others, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...errors import NetworkError
from ..data import Entry, Graph, Node
from .kinds import source
from .parts import subgraph


def replace_node(graph: Graph, name: str, node: Node) -> Graph:
    """The graph with `node` in the place of the one called `name`; what used that now uses this."""
    graph.node(name)
    swapped = Graph(tuple(node if old.name == name else _moved(old, name, node.name) for old in graph.nodes),
                    tuple((node.name if h[0] == name else h[0], h[1]) for h in graph.heads))  # fmt: skip
    return subgraph(swapped, swapped.heads)


def _moved(node: Node, old: str, new: str) -> Node:
    if old == new or all(source != old for source, _ in node.inputs):
        return node
    return replace(node, inputs=tuple((new if s == old else s, index) for s, index in node.inputs))


def replace_layer(graph: Graph, name: str, new: Sequence[Node], output: str) -> Graph:
    """The graph with nodes in the place of a layer: what used output 0 of it now uses ``output``, one of ``new``.

    Parameters
    ----------
    new
        In topological order; one of them may have the layer's name. Variables that the graph has already are its own.

    Raises
    ------
    NetworkError
        There is no such layer, or a name is taken by another.
    """
    graph.node(name)
    names = {node.name for node in new if not node.is_variable}
    inner = {node.name for node in graph.nodes if node.name in names and node.name != name}
    for taken in sorted(inner):
        if any(user.name not in inner | {name} for user in graph.consumers[taken]):
            raise NetworkError(f"The network already has a layer {taken}.", hint="Rename it first.")

    def entry(pair: Entry) -> Entry:
        return (output, 0) if pair == (name, 0) else pair

    nodes: list[Node] = []
    for node in graph.nodes:
        if node.name == name:
            nodes.extend(one for one in new if not (one.is_variable and one.name in graph))
        elif node.name not in inner:
            nodes.append(node.taking(tuple(map(entry, node.inputs))))
    heads = tuple(map(entry, graph.heads))
    return subgraph(Graph(tuple(nodes), heads), heads)


def remove(graph: Graph, name: str) -> Graph:
    """The graph without a layer: what used it now uses what the layer takes.

    Raises
    ------
    NetworkError
        There is no such layer, or it is a variable.
    """
    node = graph.node(name)
    if not node.inputs:
        raise NetworkError(f"{name} is a variable: it can't be removed from the network.")
    before = source(graph, node)

    def entry(pair: Entry) -> Entry:
        return before if pair[0] == name else pair

    nodes = tuple(other.taking(tuple(entry(e) for e in other.inputs)) for other in graph.nodes if other.name != name)
    heads = tuple(entry(head) for head in graph.heads)
    return subgraph(Graph(nodes, heads), heads)
