"""A graph on top of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Union

from ...errors import NetworkError
from ..data import Entry, Graph
from .parts import entry_of, subgraph


def attach(graph: Graph, other: Graph, mapping: Mapping[str, Union[str, Entry]]) -> Graph:
    """`graph` with `other` on top of it: the heads of `other` become the heads.

    Parameters
    ----------
    mapping
        For variables of `other`, the entry of `graph` that each becomes. Other variables that both graphs
        have by one name are shared; other operators must have names that are new.

    Raises
    ------
    NetworkError
        An operator's name occurs in both, or `mapping` names what is not there.
    """
    sources = {name: entry_of(graph, entry) for name, entry in mapping.items()}
    for name in sources:
        if other.node(name).op != "null":
            raise NetworkError(f"{name} is not a variable of the graph that is to be attached.")
    nodes = list(graph.nodes)
    for node in other.nodes:
        if node.name in sources:
            continue
        if node.name in graph:
            if node.op != "null" or graph.node(node.name).op != "null":
                raise NetworkError(f"Both graphs have a node {node.name}.", hint="Rename one of them first.")
            continue
        nodes.append(replace(node, inputs=tuple(sources.get(e[0], e) for e in node.inputs)))
    heads = tuple(sources.get(head[0], head) for head in other.heads)
    return subgraph(Graph(tuple(nodes), heads), heads)


def beside(graph: Graph, other: Graph, outputs: Sequence[Entry]) -> Graph:
    """``graph`` with outputs of ``other`` behind its own; nodes that both have are the same ones.

    Raises
    ------
    NetworkError
        Both have different nodes of one name.
    """
    needed = subgraph(other, outputs)
    for node in needed.nodes:
        if node.name in graph and graph.node(node.name) != node:
            raise NetworkError(f"Both graphs have a node {node.name}.", hint="Rename one of them first.")
    new = tuple(node for node in needed.nodes if node.name not in graph)
    return Graph((*graph.nodes, *new), (*graph.heads, *needed.heads))
