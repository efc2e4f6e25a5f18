"""Depthwise convolutions five columns wide as three that are narrower, while their kernels are in training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ....graph import Entry, Graph, Node
from ...base import Program
from ...passes import Undo, shapes_in, unchanged
from .depthwise import PAD, WIDTH, in_columns, is_depthwise, learns_kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pair = tuple[int, int]


def depthwise_in_columns(program: Program) -> tuple[Program, Undo]:
    """The program in which each column that oneDNN's gradient has no code for is a convolution of its own.

    For the gradient of the kernel, oneDNN 2.4 has code up to three columns. The first and the last of five read a
    shifted map, which a kernel with a single 1 makes. On maps of 28 x 28 this takes two fifths of the time of the
    loop that it takes otherwise, on 7 x 7 a third.
    """
    graph = program.graph
    if not any(learns_kernels(program, node) and is_depthwise(node) for node in graph.nodes):
        return program, unchanged  # and no shapes are asked for
    shapes = shapes_in(program)
    nodes: list[Node] = []
    params = dict(program.params)
    for node in graph.nodes:
        if not (learns_kernels(program, node) and in_columns(node, shapes)):
            nodes.append(node)
            continue
        made = _Columns(graph, node)
        nodes += [Node(name) for name in made.choices if name not in params]
        params.update(made.choices)
        nodes += made.nodes
    return replace(program, graph=Graph(tuple(nodes), graph.heads), params=params), unchanged


class _Columns:
    """What takes the place of a convolution; the last node has its name."""

    def __init__(self, graph: Graph, node: Node) -> None:
        self._graph, self._node = graph, node
        self._channels = node.values.num_filter
        self._height, self._top = node.values.kernel[0], (node.values.pad or (0, 0))[0]
        self._stride: Pair = node.values.stride or (1, 1)
        self.nodes: list[Node] = []
        self.choices: dict[str, NDArray[Any]] = {}
        total = self._middle()
        for number in (0, WIDTH - 1):
            total = self._add(f"sum{number}", "elemwise_add", {}, total, self._outer(number))
        self.nodes[-1] = replace(self.nodes[-1], name=node.name)

    def _middle(self) -> Entry:
        kernel, pad, stride = (self._height, WIDTH - 2), (self._top, PAD - 1), self._stride
        source, weight, *bias = self._node.inputs
        return self._convolution("middle", kernel, stride, pad, source, self._columns(weight, 1, WIDTH - 1), *bias)

    def _outer(self, number: int) -> Entry:
        """What one column adds."""
        choice = np.zeros((self._channels, 1, 1, WIDTH), np.float32)
        choice[..., number] = 1
        name = f"column_{number}_of_{self._channels}"
        self.choices[name] = choice
        chosen = self._add(f"choice{number}", "BlockGrad", {}, (name, 0))  # MXNet would compute some of their gradients
        source, weight = self._node.inputs[:2]
        shifted = self._convolution(f"shifted{number}", (1, WIDTH), (1, self._stride[1]), (0, PAD), source, chosen)
        column = self._columns(weight, number, number + 1)
        return self._convolution(
            f"column{number}", (self._height, 1), (self._stride[0], 1), (self._top, 0), shifted, column
        )

    def _columns(self, weight: Entry, begin: int, end: int) -> Entry:
        attrs = {"axis": "3", "begin": str(begin), "end": str(end)}
        return self._add(f"kernel{begin}", "slice_axis", attrs, weight)

    def _convolution(
        self, part: str, kernel: Pair, stride: Pair, pad: Pair, source: Entry, weight: Entry, *bias: Entry
    ) -> Entry:
        attrs = {
            "kernel": str(kernel),
            "stride": str(stride),
            "pad": str(pad),
            "num_filter": str(self._channels),
            "num_group": str(self._channels),
            "no_bias": str(not bias),
        }
        return self._add(part, "Convolution", attrs, source, weight, *bias)

    def _add(self, part: str, op: str, attrs: Mapping[str, str], *inputs: Entry) -> Entry:
        self.nodes.append(Node(self._graph.fresh(f"{self._node.name}_{part}"), op, attrs, inputs))
        return self.nodes[-1].name, 0
