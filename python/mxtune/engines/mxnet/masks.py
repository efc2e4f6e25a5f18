"""Dropout of a whole batch, of which each part is computed elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...graph import Graph, Node
from ..base import InputSpec, Program
from ..passes import Undo, shapes_in, unchanged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[np.float32]]


class _Mask(NamedTuple):
    input: str
    row: tuple[int, ...]
    dropout: Node


class Masks:
    """What a program multiplies by in training instead of its Dropouts: drawn as MXNet does for the whole batch.

    So what is learned does not depend on how many share the batch, and MXNet's one generator has one user.
    """

    def __init__(self) -> None:
        self._masks: dict[str, _Mask] = {}  # by the product

    def taken(self, program: Program) -> tuple[Program, Undo]:
        """The program with an input in place of each Dropout that draws in training alone."""
        if not program.trainable:
            return program, unchanged
        shapes, nodes = shapes_in(program), []
        for node in program.graph.nodes:
            shape = shapes[node.name][0]
            draws = node.has_role("dropout") and node.values.p > 0 and node.values.mode == "training"
            if draws and shape[0] == 1:  # a row of it for each of the batch
                mask = _Mask(program.graph.fresh(f"{node.name}_mask"), shape[1:], node)
                self._masks[node.name] = mask
                nodes += [Node(mask.input), Node(node.name, "elemwise_mul", {}, (node.inputs[0], (mask.input, 0)))]
            else:
                nodes.append(node)
        inputs = {**program.inputs, **{mask.input: InputSpec(mask.row) for mask in self._masks.values()}}
        return replace(program, graph=Graph(tuple(nodes), program.graph.heads), inputs=inputs), unchanged

    def none(self, rows: int) -> Arrays:
        """For a batch that is predicted."""
        return {mask.input: np.ones((rows, *mask.row), np.float32) for mask in self._masks.values()}

    def drawn(self, mx: Any, symbol: Any, rows: int) -> Arrays:
        """For a batch of training: what MXNet draws for it, once its generator has a seed."""
        arrays: Arrays = {}
        for output in symbol.get_internals().list_outputs() if self._masks else ():  # in the order of computing
            mask = self._masks.get(output.removesuffix("_output"))
            if mask is not None:
                ones, values = mx.nd.ones((rows, *mask.row)), mask.dropout.values
                arrays[mask.input] = mx.nd.Dropout(ones, p=values.p, axes=values.axes or (), mode="always").asnumpy()
        return arrays
