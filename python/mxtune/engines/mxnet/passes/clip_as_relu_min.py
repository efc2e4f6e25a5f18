"""A ``clip`` from 0 as a ReLU and a minimum, in training."""

from __future__ import annotations

from dataclasses import replace

from ....graph import Graph, Node
from ...base import Program
from ...passes import Undo, unchanged


def clip_as_relu_min(program: Program) -> tuple[Program, Undo]:
    """The program without ``clip`` from 0, where there is something to train: two thirds of its time in a step.

    For inference ``clip`` stays: MXNet's fusion takes it into the convolution.
    """
    if not program.trainable:
        return program, unchanged
    graph = program.graph
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.op == "clip" and node.values.a_min == 0:
            relu = Node(graph.fresh(f"{node.name}_relu"), "Activation", {"act_type": "relu"}, node.inputs)
            least = Node(node.name, "_minimum_scalar", {"scalar": node.attrs["a_max"]}, ((relu.name, 0),))
            nodes += [relu, least]
        else:
            nodes.append(node)
    return replace(program, graph=Graph(tuple(nodes), graph.heads)), unchanged
