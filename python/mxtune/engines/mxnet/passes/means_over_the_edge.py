"""Means over windows that reach over the edge, in the form whose gradient MXNet 1.9 has right."""

from __future__ import annotations

from dataclasses import replace

from ....graph import Graph, Node, Shapes
from ...base import Program
from ...passes import Undo, shapes_in, unchanged


def means_over_the_edge(program: Program) -> tuple[Program, Undo]:
    """The program in training whose means of the convention "full" leave the padding out, where there is none.

    That is the same function. With the padding counted in, MXNet 1.9 loses the gradient of windows that reach over the
    edge on a CPU: 2 x 2 by steps of 2 over 7 x 7 have a wrong one.
    """
    graph = program.graph
    if not program.trainable or not any(map(_is_full_mean, graph.nodes)):
        return program, unchanged  # and no shapes are asked for
    shapes = shapes_in(program)
    nodes = tuple(
        replace(node, attrs={**node.attrs, "count_include_pad": "False"})
        if _is_full_mean(node) and _reaches_over(node, shapes)
        else node
        for node in graph.nodes
    )
    return replace(program, graph=Graph(nodes, graph.heads)), unchanged


def _is_full_mean(node: Node) -> bool:
    """Whether it takes means, up to the last window that begins within the map, and there is no padding."""
    if node.op != "Pooling" or node.values.global_pool or node.values.pool_type != "avg":
        return False
    return node.values.pooling_convention == "full" and not any(node.values.pad)


def _reaches_over(node: Node, shapes: Shapes) -> bool:
    """Whether a last window does, and none lies beyond it.

    Of other maps MXNet has the gradient as it is; in this form it would say a line to stderr, or fail.
    """
    (name, at), kernel = node.inputs[0], node.values.kernel
    steps = node.values.stride or (1,) * len(kernel)
    over = [-(side - width) % step for side, width, step in zip(shapes[name][at][2:], kernel, steps)]
    return any(over) and all(reach < width for reach, width in zip(over, kernel))
