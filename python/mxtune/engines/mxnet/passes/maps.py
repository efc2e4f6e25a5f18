"""Maps with channels of zeros, for passes that give them as many as oneDNN's fast code takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Optional

import numpy as np

from ....graph import Entry, Graph, Node, Shapes
from ...base import Params, Program
from ...passes import Undo, unchanged
from .mirror_maps import is_mirror

_LEAST_EPS = 1e-10  # what is added has no variance
_SUMS = ("elemwise_add", "elemwise_sub", "elemwise_mul")

Wanted = Callable[[int, bool], int]
"""From the channels of maps, and whether all convolutions that give or read them are 1 x 1 or depthwise, to how many
they had best have."""


def with_zeros(program: Program, shapes: Shapes, wanted: Wanted, cuts_averages: bool = False) -> tuple[Program, Undo]:
    """The program whose maps have so many channels, where nothing but zeros is added.

    What is added stays zero: its kernels read and give zeros, and no gradient comes back from the zeros that read it.
    All parameters only grow at their ends; the way back cuts them.

    Parameters
    ----------
    cuts_averages
        Whether averages and maxima of whole maps lose what was added, rather than hand it on.
    """
    maps = _Maps(program, shapes, wanted, cuts_averages)
    nodes = tuple(made for node in program.graph.nodes for made in maps.grown(node))
    if not maps.sizes:
        return program, unchanged
    arrays = dict(program.params)
    for name, shape in maps.sizes.items():
        old = arrays[name]
        arrays[name] = np.pad(old, [(0, after - before) for before, after in zip(old.shape, shape)])

    def cut(learned: Params) -> Params:
        """Parameters without what was added at their ends."""
        own = {name: program.params[name].shape for name in learned.keys() & maps.sizes.keys()}
        return {n: np.ascontiguousarray(a[tuple(map(slice, own[n]))]) if n in own else a for n, a in learned.items()}

    return replace(program, graph=Graph(nodes, program.graph.heads), params=arrays), cut


class _Maps:
    """Which maps must have the same channels, and how many those are afterwards."""

    def __init__(self, program: Program, shapes: Shapes, wanted: Wanted, cuts_averages: bool) -> None:
        self._program, self._shapes, self._wanted, self._cuts = program, shapes, wanted, cuts_averages
        self._first: dict[Entry, Entry] = {}  # what has a map's channels, up to the convolution that gives them
        self._fixed: set[Entry] = set()
        self._wide: set[Entry] = set()  # what a convolution of more than 1 x 1 over all channels gives or reads
        self.sizes: dict[str, tuple[int, ...]] = {}
        """The shapes of the parameters that grow."""
        for node in program.graph.nodes:
            self._join(node)
        for entry in program.graph.heads:
            self._fix(entry)

    def _root(self, entry: Entry) -> Entry:
        while entry in self._first and self._first[entry] != entry:
            entry = self._first[entry]
        return entry

    def _fix(self, *entries: Entry) -> None:
        self._fixed.update(self._root(entry) for entry in entries)

    def _channels(self, entry: Entry) -> int:
        return int(self._shapes[entry[0]][entry[1]][1])

    def _join(self, node: Node) -> None:
        """Take a node's output for maps of the same channels as its inputs; or leave those as they are."""
        if node.is_variable:
            return
        out, source = (node.name, 0), node.inputs[:1]
        if node.has_role("convolution") and self._own(node):
            self._fix(*node.inputs[1:])
            if node.values.num_group == 1:
                self._first[out] = out
                if max(node.values.kernel) > 1:
                    self._wide |= {out, self._root(source[0])}
                return
            depthwise = node.values.num_group == node.values.num_filter == self._channels(source[0])
            if depthwise and source[0] in self._first:
                self._first[out] = self._root(source[0])
                return
        elif self._ends(node):
            return
        elif node.op == "Flatten" or (node.has_role("batchnorm") and self._own(node)) or _keeps_zeros(node):
            if source[0] in self._first:
                self._first[out] = self._root(source[0])
                return
        elif node.op in _SUMS and all(entry in self._first for entry in node.inputs):
            one, other = (self._root(entry) for entry in node.inputs)
            if self._channels(one) == self._channels(other):
                self._first[other] = self._first[out] = one
                if other in self._fixed:
                    self._fix(one)
                if other in self._wide:
                    self._wide.add(one)
                return
        self._fix(*node.inputs)

    def _ends(self, node: Node) -> bool:
        """Whether what it gives has its own channels, whatever its maps have."""
        return self._is_cut(node) or (node.op == "FullyConnected" and node.values.flatten and self._own(node))

    def _is_cut(self, node: Node) -> bool:
        """Whether it averages whole maps, or takes their maxima, and loses what is added to them."""
        return self._cuts and node.op == "Pooling" and bool(node.values.global_pool)

    def _own(self, node: Node) -> bool:
        """Whether nothing else reads its parameters, and its arrays are laid out as the others are."""
        name, at = node.inputs[0]
        if node.op != "FullyConnected" and len(self._shapes[name][at]) != 4:
            return False
        if node.has_role("batchnorm"):
            values = node.values
            if getattr(values, "axis", 1) != 1 or values.output_mean_var or values.eps < _LEAST_EPS:
                return False
        return all(self._variable(entry) is not None for entry in node.inputs[1:])

    def _variable(self, entry: Entry) -> Optional[str]:
        """The parameter that is read here alone, if need be behind zeros around its kernels, or mirrored."""
        graph, name = self._program.graph, entry[0]
        node = graph.node(name)
        if len(graph.consumers[name]) == 1 and (node.has_role("pads") or is_mirror(node)):
            name = graph.node(name).inputs[0][0]
        alone = len(graph.consumers[name]) == 1 and not any(name == head for head, _ in graph.heads)
        return name if alone and name in self._program.params else None

    def _after(self, entry: Entry) -> Optional[int]:
        """The channels that a map has afterwards; None for what has those it had."""
        root = self._root(entry)
        if root not in self._first or root in self._fixed:
            return None
        before = self._channels(root)
        after = self._wanted(before, root not in self._wide)
        return after if after > before else None

    def grown(self, node: Node) -> list[Node]:
        """The node for what its maps have afterwards; its parameters are noted in `sizes`."""
        if node.is_variable or (node.inputs[0] not in self._first and (node.name, 0) not in self._first):
            return [node]
        source = self._after(node.inputs[0])
        out = self._after((node.name, 0))
        if node.has_role("convolution"):
            self._grow(node.inputs[1], 0, out)
            if node.values.num_group == 1:
                self._grow(node.inputs[1], 1, source)
            for bias in node.inputs[2:]:
                self._grow(bias, 0, out)
            if out is not None:
                attrs = {**node.attrs, "num_filter": str(out)}
                if node.values.num_group > 1:
                    attrs["num_group"] = str(out)
                return [replace(node, attrs=attrs)]
        elif node.has_role("batchnorm"):
            for entry in node.inputs[1:]:
                self._grow(entry, 0, out)
        elif node.op == "FullyConnected" and source is not None:
            weight = self._program.params[node.inputs[1][0]]
            places = weight.shape[1] // self._channels(self._root(node.inputs[0]))
            self._grow(node.inputs[1], 1, source * places)
        elif source is not None and self._is_cut(node):
            whole = replace(node, name=self._program.graph.fresh(f"{node.name}_whole"))
            attrs = {"axis": "1", "begin": "0", "end": str(self._channels(node.inputs[0]))}
            return [whole, Node(node.name, "slice_axis", attrs, ((whole.name, 0),))]
        return [node]

    def _grow(self, entry: Entry, axis: int, size: Optional[int]) -> None:
        name = self._variable(entry)
        if name is not None and size is not None:
            shape = list(self.sizes.get(name, self._program.params[name].shape))
            shape[axis] = size
            self.sizes[name] = tuple(shape)


def _keeps_zeros(node: Node) -> bool:
    """Whether it takes each channel by itself, and one of zeros to zeros."""
    values: Any = node.values
    if node.op == "Activation":
        return bool(values.act_type in ("relu", "tanh", "softsign"))
    if node.op == "LeakyReLU":
        return bool(values.act_type in ("leaky", "elu", "gelu"))
    if node.op == "clip":
        return bool(values.a_min <= 0 <= values.a_max)
    return node.op == "Pooling"
