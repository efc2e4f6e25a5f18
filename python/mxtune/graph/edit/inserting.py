"""New layers between others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..data import Entry, Graph, Node


def insert(graph: Graph, after: str, new: Sequence[Node], output: str) -> Graph:
    """The graph with nodes after a layer: what used output 0 of `after` now uses `output`, one of `new`.

    Parameters
    ----------
    new
        In topological order; they take entries of `after`, of what comes before it, or of one another.
    """
    graph.node(after)

    def entry(pair: Entry) -> Entry:
        return (output, 0) if pair == (after, 0) else pair

    nodes: list[Node] = []
    for node in graph.nodes:
        nodes.append(node.taking(tuple(entry(e) for e in node.inputs)))
        if node.name == after:
            nodes.extend(new)
    return Graph(tuple(nodes), tuple(entry(head) for head in graph.heads))


def insert_before(graph: Graph, before: str, new: Sequence[Node], output: str) -> Graph:
    """The graph with nodes before a layer: it takes ``output``, one of ``new``, where it took what they take.

    Parameters
    ----------
    new
        In topological order; they take what ``before`` takes, or one another.
    """
    target = graph.node(before)
    taken = {entry for node in new for entry in node.inputs} & set(target.inputs)
    inputs = tuple((output, 0) if entry in taken else entry for entry in target.inputs)
    nodes = (
        part for node in graph.nodes for part in ((*new, replace(node, inputs=inputs)) if node is target else (node,))
    )
    return Graph(tuple(nodes), graph.heads)
