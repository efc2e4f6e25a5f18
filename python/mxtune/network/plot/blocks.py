"""Boxes of a picture: layers that follow one another alone, such as a convolution, its BatchNorm and its ReLU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

from ...graph import Graph, Node, Shapes, is_kind, source
from ...ops.kinds import KINDS
from ...words import counted
from ..structure import is_global_pool

_WORDS = {
    "relu": "ReLU", "relu6": "ReLU6", "silu": "SiLU", "gelu": "GELU", "elu": "ELU", "selu": "SELU", "prelu": "PReLU",
    "leaky_relu": "leaky ReLU", "hard_swish": "hard swish", "hard_sigmoid": "hard sigmoid", "mish": "Mish",
    "sigmoid": "sigmoid", "tanh": "tanh", "softplus": "softplus", "softsign": "softsign", "batch_norm": "BatchNorm",
    "layer_norm": "LayerNorm", "dropout": "dropout", "max_pool": "max pooling", "avg_pool": "average pooling",
}  # fmt: skip
_FOLLOW = ("batchnorm", "activation", "rectifier", "dropout", "flattens", "same_count")
_PLAIN = {"slicechannel": "split", "slice_axis": "slice", "mul_scalar": "\u00d7 number", "plus_scalar": "+ number"}
_SIGNS = {"Add": "+", "Mul": "\u00d7", "Sub": "\u2212", "Concat": "concatenate", "Sum": "+"}


@dataclass
class Block:
    """A box.

    Parameters
    ----------
    layers
        The names of its layers, the last one of which gives its output.
    words
        What it is, line by line.
    kind
        ``"convolution"``, ``"dense"``, ``"pooling"``, ``"joint"`` or ``"other"``: its colour.
    inputs
        The last layers of the boxes that it takes, in order.
    """

    layers: list[str]
    words: list[str]
    kind: str
    inputs: list[str] = field(default_factory=list)

    @property
    def output(self) -> str:
        """The layer that gives its output."""
        return self.layers[-1]


def blocks_of(graph: Graph, shapes: Shapes) -> list[Block]:
    """The boxes of a graph, in its order."""
    made: list[Block] = []
    place: dict[str, Block] = {}
    heads = {name for name, _ in graph.heads}
    attention = {node.name: within for node in graph.nodes if (within := _attention(graph, node, heads))}
    inner = _inner(graph).union(*attention.values())
    for node in graph.nodes:
        if node.is_variable or node.name in inner:
            continue
        before = place.get(source(graph, node)[0])
        sources = _sources(graph, node, inner)
        if before is not None and sources == [before.output] and _follows(graph, node, before, heads, inner):
            before.layers += [*_hidden(graph, node, inner), node.name]
            before.words.append(_word(graph, node))
            block = before
        else:
            title = _title(graph, node, shapes)
            if node.name in attention:
                title = f"attention, {counted(prod(shapes[node.name][0][:-2]), 'head')}"
            block = Block([*_hidden(graph, node, inner), node.name], [title], _kind(node))
            block.inputs = [place[name].output for name in sources if name in place]
            made.append(block)
        for name in block.layers:
            place[name] = block
    return made


def _inner(graph: Graph) -> set[str]:
    """Layers that are only the inner part of another: the sigmoid of a SiLU."""
    inner: set[str] = set()
    for node in graph.nodes:
        if node.is_variable or not node.inputs:
            continue
        taken = source(graph, node)
        if node.operator.onnx == "Mul" and any(is_kind(graph, node, kind) for kind in ("silu", "hard_swish", "mish")):
            waiting = [name for name, _ in node.inputs if name != taken[0]]
            while waiting:
                name = waiting.pop()
                inner.add(name)
                waiting += [one for one, _ in graph.node(name).inputs if one != taken[0]]
    return inner


def _attention(graph: Graph, node: Node, heads: set[str]) -> set[str]:
    """The inner layers of attention, where this one is its weighted sum of values: queries, keys, products, softmax."""
    inner: set[str] = set()
    waiting = [name for name, _ in node.inputs] if node.op == "batch_dot" else []
    while waiting:
        one = graph.node(waiting.pop())
        if one.name not in inner and _is_within_attention(graph, one):
            inner.add(one.name)
            waiting += [name for name, _ in one.inputs]
    operators = [graph.node(name).op for name in inner]
    users = {user.name for name in inner for user in graph.consumers[name]}
    whole = users <= inner | {node.name} and not inner & heads
    return inner if whole and "softmax" in operators and operators.count("batch_dot") == 1 else set()


def _is_within_attention(graph: Graph, node: Node) -> bool:
    """Whether it is a product of queries and keys, or changes one map as a whole, without weights of its own."""
    if node.is_variable or node.has_role("weighted"):
        return False
    maps = [name for name, _ in node.inputs if not graph.node(name).is_variable]
    return node.op == "batch_dot" or len(maps) == 1


def _hidden(graph: Graph, node: Node, inner: set[str]) -> list[str]:
    """The inner layers that a node needs, in the order of the graph."""
    found: set[str] = set()
    waiting = [node.name]
    while waiting:
        names = {name for name, _ in graph.node(waiting.pop()).inputs if name in inner} - found
        found |= names
        waiting += names
    return [one.name for one in graph.nodes if one.name in found] if found else []


def _sources(graph: Graph, node: Node, inner: set[str]) -> list[str]:
    """The layers that a node takes, by itself or through its own inner ones."""
    takers = [graph.node(name) for name in _hidden(graph, node, inner)] + [node]
    names = [name for taker in takers for name, _ in taker.inputs if name not in inner]
    return list(dict.fromkeys(name for name in names if not graph.node(name).is_variable))


def _follows(graph: Graph, node: Node, before: Block, heads: set[str], inner: set[str]) -> bool:
    """Whether a layer stands in the box of the one before it: nothing else takes that one's output."""
    users = [user.name for user in graph.consumers[before.output] if user.name not in inner]
    simple = any(node.has_role(role) for role in _FOLLOW) or _kinds(graph, node) & {"silu", "hard_swish", "mish"}
    return bool(simple) and users == [node.name] and before.output not in heads


