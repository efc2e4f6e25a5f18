"""The writer of layers that ONNX's operators become, and the registry of these operators."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import NDArray

from ....errors import NetworkError
from ....graph import Entry, Graph, Node
from ....graph.names import Names
from ....ops import MisfitError, Shape, spell
from ....words import shape_text
from ...untrusted import FaultError
from ..model import OnnxNode

Array = NDArray[Any]
BATCH = 7919
"""The number of images while a graph is read: a prime, so that a side it is part of is known to be open."""
_MOST_INTEGERS = 1_000  # that a node is told: the parts of a Split


@dataclass(frozen=True, eq=False)
class Const:
    """A value that needs no image.

    Parameters
    ----------
    array
        Its numbers.
    name
        Of the array of the file that these are, in the same order; empty for others.
    turned
        Whether they are the transposed matrix of that.
    """

    array: Array
    name: str = ""
    turned: bool = False


@dataclass(frozen=True)
class Value:
    """A value that depends on the image.

    Parameters
    ----------
    entry
        The output of a layer that holds it.
    shape
        As ONNX has it, the batch being `BATCH`.
    axes
        For each of its axes the axis of the entry: so that a network that has channels last is written with channels
        first, and most transposes vanish.
    """

    entry: Entry
    shape: Shape
    axes: tuple[int, ...]

    @property
    def is_plain(self) -> bool:
        """Whether the entry's axes are in ONNX's order."""
        return self.axes == tuple(range(len(self.axes)))

    def axis(self, axis: int) -> int:
        """One of its axes, counted from the front."""
        if not -len(self.shape) <= axis < len(self.shape):
            raise FaultError(f"it has no axis {axis} in its input of {shape_text(self.shape)}")
        return axis % len(self.shape)


Input = Union[Const, Value, None]


@dataclass(frozen=True)
class Call:
    """A node with its inputs.

    Parameters
    ----------
    opset
        The version of ONNX's operators.
    inputs
        None for one that is left out.
    layer
        What the layer is to be called.
    once
        Whether each input is used here alone.
    """

    node: OnnxNode
    opset: int
    inputs: tuple[Input, ...]
    layer: str
    once: tuple[bool, ...]

    def attribute(self, name: str, default: Any) -> Any:
        """What the node is told, or the default; the type is that of the default where there is one.

        Raises
        ------
        FaultError
            It is of another type.
        """
        value = self.node.attributes.get(name, default)
        wanted = (int, float) if isinstance(default, float) else type(default)
        if default is not None and not isinstance(value, wanted):
            raise FaultError(f"its {name} is of another type")
        return value

    def has(self, position: int) -> bool:
        """Whether this input is there."""
        return position < len(self.inputs) and self.inputs[position] is not None

    def value(self, position: int = 0) -> Value:
        """An input that depends on the image."""
        one = self.inputs[position] if position < len(self.inputs) else None
        if not isinstance(one, Value):
            raise FaultError(f"its input {position} does not depend on the image")
        return one

    def const(self, position: int, what: str) -> Const:
        """An input that does not."""
        one = self.inputs[position] if position < len(self.inputs) else None
        if not isinstance(one, Const):
            raise FaultError(f"its {what} is missing, or is computed from the image")
        return one

    def integers(self, position: int, name: str) -> Optional[tuple[int, ...]]:
        """Whole numbers that older versions have as an attribute and newer ones as an input; None without."""
        if self.has(position):
            array = self.const(position, name).array
            if array.size > _MOST_INTEGERS:
                raise FaultError(f"its {name} has {array.size:,} numbers")
            return tuple(int(number) for number in np.ravel(array))
        value = self.attribute(name, None)
        if isinstance(value, int):
            return (value,)
        if value is not None and not (isinstance(value, tuple) and all(isinstance(one, int) for one in value)):
            raise FaultError(f"its {name} is of another type")
        if value is not None and len(value) > _MOST_INTEGERS:
            raise FaultError(f"its {name} has {len(value):,} numbers")
        return value


class Writer:
    """Writes layers, knows their shapes, and keeps the parameters.

    Parameters
    ----------
    fixed
        The number of images for which the file was made, if it fixes one; 0 if not.
    most_folded
        How many numbers may be computed that need no image; `folded` counts them.
    """

    def __init__(self, fixed: int = 0, most_folded: int = 0) -> None:
        self.fixed, self.most_folded, self.folded = fixed, most_folded, 0
        self.names = Names()
        self.operators: dict[str, Node] = {}
        self.variables: dict[str, Node] = {}
        self.shapes: dict[str, tuple[Shape, ...]] = {}
        self.params: dict[str, Array] = {}

    # ---- writing

    def image(self, shape: Shape) -> Entry:
        """The variable of the images."""
        name = self.names.new("data")
        self.variables[name] = Node(name)
        self.shapes[name] = (shape,)
        return name, 0

    def layers(self, op: str, name: str, inputs: Sequence[Union[Value, Entry]], **attrs: object) -> list[Value]:
        """A layer of ours, and its outputs; values must be plain, and attributes of None are left out."""
        entries = tuple(one.entry if isinstance(one, Value) else one for one in inputs)
        written = {key: spell(value) for key, value in attrs.items() if value is not None}
        node = Node(self.names.new(name), op, written, entries)
        self._place(node)
        return [_plain_value((node.name, number), shape) for number, shape in enumerate(self.shapes[node.name])]

    def layer(self, op: str, name: str, inputs: Sequence[Union[Value, Entry]], **attrs: object) -> Value:
        """A layer of ours, and its first output."""
        return self.layers(op, name, inputs, **attrs)[0]

    def _place(self, node: Node) -> None:
        shapes = tuple(self.stored(entry) for entry in node.inputs)
        try:
            _, self.shapes[node.name] = node.operator.infer(node.values, shapes)
        except MisfitError as fault:
            raise FaultError(f"as {node.op}, {fault.words}") from None
        self.operators[node.name] = node

    def replace(self, value: Value, **changes: Any) -> Value:
        """The layer that gives this value, changed; its outputs keep their shapes."""
        self._place(replace(self.operators[value.entry[0]], **changes))
        return value

    def parameter(
        self, const: Const, layer: str, slot: str, array: Optional[Array] = None, free: bool = False
    ) -> Entry:
        """A parameter with these numbers, each time a new one: under the file's name, or after the layer and its slot.

        Parameters
        ----------
        array
            The numbers in the shape that the layer takes, if not that of the constant.
        free
            Whether it lies in no slot of its layer, and so must declare its shape.
        """
        values = const.array if array is None else array
        name = self.names.new(const.name if _usable(const.name) else f"{layer}_{slot}")
        self.variables[name] = Node(name, attrs={"__shape__": spell(values.shape)} if free else {})
        self.shapes[name] = (tuple(values.shape),)
        self.params[name] = values
        return name, 0

    def stored(self, entry: Entry) -> Shape:
        """The shape of an output of a layer of ours."""
        return self.shapes[entry[0]][entry[1]]

    def maker(self, value: Value, op: str) -> Optional[Node]:
        """The layer that gives this value, if it is of this operator."""
        node = self.operators.get(value.entry[0])
        return node if node is not None and node.op == op else None

    def same(self, value: Value, op: str, name: str, more: Sequence[Entry] = (), **attrs: object) -> Value:
        """A layer that keeps the shape of this value, whatever the order of its axes."""
        return replace(value, entry=self.layer(op, name, [value.entry, *more], **attrs).entry)

    def repeated(self, const: Const, array: Array, name: str) -> Value:
        """A constant (1, ...) once for each image: added to zeros that are made from the images."""
        data = self.layer("slice", f"{name}_corner", [("data", 0)], begin=(0, 0, 0, 0), end=(None, 1, 1, 1))
        corner = self.reshaped(data, (BATCH, *(1 for _ in array.shape[1:])), f"{name}_corner")
        zeros = self.layer("zeros_like", f"{name}_zeros", [corner])
        weight = self.parameter(const, name, "value", array, free=True)
        return self.layer("broadcast_add", f"{name}_repeated", [zeros, weight])

    # ---- the order of axes

    def plain(self, value: Value) -> Value:
        """The value with its axes in ONNX's order."""
        if value.is_plain:
            return value
        if self.keeps_order(value):
            return self.reshaped(value, value.shape, f"{value.entry[0]}_turned")
        return self.layer("transpose", f"{value.entry[0]}_turned", [value.entry], axes=value.axes)

    def stored_as(self, value: Value, axes: tuple[int, ...]) -> Entry:
        """An entry with the value's axes in this order."""
        if value.axes == axes:
            return value.entry
        back = inverse(axes)  # which of the value's axes is the entry's first, second, ...
        order = tuple(value.axes[axis] for axis in back)
        return self.plain(Value(value.entry, tuple(value.shape[axis] for axis in back), order)).entry

    def keeps_order(self, value: Value) -> bool:
        """Whether the numbers lie in ONNX's order already, since the axes that moved have one element."""
        moved = [axis for axis in value.axes if self.stored(value.entry)[axis] > 1]
        return moved == sorted(moved)

    def reshaped(self, value: Value, shape: Shape, name: str) -> Value:
        """The value in another shape, in which one side holds the batch."""
        if not self.keeps_order(value):
            value = self.plain(value)
        while node := self.maker(value, "Reshape") or self.maker(value, "Flatten"):  # of two in a row the last counts
            value = _plain_value(node.inputs[0], self.stored(node.inputs[0]))
        if self.stored(value.entry) == shape:
            return _plain_value(value.entry, shape)
        if len(shape) == 2 and shape[0] == self.stored(value.entry)[0] == BATCH:
            return self.layer("Flatten", name, [value.entry])
        relative = _relative(self.stored(value.entry), shape)
        if relative:
            return self.layer("Reshape", name, [value.entry], shape=relative)
        opened = tuple(-1 if side % BATCH == 0 else side for side in shape)
        if opened.count(-1) != 1:
            raise FaultError(f"it mixes the images of a batch: {shape_text(shape)} with {BATCH} images")
        return self.layer("Reshape", name, [value.entry], shape=opened)

    def without(self, value: Value, axes: Sequence[int], name: str) -> Value:
        """The value without some of its axes, which have one element."""
        gone = {value.axes[axis] for axis in axes}
        stored = self.stored(value.entry)
        if any(stored[axis] != 1 for axis in gone):
            raise FaultError(f"an axis of its input of {shape_text(value.shape)} that it removes is not 1")
        left = [axis for axis in range(len(stored)) if axis not in gone]
        entry = self.reshaped(_plain_value(value.entry, stored), tuple(stored[axis] for axis in left), name).entry
        kept = [axis for axis in range(len(value.shape)) if axis not in axes]
        return Value(entry, tuple(value.shape[a] for a in kept), tuple(left.index(value.axes[a]) for a in kept))

    # ---- the result

    def graph(self, *heads: Entry) -> Graph:
        """The graph that ends in these entries: each variable before the layer that first takes it."""
        nodes: dict[str, Node] = {}
        for node in [*self.operators.values(), *self.variables.values()]:
            for source, _ in node.inputs:
                if source in self.variables:
                    nodes.setdefault(source, self.variables[source])
            nodes.setdefault(node.name, node)
        return Graph(tuple(nodes.values()), heads)


