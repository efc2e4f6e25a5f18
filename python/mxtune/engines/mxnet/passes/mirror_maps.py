"""Maps in training mirrored, where that makes TensorFlow's uneven SAME padding even."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Optional

from ....graph import Entry, Graph, Node, subgraph
from ....ops import Shape, Values
from ...base import Program
from ...passes import Undo, shapes_in, unchanged, zeros_before

_POINTWISE = ("Activation", "LeakyReLU", "clip", "relu", "sigmoid", "elemwise_add", "elemwise_sub", "elemwise_mul")
_MIRROR = {"begin": "(None, None, None, None)", "end": "(None, None, None, None)", "step": "(1, 1, -1, -1)"}


def mirror_maps(program: Program) -> tuple[Program, Undo]:
    """The program that computes with images upside down and mirrored, and with its kernels so.

    By steps of 2, TensorFlow adds its zeros below and on the right. Mirrored, they are above and on the left, where a
    convolution has its own; below and on the right it stops where its window would be over the edge. Otherwise a kernel
    of 3 x 3 becomes one of 4 x 4 (`absorb_asymmetric_padding`), and for the gradient of a depthwise one oneDNN 2.4 has
    no code: it takes 36 of 56 ms on 112 x 112. It is done for all maps up to the poolings of whole maps, or for none.
    """
    graph = program.graph
    if not program.trainable or all(zeros_before(graph, n) is None for n in graph.nodes if n.has_role("convolution")):
        return program, unchanged
    mirrored = _Mirrored(program)
    heads = {name for name, _ in graph.heads}
    if not all(mirrored.takes(node) for node in graph.nodes) or mirrored.maps & heads:
        return program, unchanged
    turned = Graph(tuple(mirrored.nodes), graph.heads)
    return replace(program, graph=subgraph(turned, turned.heads)), unchanged


def is_mirror(node: Node) -> bool:
    """Whether this node mirrors what it takes."""
    return node.op == "slice" and node.attrs == _MIRROR


class _Mirrored:
    """The nodes of the mirrored program, as they come."""

    def __init__(self, program: Program) -> None:
        self._program, self._graph = program, program.graph
        self._shapes = shapes_in(program)
        self._sources: dict[Entry, Entry] = {}  # what is read instead of an input
        self.maps: set[str] = set()
        """The names of those that are mirrored."""
        self.nodes: list[Node] = []

    def takes(self, node: Node) -> bool:
        """Whether this node can be among the others; it then is."""
        of_maps = [name in self.maps for name, _ in node.inputs]
        node = node.taking(tuple(self._sources.get(entry, entry) for entry in node.inputs))
        if node.op == "Convolution" and of_maps[0]:
            convolution = None if any(of_maps[1:]) else self._convolution(node)
            if convolution is None:
                return False
            node = convolution
        elif node.has_role("pads") and any(of_maps):
            if any(zeros_before(self._graph, reader) is None for reader in self._graph.consumers[node.name]):
                return False
            self.maps.add(node.name)
            return True  # by what reads it
        elif any(of_maps) and not self._is_same(node, of_maps):
            return False
        self.nodes.append(node)
        size = self._shapes[node.name][0][2:]
        if node.name in self._program.inputs and len(size) == 2:
            self._sources[node.name, 0] = self._mirror(node.name)
        elif not any(of_maps):
            return True
        if math.prod(size) > 1:
            self.maps.add(node.name)
        return True

    def _mirror(self, name: str) -> Entry:
        self.nodes.append(Node(self._graph.fresh(f"{name}_mirrored"), "slice", _MIRROR, ((name, 0),)))
        return self.nodes[-1].name, 0

    def _is_same(self, node: Node, of_maps: Sequence[bool]) -> bool:
        """Whether a node does the same with what is mirrored."""
        if node.has_role("batchnorm"):
            return getattr(node.values, "axis", 1) == 1 and not any(of_maps[1:])
        if node.op == "Pooling":
            size = self._shapes[self._graph.node(node.name).inputs[0][0]][0][2:]
            values, after = node.values, self._shapes[node.name][0][2:]
            if values.global_pool or (values.kernel == tuple(size) and not any(values.pad)):
                return True  # of the whole map
            return _after(values, size, after) == (tuple(values.pad) or (0, 0))
        return node.op in _POINTWISE and all(of_maps)

    def _convolution(self, node: Node) -> Optional[Node]:
        """The convolution with zeros on the other side, and its kernels mirrored; None where it has no such padding."""
        own = self._graph.node(node.name)
        zeros = zeros_before(self._graph, own)
        source = own.inputs[0] if zeros is None else self._graph.node(own.inputs[0][0]).inputs[0]
        size, after = (self._shapes[name][at][2:] for name, at in (source, (node.name, 0)))
        before = own.values.pad if zeros is None else (zeros[0][0], zeros[1][0])
        pad = _after(own.values, size, after, before)
        if pad is None:
            return None
        weight = self._mirror(own.inputs[1][0]) if max(own.values.kernel) > 1 else own.inputs[1]
        inputs = (self._sources.get(source, source), weight, *own.inputs[2:])
        return replace(own, attrs={**own.attrs, "pad": str(pad)}, inputs=inputs)


def _after(values: Values, size: Shape, after: Shape, before: Optional[Shape] = None) -> Optional[tuple[int, ...]]:
    """How far windows reach over the lower right edge, if as many fit when as much is added on both sides."""
    ones = (1,) * len(size)
    pads = []
    sides = (
        values.kernel,
        values.stride or ones,
        getattr(values, "dilate", ()) or ones,
        before or values.pad or (0, 0),
    )
    for n, places, kernel, stride, dilate, pad in zip(size, after, *sides):
        reach = (kernel - 1) * dilate + 1
        over = (places - 1) * stride + reach - n - pad
        if over < 0 or (n + 2 * over - reach) // stride + 1 != places:
            return None
        pads.append(over)
    return tuple(pads)
