"""The network of the zoo that weights, or a graph, may belong to: to name it, or to use its tables of names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Optional

from numpy.typing import NDArray

from ..formats import NameTable
from ..formats.matching import in_shape, signatures, under_our_names, without
from ..graph import Graph
from ..network import Network
from ..network.layers import parameters_of
from . import Entry, entries

_MOST_ARRAYS = 10_000  # the largest network here has some 1,000


def parameters(graph: Graph, weights: Collection[str] = ()) -> set[str]:
    """The names of the variables that need a value, or have one among these weights."""
    data = set(graph.inputs) - set(weights)
    return {node.name for node in graph.nodes if node.is_variable and node.name not in data}


def fitting(weights: Mapping[str, NDArray[Any]], start: str = "") -> list[str]:
    """The names of the networks whose parameters these are, by name and shape, whatever the number of classes.

    Parameters
    ----------
    start
        How the names begin of the networks that are asked for.
    """
    if len(weights) > _MOST_ARRAYS:
        return []
    ignored = tuple(sorted({part for entry in entries() for part in entry.ignored}))
    told = signatures(weights, ignored)
    asked = [entry for entry in entries() if entry.name.startswith(start)]
    signed = [entry for entry in asked if entry.signature in told]
    return [entry.name for entry in signed if fits(entry, weights)] or [
        entry.name for entry in asked if (entry.names() or not entry.signature) and fits(entry, weights)
    ]


def fits(entry: Entry, weights: Mapping[str, NDArray[Any]]) -> bool:
    """Whether these are the parameters of a network, whatever the number of classes."""
    graph = _graph(entry)
    needed = parameters(graph)
    arrays = under_our_names(without(weights, entry.ignored), needed, entry.names())
    if set(arrays) != needed:
        return False
    network = Network(graph, {}, {}, entry.preprocess)
    shapes = {name: network.shapes[name][0] for name in needed - set(own_parameters(network))}
    return all(in_shape(arrays[name], shape).shape == shape for name, shape in shapes.items())


def own_parameters(network: Network) -> tuple[str, ...]:
    """The weight and the bias of a network's classifier."""
    return parameters_of(network.graph, network.classifier) if network.classifier else ()


def tables_of_twin(graph: Graph) -> list[NameTable]:
    """Tables of names for a graph that has the structure of a network of the zoo, as Gluon's ``export`` writes it."""
    for entry in entries():
        twins = paired(_graph(entry), graph)
        if twins:
            return [
                NameTable(table.source, {twins[ours]: theirs for ours, theirs in table.theirs.items()})
                for table in entry.names()
            ]
    return []


def _graph(entry: Entry) -> Graph:
    return entry.build(entry.classes, entry.preprocess.size, entry.preprocess.channels)


def paired(one: Graph, other: Graph) -> Optional[dict[str, str]]:
    """For each node of one graph, the node of the other in the same place; None where the two differ in structure."""
    pairs: dict[str, str] = {}
    waiting = list(zip(one.heads, other.heads))
    while waiting:
        (name, output), (twin, twin_output) = waiting.pop()
        if name in pairs:
            if pairs[name] != twin:
                return None
            continue
        node, twin_node = one.node(name), other.node(twin)
        same = (node.op, len(node.inputs), output) == (twin_node.op, len(twin_node.inputs), twin_output)
        if not same:
            return None
        pairs[name] = twin
        waiting += zip(node.inputs, twin_node.inputs)
    return pairs
