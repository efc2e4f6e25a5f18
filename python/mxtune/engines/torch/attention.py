"""Attention, written as two products with a softmax between them, computed by PyTorch's one function."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, Optional

from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its name everywhere

from ...graph import Entry, Graph, Node
from .operators import Compute, compute

_LAYOUT = ("transpose", "SwapAxis", "Reshape", "expand_dims", "squeeze")
"""Operators that move values without changing them."""


class Attention(NamedTuple):
    """What stands for the last product of one: a function of queries, keys and values, and where these are."""

    compute: Compute
    inputs: tuple[Entry, Entry, Entry]


def attention_in(graph: Graph, last: Node) -> Optional[Attention]:
    """The attention that a node ends; None where it ends none, or others read what lies between.

    Weights are never whole in memory: ViT-Tiny takes a twentieth less time on 2 CPUs.
    """
    if last.op != "batch_dot" or last.values.transpose_a or last.values.transpose_b:
        return None
    softmax = _only_reader(graph, last.inputs[0])
    if softmax is None or softmax.op != "softmax" or softmax.values.temperature is not None:
        return None
    product = _only_reader(graph, softmax.inputs[0])
    factor = 1.0
    while product is not None and (number := _factor(product)) is not None:
        factor *= number
        product = _only_reader(graph, product.inputs[0])
    if product is None or product.op != "batch_dot" or product.values.transpose_a or not product.values.transpose_b:
        return None
    queries, keys = (_unscaled(graph, entry) for entry in product.inputs)
    function = partial(
        _attention,
        turns=(queries.turns, keys.turns),
        scale=factor * queries.factor * keys.factor,
        axis=softmax.values.axis,
    )
    return Attention(function, (queries.entry, keys.entry, last.inputs[1]))


class _Unscaled(NamedTuple):
    """What a factor is taken from, and the functions that move its values afterwards."""

    entry: Entry
    turns: tuple[Compute, ...]
    factor: float


def _unscaled(graph: Graph, entry: Entry) -> _Unscaled:
    """An operand without the factors that it is multiplied by, which are left to the softmax."""
    found, factor = _Unscaled(entry, (), 1.0), 1.0
    turns: list[Compute] = []
    while (node := _only_reader(graph, entry)) is not None:
        if node.op in _LAYOUT:
            turns.insert(0, compute(node)[0])
        elif (number := _factor(node)) is not None:
            factor *= number
            found = _Unscaled(node.inputs[0], tuple(turns), factor)
        else:
            break
        entry = node.inputs[0]
    return found


def _factor(node: Node) -> Optional[float]:
    """The number that a node multiplies by."""
    if node.op == "_mul_scalar":
        return float(node.values.scalar)
    return 1 / float(node.values.scalar) if node.op == "_div_scalar" and node.values.scalar else None


def _only_reader(graph: Graph, entry: Entry) -> Optional[Node]:
    """The node that makes this, if only one node reads it and nobody else."""
    node = graph.node(entry[0])
    seen = node.is_variable or len(graph.consumers[node.name]) != 1 or any(name == node.name for name, _ in graph.heads)
    return None if seen else node


def _attention(
    queries: Tensor, keys: Tensor, values: Tensor, *, turns: Sequence[Sequence[Compute]], scale: float, axis: int
) -> Tensor:
    for turn in turns[0]:
        queries = turn(queries)
    for turn in turns[1]:
        keys = turn(keys)
    if axis not in (-1, queries.ndim - 1):  # rare enough to be computed as it is written
        return ((queries @ keys.mT * scale).softmax(axis)) @ values
    if queries.ndim == 3:  # it has fast code for four axes alone
        queries, keys, values = (tensor.unsqueeze(1) for tensor in (queries, keys, values))
        return F.scaled_dot_product_attention(queries, keys, values, scale=scale).squeeze(1)
    return F.scaled_dot_product_attention(queries, keys, values, scale=scale)
