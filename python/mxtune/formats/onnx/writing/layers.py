"""A layer on its way into an ONNX file, and the registry of the rules that write it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Union

from ....graph import Graph, Node, Shapes
from ....ops import Shape
from ...untrusted import FaultError
from ..operators import BATCH
from .file import File

Rule = Callable[["Layer"], None]
RULES: dict[str, Rule] = {}


@dataclass(frozen=True)
class Layer:
    """One node, and the file that it is written to.

    Parameters
    ----------
    shapes
        Of all nodes' outputs, for a batch of `BATCH` images.
    """

    file: File
    graph: Graph
    node: Node
    shapes: Shapes

    @property
    def values(self) -> Any:
        """The operator's arguments."""
        return self.node.values

    @property
    def inputs(self) -> list[str]:
        """What its inputs are called in the file."""
        return [name_of(*entry) for entry in self.node.inputs]

    @property
    def outputs(self) -> list[str]:
        """What its outputs are called."""
        return [name_of(self.node.name, number) for number in range(self.node.n_outputs)]

    def shape(self, position: int = 0) -> Shape:
        """The shape of an input."""
        name, output = self.node.inputs[position]
        return self.shapes[name][output]

    @property
    def output_shape(self) -> Shape:
        """The shape of the first output."""
        return self.shapes[self.node.name][0]

    def write(self, op: str, inputs: Union[Sequence[str], None] = None, **attributes: Any) -> None:
        """The node that gives the outputs."""
        self.file.add(op, self.inputs if inputs is None else inputs, self.outputs[:1], **attributes)

    def step(self, op: str, what: str, inputs: Sequence[str], **attributes: Any) -> str:
        """A node in between, and the name of its output."""
        name = f"{self.node.name}/{what}"
        self.file.add(op, inputs, name, **attributes)
        return name

    def constant(self, what: str, values: Any, dtype: str = "float32") -> str:
        """A constant of this node."""
        return self.file.constant(f"{self.node.name}/{what}", values, dtype)

    def axis(self, axis: int, position: int = 0) -> int:
        """An axis of an input, counted from the front."""
        return axis % len(self.shape(position))


def name_of(name: str, output: int) -> str:
    """What an output of a node is called in the file."""
    return name if output == 0 else f"{name}:{output}"


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Registers what writes these operators."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        return function

    return register


def target(shape: Shape) -> list[int]:
    """A shape for ONNX's Reshape: the side that the batch is part of left open."""
    if sum(side % BATCH == 0 for side in shape) > 1:
        raise FaultError("the batch is part of two of its axes")
    return [-1 if side % BATCH == 0 else side for side in shape]


def sides_of(values: Any, name: str, default: int) -> tuple[int, ...]:
    """One of the arguments of a window, a number for each side: the default where it is not given."""
    return getattr(values, name) or (default,) * len(values.kernel)


def write(layer: Layer) -> None:
    """Add a node to the file.

    Raises
    ------
    FaultError
        It has no equivalent.
    """
    function = RULES.get(layer.node.operator.name)
    if function is None:
        raise FaultError("the operator has no equivalent")
    function(layer)
