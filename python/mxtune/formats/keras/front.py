"""Networks that take blue, green and red, as Caffe's did: they take red, green and blue here, as images have it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from ...graph import Entry, Graph, Node, subgraph

Params = dict[str, NDArray[Any]]
_ALIKE = ("Pad", "_mul_scalar", "_div_scalar", "_plus_scalar", "_minus_scalar")  # which treat all channels alike
_BY_CHANNEL = ("broadcast_mul", "broadcast_div", "broadcast_add", "broadcast_sub")


def without_turn(graph: Graph, params: Params) -> Graph:
    """The graph without a turn of the channels that it begins with, which its first layers' arrays take over.

    That is how ``preprocess_input`` stands inside of a network.
    """
    end = _turn(graph)
    if end is None or not red_first(graph, params, end):
        return graph

    def entry(one: Entry) -> Entry:
        return ("data", 0) if one[0] == end else one

    nodes = tuple(replace(node, inputs=tuple(map(entry, node.inputs))) for node in graph.nodes)
    heads = tuple(map(entry, graph.heads))
    return subgraph(Graph(nodes, heads), heads)


def red_first(graph: Graph, params: Params, name: str = "data") -> bool:
    """Turn the arrays that meet the channels of this output, up to the first convolutions; whether all could be."""
    waiting, turned = [name], set()
    while waiting:
        source = waiting.pop()
        for node in graph.consumers[source]:
            if node.op == "Convolution" and node.values.num_group == 1:
                turned.add(node.inputs[1][0])
                continue
            other = next((one for one, _ in node.inputs if one != source), "")
            if node.op in _BY_CHANNEL and other in params and params[other].ndim == 4:
                turned.add(other)
            elif node.op not in _ALIKE:
                return False
            waiting.append(node.name)
    for array in turned:
        params[array] = np.ascontiguousarray(np.flip(params[array], 1))
    return bool(turned)


def _turn(graph: Graph) -> Optional[str]:
    """The layer that puts the image's three channels together again, the last first."""
    users = graph.consumers["data"]
    if len(users) != 3 or any(node.op != "slice_axis" or node.values.axis != 1 for node in users):
        return None
    ends: set[str] = {end.name for node in users for end in graph.consumers[node.name]}
    end: Node = graph.node(min(ends)) if len(ends) == 1 else users[0]
    if end.op != "Concat" or end.values.dim != 1 or len(end.inputs) != 3:
        return None
    slices = [graph.node(name).values for name, _ in end.inputs]
    return end.name if [(one.begin, one.end) for one in slices] == [(2, 3), (1, 2), (0, 1)] else None
