"""Averages over whole maps begun by a convolution, in int8."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ....graph import Graph, Node
from ...base import Program
from ...passes import Undo, shapes_in, unchanged

_LONGEST = 8  # side of a kernel: oneDNN's depthwise code in int8 is for small ones


def average_in_int8(program: Program) -> tuple[Program, Undo]:
    """The program whose global averages of convolutions' maps read parts that a depthwise convolution has averaged.

    An average in int8 would be rounded to 8 bits, and for one in float32 MXNet writes the whole map anew, in the order
    in which pooling is slow: half the time of a head on every stage of EfficientNet-Lite0. The convolution reads int8,
    sums in 32 bits and gives float32.
    """
    graph, ranges = program.graph, dict(program.ranges)
    shapes = shapes_in(program)
    nodes: list[Node] = []
    params = dict(program.params)
    for node in graph.nodes:
        side = 1
        if _averages(node) and node.inputs[0][0] in ranges and _of_convolution(graph, node):
            source, index = node.inputs[0]
            _, channels, height, width = shapes[source][index]
            side = max(n for n in range(1, _LONGEST + 1) if height % n == width % n == 0)
        if side == 1:
            nodes.append(node)
            continue
        parts = graph.fresh(f"{node.name}_parts")
        weight = graph.fresh(f"{parts}_weight")
        params[weight] = np.full((channels, 1, side, side), 1 / side**2, np.float32)
        attrs = {"kernel": f"({side}, {side})", "stride": f"({side}, {side})", "num_filter": str(channels),
                 "num_group": str(channels), "no_bias": "True"}  # fmt: skip
        nodes += [Node(weight), Node(parts, "Convolution", attrs, (node.inputs[0], (weight, 0)))]
        nodes.append(replace(node, inputs=((parts, 0),)))
        ranges[parts] = ranges[source]
    return replace(program, graph=Graph(tuple(nodes), graph.heads), params=params, ranges=ranges), unchanged


def _averages(node: Node) -> bool:
    return node.op == "Pooling" and bool(node.values.global_pool) and node.values.pool_type == "avg"


def _of_convolution(graph: Graph, node: Node) -> bool:
    """Whether what it reads is the output of a convolution, past what fusion takes into that."""
    source = graph.node(node.inputs[0][0])
    while source.has_role("activation") or source.has_role("batchnorm"):
        source = graph.node(source.inputs[0][0])
    return source.has_role("convolution") or source.has_role("sum")
