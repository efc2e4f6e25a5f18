"""What exporters make of BatchNorm, factors and shifts of channels: put into the convolution before them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from ...graph import Entry, Graph, Node, subgraph

Array = NDArray[Any]
_FACTORS = ("broadcast_mul", "broadcast_div")
_SHIFTS = ("broadcast_add", "broadcast_sub")


def absorbed(graph: Graph, params: dict[str, Array]) -> Graph:
    """The graph in which a convolution has the factors and shifts that follow it in its own weight and bias.

    A factor alone is left: that is a layer scale, which is trained. Statistics are gone where an exporter made these of
    a BatchNorm, so none is made of them again.
    """
    merged: dict[str, Node] = {}
    moved: dict[str, str] = {}  # what a layer is called that the convolution now does
    added: list[Node] = []
    for node in graph.nodes:
        if node.op != "Convolution":
            continue
        steps = _steps(graph, params, node)
        if len(steps) < 2 or not any(step.op in _FACTORS for step, _ in steps):
            continue
        scale, shift = _total(steps, params, int(node.values.num_filter))
        weight = node.inputs[1][0]
        params[weight] = params[weight] * scale.reshape(-1, *(1 for _ in params[weight].shape[1:]))
        bias = node.inputs[2][0] if len(node.inputs) > 2 else graph.fresh(f"{node.name}_bias")
        params[bias] = params.get(bias, np.zeros_like(shift)) * scale + shift
        if len(node.inputs) < 3:
            added.append(Node(bias))
        inputs: tuple[Entry, ...] = (*node.inputs[:2], (bias, 0))
        merged[node.name] = replace(node, inputs=inputs, attrs={**node.attrs, "no_bias": "False"})
        moved.update({step.name: node.name for step, _ in steps})
    if not merged:
        return graph

    def entry(one: Entry) -> Entry:
        return moved.get(one[0], one[0]), one[1]

    nodes = [merged.get(node.name, node) for node in graph.nodes if node.name not in moved]
    nodes = [replace(node, inputs=tuple(map(entry, node.inputs))) for node in nodes]
    heads = tuple(map(entry, graph.heads))
    return subgraph(Graph((*added, *nodes), heads), heads)


def _steps(graph: Graph, params: dict[str, Array], node: Node) -> list[tuple[Node, str]]:
    """The layers in a row that multiply or shift each channel of this one's output by a constant; and that constant."""
    steps: list[tuple[Node, str]] = []
    channels, heads = int(node.values.num_filter), {name for name, _ in graph.heads}
    if len(graph.consumers[node.inputs[1][0]]) > 1:
        return []
    while node.name not in heads and len(users := graph.consumers[node.name]) == 1:
        user = users[0]
        const = _constant(user, node.name)
        if const is None or const not in params or len(graph.consumers[const]) > 1:
            break
        array = params[const]
        if array.ndim != 4 or array.size != channels or array.shape[1] != channels:
            break
        steps.append((user, const))
        node = user
    return steps


def _constant(user: Node, name: str) -> Optional[str]:
    """The other input of a layer that multiplies or shifts this value."""
    if user.op not in (*_FACTORS, *_SHIFTS):
        return None
    (left, _), (right, _) = user.inputs
    if left == name:
        return right
    return left if user.op in ("broadcast_mul", "broadcast_add") else None


def _total(steps: list[tuple[Node, str]], params: dict[str, Array], channels: int) -> tuple[Array, Array]:
    scale, shift = np.ones(channels, np.float32), np.zeros(channels, np.float32)
    for step, const in steps:
        values = params[const].reshape(-1).astype(np.float32)
        if step.op in _FACTORS:
            factor = values if step.op == "broadcast_mul" else 1 / values
            scale, shift = scale * factor, shift * factor
        else:
            shift = shift + values * (1 if step.op == "broadcast_add" else -1)
    return scale, shift
