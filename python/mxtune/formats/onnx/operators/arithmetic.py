"""Arithmetic: on two values, or on a value and a constant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import numpy as np

from ....graph import Node
from ...untrusted import FaultError
from .base import Array, Call, Const, Input, Value, Writer, inverse, register

# For each operator: of two values of one shape, of two that are broadcast, with a number, and of a number with a value
_OPERATORS = {
    "Add": ("elemwise_add", "broadcast_add", "_plus_scalar", "_plus_scalar"),
    "Sub": ("elemwise_sub", "broadcast_sub", "_minus_scalar", "_rminus_scalar"),
    "Mul": ("elemwise_mul", "broadcast_mul", "_mul_scalar", "_mul_scalar"),
    "Div": ("elemwise_div", "broadcast_div", "_div_scalar", "_rdiv_scalar"),
    "Pow": ("_power", "broadcast_power", "_power_scalar", "_rpower_scalar"),
    "Min": ("_minimum", "broadcast_minimum", "_minimum_scalar", "_minimum_scalar"),
    "Max": ("_maximum", "broadcast_maximum", "_maximum_scalar", "_maximum_scalar"),
}
_NOTHING = {("Add", 0.0), ("Sub", 0.0), ("Mul", 1.0), ("Div", 1.0), ("Pow", 1.0)}  # on the right


@register("Add", "Sub", "Mul", "Div", "Pow")
def _two(writer: Writer, call: Call) -> Value:
    return _combined(writer, call.node.op, call.layer, (call.inputs[0], call.inputs[1]), call.once[:2])


@register("Min", "Max", "Sum", "Mean")
def _several(writer: Writer, call: Call) -> Value:
    op = {"Sum": "Add", "Mean": "Add"}.get(call.node.op, call.node.op)
    total = call.inputs[0]
    for other, alone in zip(call.inputs[1:], call.once[1:]):
        total = _combined(writer, op, call.layer, (total, other), (True, alone))
    if not isinstance(total, Value):
        raise FaultError("it has one input, which does not depend on the image")
    if call.node.op == "Mean":
        return writer.same(total, "_mul_scalar", f"{call.layer}_mean", scalar=1 / len(call.inputs))
    return total


def _combined(writer: Writer, op: str, name: str, sides: tuple[Input, Input], once: Sequence[bool]) -> Value:
    left, right = sides
    if isinstance(left, Value) and isinstance(right, Value):
        return _of_values(writer, op, name, left, right)
    if isinstance(left, Value) and isinstance(right, Const):
        return _with_const(writer, op, name, left, right, once[0])
    if not isinstance(left, Const) or not isinstance(right, Value):
        raise FaultError("an input is missing")
    if op in ("Add", "Mul", "Min", "Max"):
        return _combined(writer, op, name, (right, left), (once[1], once[0]))
    if left.array.size == 1 and left.array.ndim <= len(right.shape):
        return writer.same(right, _OPERATORS[op][3], name, scalar=float(left.array.reshape(-1)[0]))
    return _with_array(writer, op, name, right, left, turned=True)


def _with_const(writer: Writer, op: str, name: str, x: Value, const: Const, once: bool) -> Value:
    if const.array.size == 1 and const.array.ndim <= len(x.shape):
        return _with_number(writer, op, name, x, float(const.array.reshape(-1)[0]))
    biased = _with_bias(writer, x, const) if op == "Add" and once else None
    return biased or _with_array(writer, op, name, x, const, turned=False)


def _with_number(writer: Writer, op: str, name: str, x: Value, number: float) -> Value:
    if (op, number) in _NOTHING:
        return x
    if (op, number) == ("Pow", 2.0):
        return writer.same(x, "square", name)
    return writer.same(x, _OPERATORS[op][2], name, scalar=number)


def _of_values(writer: Writer, op: str, name: str, left: Value, right: Value) -> Value:
    if len(left.shape) != len(right.shape):
        left, right = writer.plain(left), writer.plain(right)
        shape, axes = np.broadcast_shapes(left.shape, right.shape), tuple(range(max(len(left.shape), len(right.shape))))
        return Value(writer.layer(_OPERATORS[op][1], name, [left, right]).entry, shape, axes)
    larger = left if np.prod(left.shape) >= np.prod(right.shape) else right  # which keeps its order of axes
    entries = [writer.stored_as(side, larger.axes) for side in (left, right)]
    alike = left.shape == right.shape
    entry = writer.layer(_OPERATORS[op][0 if alike else 1], name, entries).entry
    return Value(entry, tuple(map(max, left.shape, right.shape)), larger.axes)


def _stored(x: Value, array: Array) -> Array:
    """A constant with as many axes as the value, in the order in which that is stored."""
    return array.reshape((1,) * (len(x.shape) - array.ndim) + array.shape).transpose(inverse(x.axes))


def _with_array(writer: Writer, op: str, name: str, x: Value, const: Const, turned: bool) -> Value:
    if const.array.ndim > len(x.shape):
        raise FaultError("its constant has more axes than what depends on the image")
    along = [axis for axis, side in zip(x.axes[-const.array.ndim :], const.array.shape) if side > 1]
    if along != sorted(along):  # a parameter keeps its order: the value is brought to it
        x = writer.plain(x)
    parameter = writer.parameter(const, name, "value", np.ascontiguousarray(_stored(x, const.array)), free=True)
    entries = [parameter, x.entry] if turned else [x.entry, parameter]
    entry = writer.layer(_OPERATORS[op][1], name, entries).entry
    shape = tuple(writer.stored(entry)[axis] for axis in x.axes)
    return Value(entry, shape, x.axes)


def _with_bias(writer: Writer, x: Value, const: Const) -> Optional[Value]:
    """The layer that gives the value, with this bias, if it is a dense one or a convolution that has none."""
    node = writer.operators.get(x.entry[0])
    if node is None or node.op not in ("FullyConnected", "Convolution") or not node.values.no_bias:
        return None
    stored = writer.stored(x.entry)
    axis = 1 if node.op == "Convolution" else len(stored) - 1
    array = const.array
    if array.ndim > len(stored) or array.size != stored[axis] or _stored(x, array).shape[axis] != array.size:
        return None
    bias = writer.parameter(const, node.name, "bias", array.reshape(-1))
    return writer.replace(x, **_biased(node, bias))


def _biased(node: Node, bias: tuple[str, int]) -> dict[str, object]:
    return {"inputs": (*node.inputs, bias), "attrs": {**node.attrs, "no_bias": "False"}}
