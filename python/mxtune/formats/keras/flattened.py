"""Maps that are flattened for a dense layer: their order, (H, W, C) in Keras, is put into the layer's weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from ...graph import Graph, Node, subgraph
from ...ops import Shape

_KEPT = ("Dropout", "Activation", "clip", "_mul_scalar", "_plus_scalar")  # which treat each value alike
_PARAMETERS = ("gamma", "beta", "moving_mean", "moving_var")


def flattened(graph: Graph, params: dict[str, NDArray[Any]], shapes: Mapping[str, tuple[Shape, ...]]) -> Graph:
    """The graph without transposes that stand before a Flatten for dense layers alone.

    Parameters
    ----------
    shapes
        Of all outputs, by layer.
    """
    sources: dict[str, Node] = {}
    for node in graph.nodes:
        if node.op != "transpose" or tuple(node.values.axes) != (0, 2, 3, 1):
            continue
        vectors = _vectors(graph, node)
        if vectors is None:
            continue
        _, channels, height, width = shapes[node.inputs[0][0]][node.inputs[0][1]]
        order = np.arange(height * width * channels).reshape(height, width, channels).transpose(2, 0, 1).reshape(-1)
        for name, axis in vectors.items():
            params[name] = np.ascontiguousarray(np.take(params[name], order, axis))
        sources[node.name] = node
    if not sources:
        return graph
    nodes = tuple(
        replace(
            node, inputs=tuple(sources[name].inputs[0] if name in sources else (name, at) for name, at in node.inputs)
        )
        for node in graph.nodes
    )
    return subgraph(Graph(nodes, graph.heads), graph.heads)


def _vectors(graph: Graph, node: Node) -> Optional[dict[str, int]]:
    """The arrays that take flattened values in order, each with its axis; None if others need that order, too."""
    found: dict[str, int] = {}
    waiting, flat = [node], False
    heads = {name for name, _ in graph.heads}
    while waiting:
        one = waiting.pop()
        if one.name in heads:
            return None
        for user in graph.consumers[one.name]:
            if user.op == "Flatten" and one is node:
                flat = True
                waiting.append(user)
            elif one is node:
                return None
            elif user.op == "FullyConnected":
                found[user.inputs[1][0]] = 1
            elif user.op == "BatchNorm":
                found.update({source: 0 for source, _ in user.inputs[1:]})
                waiting.append(user)
            elif user.op in _KEPT or (user.op == "LeakyReLU" and len(user.inputs) == 1):
                waiting.append(user)
            else:
                return None
    alone = all(len(graph.consumers[name]) == 1 for name in found)
    return found if flat and alone else None
