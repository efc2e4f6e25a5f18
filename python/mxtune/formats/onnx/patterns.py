"""Layers that exporters write as several nodes, put together again: LayerNorm, GELU."""

from __future__ import annotations

import math
from typing import Any, Optional

from numpy.typing import NDArray

from ...graph import Entry, Graph, Node, subgraph

Params = dict[str, NDArray[Any]]


def recognised(graph: Graph, params: Params) -> Graph:
    """The graph with each such group as the one layer that computes the same."""
    pattern = _Pattern(graph, params)
    replaced: dict[str, Node] = {}
    for node in graph.nodes:
        for rewrite in (_gelu, _layer_norm):
            found = rewrite(pattern, node)
            if found is not None:
                replaced[node.name] = found
                break
    if not replaced:
        return graph
    return subgraph(_sorted([replaced.get(node.name, node) for node in graph.nodes], graph), graph.heads)


def _sorted(nodes: list[Node], graph: Graph) -> Graph:
    """The nodes with each variable before its first user: a new layer may take one that came later."""
    variables = {node.name: node for node in nodes if node.is_variable}
    ordered: dict[str, Node] = {}
    for node in nodes:
        if node.is_variable:
            continue
        for source, _ in node.inputs:
            if source in variables:
                ordered.setdefault(source, variables[source])
        ordered[node.name] = node
    return Graph((*ordered.values(), *(one for one in variables.values() if one.name not in ordered)), graph.heads)


class _Pattern:
    """Looks at what a node takes."""

    def __init__(self, graph: Graph, params: Params) -> None:
        self.graph, self.params = graph, params

    def made(self, entry: Entry, *ops: str) -> Optional[Node]:
        """The node that gives this entry, if it is of one of these operators."""
        node = self.graph.node(entry[0])
        return node if node.op in ops else None

    def sides(self, node: Node) -> tuple[tuple[Entry, Entry], tuple[Entry, Entry]]:
        """The two inputs, in both orders."""
        left, right = node.inputs
        return (left, right), (right, left)


def _scalar(node: Node) -> float:
    return float(node.values.scalar)


def _gelu(pattern: _Pattern, node: Node) -> Optional[Node]:
    """x * (1 + erf(x / sqrt(2))) / 2, with the half in any place."""
    if node.op == "_mul_scalar" and math.isclose(_scalar(node), 0.5, rel_tol=1e-5):
        product = pattern.made(node.inputs[0], "elemwise_mul")
        source = _gelu_source(pattern, product, halved=False) if product else None
    elif node.op == "elemwise_mul":
        source = _gelu_source(pattern, node, halved=True)
    else:
        return None
    return Node(node.name, "LeakyReLU", {"act_type": "gelu"}, (source,)) if source else None


def _gelu_source(pattern: _Pattern, product: Node, halved: bool) -> Optional[Entry]:
    """What GELU is taken of, if this product is x (or x / 2) times 1 + erf(x / sqrt(2)) (or half of it)."""
    for factor, gate in pattern.sides(product):
        x, half = factor, not halved
        for _ in range(2):
            scaled = pattern.made(x, "_mul_scalar")
            if not half and scaled and math.isclose(_scalar(scaled), 0.5, rel_tol=1e-5):
                x, half = scaled.inputs[0], True
        scaled = pattern.made(gate, "_mul_scalar")
        if not half and scaled and math.isclose(_scalar(scaled), 0.5, rel_tol=1e-5):
            gate, half = scaled.inputs[0], True  # noqa: PLW2901
        if half and _erf_of(pattern, gate) == x:
            return x
    return None


def _erf_of(pattern: _Pattern, gate: Entry) -> Optional[Entry]:
    """The x of 1 + erf(x / sqrt(2))."""
    one = pattern.made(gate, "_plus_scalar")
    erf = pattern.made(one.inputs[0], "erf") if one and _scalar(one) == 1 else None
    scaled = pattern.made(erf.inputs[0], "_mul_scalar", "_div_scalar") if erf else None
    if scaled is None:
        return None
    factor = _scalar(scaled) if scaled.op == "_mul_scalar" else 1 / (_scalar(scaled) or 1)
    return scaled.inputs[0] if math.isclose(factor, math.sqrt(0.5), rel_tol=1e-4) else None


def _layer_norm(pattern: _Pattern, node: Node) -> Optional[Node]:
    """(x - mean) / sqrt(variance + eps) * gamma + beta over one axis, as ONNX writes it before version 17."""
    if node.op != "broadcast_add":
        return None
    for scaled_entry, beta in pattern.sides(node):
        scaled = pattern.made(scaled_entry, "broadcast_mul")
        if scaled is None:
            continue
        for normal, gamma in pattern.sides(scaled):
            parts = _normalised(pattern, normal)
            if parts is None or gamma[0] not in pattern.params or beta[0] not in pattern.params:
                continue
            x, axis, eps = parts
            if all(_lies_along(pattern.params[name], axis) for name in (gamma[0], beta[0])):
                for name in (gamma[0], beta[0]):
                    pattern.params[name] = pattern.params[name].reshape(-1)
                attrs = {"axis": str(axis), "eps": repr(eps)}
                return Node(node.name, "LayerNorm", attrs, (x, gamma, beta))
    return None


def _lies_along(array: NDArray[Any], axis: int) -> bool:
    return axis < array.ndim and array.shape[axis] == array.size


def _normalised(pattern: _Pattern, entry: Entry) -> Optional[tuple[Entry, int, float]]:
    """The x, the axis and the eps of (x - mean) / sqrt(mean((x - mean)^2) + eps)."""
    quotient = pattern.made(entry, "broadcast_div")
    centred = pattern.made(quotient.inputs[0], "broadcast_sub") if quotient else None
    root = pattern.made(quotient.inputs[1], "sqrt") if quotient else None
    shifted = pattern.made(root.inputs[0], "_plus_scalar") if root else None
    variance = pattern.made(shifted.inputs[0], "mean") if shifted else None
    squared = pattern.made(variance.inputs[0], "square", "elemwise_mul") if variance else None
    if not (quotient and centred and shifted and variance and squared):
        return None
    mean = pattern.made(centred.inputs[1], "mean")
    if mean is None or mean.inputs[0] != centred.inputs[0] or any(one != quotient.inputs[0] for one in squared.inputs):
        return None
    axes = mean.values.axis
    if axes is None or len(axes) != 1 or variance.values.axis != axes or not mean.values.keepdims:
        return None
    return centred.inputs[0], int(axes[0]), _scalar(shifted)