def inverse(axes: Sequence[int]) -> tuple[int, ...]:
    """The order that undoes a transpose."""
    return tuple(sorted(range(len(axes)), key=lambda axis: axes[axis]))


def _plain_value(entry: Entry, shape: Shape) -> Value:
    return Value(entry, shape, tuple(range(len(shape))))


def _usable(name: str) -> bool:
    """Whether an array's name says something: not one that an exporter made up."""
    return bool(re.fullmatch(r"[\w.\-]+", name)) and not re.fullmatch(r"(val|const|Constant|_)?_?\d+", name)


def _relative(old: Shape, new: Shape) -> Shape:
    """A side split, or two put together, in MXNet's codes, so that it holds for images of any size; else nothing."""
    most = min(len(old), len(new))
    start = next((n for n in range(most) if old[n] != new[n]), most)
    end = next((n for n in range(most - start) if old[-1 - n] != new[-1 - n]), most - start)
    rest = (-2,) * (end > 0)
    if not start or abs(len(old) - len(new)) != 1 or max(len(old), len(new)) - start - end != 2:
        return ()
    return (*(0 for _ in range(start)), *((-3,) if len(old) > len(new) else (-4, *new[start : start + 2])), *rest)


Converter = Callable[[Writer, Call], Union[Input, Iterable[Input]]]
_CONVERTERS: dict[str, Converter] = {}
_REFUSED: dict[str, str] = {}


