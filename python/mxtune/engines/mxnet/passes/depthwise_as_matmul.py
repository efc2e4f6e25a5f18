"""Depthwise convolutions of small maps as matrix products, while their kernels are in training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ....graph import Entry, Graph, Node, Shapes, subgraph
from ...base import Program
from ...passes import Undo, shapes_in, unchanged, zeros_before
from .depthwise import in_columns, is_depthwise, learns_kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....graph import Shapes

    Pair = tuple[int, int]

_LARGEST = 5_200  # places read times places written, up to which this was faster than oneDNN's loop


def depthwise_as_matmul(program: Program) -> tuple[Program, Undo]:
    """The program in which each channel of a depthwise convolution in training is multiplied by a matrix.

    For the gradient of the kernel, oneDNN 2.4 has code only up to 3 x 3 and where the kernel fits into the map. The
    loop that it takes otherwise costs 2 to 13 times as much as this: half a training step of EfficientNet-Lite0.
    """
    graph = program.graph
    if not any(learns_kernels(program, node) and is_depthwise(node) for node in graph.nodes):
        return program, unchanged  # and no shapes are asked for
    shapes = shapes_in(program)
    nodes: list[Node] = []
    choices: dict[str, NDArray[Any]] = {}
    for node in graph.nodes:
        window = _window(graph, node, shapes) if learns_kernels(program, node) else None
        if window is None:
            nodes.append(node)
            continue
        if window.name not in choices:
            choices[window.name] = window.choice()
            nodes.append(Node(window.name))
        nodes += _product(graph, node, window)
    products = subgraph(Graph(tuple(nodes), graph.heads), graph.heads)
    return replace(program, graph=products, params={**program.params, **choices}), unchanged


@dataclass(frozen=True)
class _Window:
    """What a convolution reads and how its kernel moves over it: heights and widths."""

    source: Entry
    size: Pair
    after: Pair
    kernel: Pair
    stride: Pair
    before: Pair  # zeros above and left

    @property
    def name(self) -> str:
        return "window_" + "_".join(str(n) for pair in (self.size, self.kernel, self.stride, self.before) for n in pair)

    def choice(self) -> NDArray[np.float32]:
        """(places of the kernel, places read x places written): 1 where that one takes this to that."""
        sizes = zip(self.kernel, self.size, self.after, self.stride, self.before)
        rows, columns = (_reach(*one) for one in sizes)
        together = np.einsum("iqy,jrx->ijqryx", rows, columns)
        choice: NDArray[np.float32] = together.reshape(math.prod(self.kernel), -1).astype(np.float32)
        return choice


def _reach(kernel: int, size: int, after: int, stride: int, before: int) -> NDArray[np.bool_]:
    k, q, y = np.ogrid[:kernel, :size, :after]
    reach: NDArray[np.bool_] = q == y * stride + k - before
    return reach


def _window(graph: Graph, node: Node, shapes: Shapes) -> Optional[_Window]:
    """How this convolution moves over its map, where a matrix is faster."""
    if not is_depthwise(node) or max(node.values.dilate, default=1) > 1:
        return None
    zeros = zeros_before(graph, node)
    source = node.inputs[0] if zeros is None else graph.node(node.inputs[0][0]).inputs[0]
    (_, channels, *size), (_, units, *after) = shapes[source[0]][source[1]], shapes[node.name][0]
    if not channels == units == node.values.num_group or len(size) != 2:
        return None
    kernel, stride = node.values.kernel, node.values.stride or (1, 1)
    before = node.values.pad or (0, 0)
    if zeros is not None:
        before = (zeros[0][0], zeros[1][0])
    elif max(kernel) <= 3 and min(size) >= max(kernel):
        return None  # oneDNN has code for it
    if math.prod((*size, *after)) > _LARGEST or (zeros is None and in_columns(node, shapes)):
        return None
    return _Window(source, *((a, b) for a, b in (size, after, kernel, stride, before)))


def _product(graph: Graph, node: Node, window: _Window) -> list[Node]:
    """The nodes in place of the convolution; the last one has its name."""
    made: list[Node] = []

    def add(part: str, op: str, attrs: Mapping[str, str], *inputs: Entry) -> Entry:
        made.append(Node(graph.fresh(f"{node.name}_{part}"), op, attrs, inputs))
        return made[-1].name, 0

    read, (height, width) = math.prod(window.size), window.after
    swapped = {"axes": "(1, 0, 2, 3)"}  # while there are four axes: MXNet 1.9 loses the layout of what becomes four
    channels = add("channels", "transpose", swapped, window.source)
    places = add("places", "Reshape", {"shape": "(0, 0, -1)"}, channels)
    kernels = add("kernels", "Reshape", {"shape": "(0, -1)"}, node.inputs[1])
    chosen = add("chosen", "dot", {}, kernels, (window.name, 0))
    matrices = add("matrices", "Reshape", {"shape": f"(0, {read}, {height * width})"}, chosen)
    out = add("product", "batch_dot", {}, places, matrices)
    if len(node.inputs) > 2:
        out = add("sum", "broadcast_add", {}, out, add("shift", "Reshape", {"shape": "(-1, 1, 1)"}, node.inputs[2]))
    squares = add("squares", "Reshape", {"shape": f"(0, 0, {height}, {width})"}, out)
    return [*made, Node(node.name, "transpose", swapped, (squares,))]
