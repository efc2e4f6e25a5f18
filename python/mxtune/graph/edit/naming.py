"""Other names for layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..data import Entry, Graph


def rename(graph: Graph, names: Mapping[str, str]) -> Graph:
    """The same graph with nodes renamed, ``{old: new}``.

    Raises
    ------
    NetworkError
        An old name does not exist, or a new one is taken.
    """
    for old in names:
        graph.node(old)

    def entry(pair: Entry) -> Entry:
        return names.get(pair[0], pair[0]), pair[1]

    nodes = tuple(
        replace(node, name=names.get(node.name, node.name), inputs=tuple(entry(e) for e in node.inputs))
        for node in graph.nodes
    )
    return Graph(nodes, tuple(entry(head) for head in graph.heads))
