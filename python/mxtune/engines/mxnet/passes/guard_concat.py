"""A copy between maps that are put together and the convolution behind them, where oneDNN can't take them apart."""

from __future__ import annotations

from dataclasses import replace

from ....graph import Entry, Graph, Node, Shapes
from ...base import Program
from ...passes import Undo, shapes_in, unchanged

_BLOCK = 16
_PASSING = ("Activation", "clip", "BatchNorm", "LeakyReLU", "elemwise_add", "elemwise_mul", "broadcast_mul")


def guard_concat(program: Program) -> tuple[Program, Undo]:
    """The program in training with a copy behind a Concat of uneven maps that goes into a convolution.

    The gradient of a convolution comes in blocks of 8 or 16 channels. MXNet 1.9 hands these on to Concat, whose inputs
    then must begin with a block: with 44 or 88 channels, as in NASNet, training ends with "could not construct a
    sub-memory". A transpose that changes nothing gives the gradient its plain order back.
    """
    graph = program.graph
    joined = [node for node in graph.nodes if _is_of_channels(node) and _meets_convolution(graph, node)]
    if not program.trainable or not joined:
        return program, unchanged
    shapes = shapes_in(program)
    apart = {node.name for node in joined if _is_uneven(node, shapes)}
    if not apart:
        return program, unchanged
    nodes: list[Node] = []
    moved: dict[Entry, Entry] = {}
    for node in graph.nodes:
        nodes.append(replace(node, inputs=tuple(moved.get(entry, entry) for entry in node.inputs)))
        if node.name in apart:
            name = graph.fresh(f"{node.name}_plain")
            nodes.append(Node(name, "transpose", {"axes": "(0, 1, 2, 3)"}, ((node.name, 0),)))
            moved[node.name, 0] = name, 0
    heads = tuple(moved.get(entry, entry) for entry in graph.heads)
    return replace(program, graph=Graph(tuple(nodes), heads)), unchanged


def _is_of_channels(node: Node) -> bool:
    return node.op == "Concat" and node.values.dim == 1


def _meets_convolution(graph: Graph, node: Node) -> bool:
    """Whether its output goes into a convolution, if need be past activations, normalisation, sums and gates."""
    waiting = [node]
    while waiting:
        for user in graph.consumers[waiting.pop().name]:
            if user.has_role("convolution"):
                return True
            if user.op in _PASSING:
                waiting.append(user)
    return False


def _is_uneven(node: Node, shapes: Shapes) -> bool:
    """Whether it puts maps together of which one has no whole number of blocks."""
    parts = [shapes[name][at] for name, at in node.inputs]
    return len(parts[0]) == 4 and any(part[1] % _BLOCK for part in parts)