def _kinds(graph: Graph, node: Node) -> set[str]:
    return {kind for kind in KINDS if is_kind(graph, node, kind)}


def _word(graph: Graph, node: Node) -> str:
    kinds = _kinds(graph, node)
    named = next((_WORDS[kind] for kind in KINDS if kind in kinds and kind in _WORDS), None)
    plain = node.op.lstrip("_").lower()
    return named or _SIGNS.get(node.operator.onnx) or _PLAIN.get(plain, plain)


def _kind(node: Node) -> str:
    if node.has_role("convolution") or node.has_role("transposed"):
        return "convolution"
    if node.has_role("dense"):
        return "dense"
    if node.has_role("pools") or node.has_role("averages"):
        return "pooling"
    return "joint" if node.operator.onnx in _SIGNS else "other"


def _title(graph: Graph, node: Node, shapes: Shapes) -> str:
    values = vars(node.values)
    if node.has_role("weighted") and not node.has_role("dense"):
        grouped = values["num_group"] > 1
        depthwise = grouped and values["num_group"] == shapes[node.inputs[0][0]][node.inputs[0][1]][1]
        what = "depthwise" if depthwise else f"conv, {values['num_group']} groups" if grouped else "conv"
        return f"{_sides(values['kernel'])} {what}, {values['num_filter']}{_stride(values)}"
    if node.has_role("dense"):
        return f"dense, {values['num_hidden']}"
    if node.has_role("pools"):
        what = "max" if values.get("pool_type") == "max" else "average"
        if is_global_pool(node):
            return f"global {what}"
        if "kernel" not in values:
            return f"{what} to {_sides(shapes[node.name][0][2:])}"
        return f"{_sides(values['kernel'])} {what} pool{_stride(values)}"
    return _word(graph, node)


def _stride(values: Mapping[str, object]) -> str:
    stride = values.get("stride") or ()
    assert isinstance(stride, tuple)  # noqa: S101 - as the operators have it
    return f", /{stride[0] if len(set(stride)) == 1 else _sides(stride)}" if set(stride) - {1} else ""


def _sides(sides: object) -> str:
    assert isinstance(sides, tuple)  # noqa: S101 - as the operators have it
    return " \u00d7 ".join(map(str, sides)) or "?"
