"""A factor of 1 where MXNet 1.9's fusion goes wrong."""

from __future__ import annotations

from dataclasses import replace

from ....graph import Entry, Graph, Node
from ...base import Program
from ...passes import Undo, unchanged


def guard_fusion(program: Program) -> tuple[Program, Undo]:
    """The program that MXNet's fusion leaves itself; one in training is not fused.

    It does not see that a convolution's output is also an output of the graph, and returns it without what follows,
    or loses what follows; and it takes the sum of a convolution and its own activation for a shortcut. A factor of 1
    in between stops it.
    """
    if program.trainable:
        return program, unchanged
    graph = program.graph
    nodes: list[Node] = []
    factors: dict[Entry, Node] = {}

    def apart(entry: Entry) -> Entry:
        if entry not in factors:
            name = graph.fresh(f"{entry[0]}_{entry[1]}_apart")
            factors[entry] = Node(name, "_mul_scalar", {"scalar": "1"}, (entry,))
            nodes.append(factors[entry])
        return factors[entry].name, 0

    for node in graph.nodes:
        if node.has_role("sum") and len({_origin(graph, entry) for entry in node.inputs}) == 1:
            nodes.append(replace(node, inputs=tuple(apart(entry) for entry in node.inputs)))
        else:
            nodes.append(node)
    heads = tuple(apart(entry) if graph.consumers[entry[0]] else entry for entry in graph.heads)
    return replace(program, graph=Graph(tuple(nodes), heads)), unchanged


def _origin(graph: Graph, entry: Entry) -> Entry:
    """What an entry is computed from, past activations."""
    while (node := graph.node(entry[0])).has_role("activation"):
        entry = node.inputs[0]
    return entry