def register(*ops: str) -> Callable[[Converter], Converter]:
    """Say how these operators become layers.

    Raises
    ------
    ValueError
        One has been told already.
    """

    def add(function: Converter) -> Converter:
        if taken := set(ops) & (set(_CONVERTERS) | set(_REFUSED)):
            raise ValueError(f"{', '.join(sorted(taken))} is known already")
        _CONVERTERS.update(dict.fromkeys(ops, function))
        return function

    return add


def refuse(why: str, *ops: str) -> None:
    """Say why these operators are not read."""
    _REFUSED.update(dict.fromkeys(ops, why))


def names() -> tuple[str, ...]:
    """The operators that are read."""
    return tuple(sorted(_CONVERTERS))


def reason(op: str) -> str:
    """Why an operator is not read; empty for an unknown one."""
    return _REFUSED.get(op, "")


def convert(writer: Writer, call: Call) -> Optional[list[Input]]:
    """The outputs of a node, written as layers; None for an operator that is not read."""
    converter = _CONVERTERS.get(call.node.op) if not call.node.domain else None
    if converter is None:
        return None
    try:
        result = converter(writer, call)
    except (ValueError, IndexError, TypeError, OverflowError, ZeroDivisionError, NetworkError) as fault:
        raise FaultError(f"its inputs or arguments do not fit ({str(fault)[:100]})") from None
    return [result] if result is None or isinstance(result, (Const, Value)) else list(result)


def size_of(shape: Sequence[int]) -> int:
    """How many numbers an array of this shape has."""
    return math.prod(shape)
