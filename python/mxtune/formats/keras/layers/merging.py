"""Layers that take several values."""

from __future__ import annotations

import numpy as np

from ...onnx.operators import Value
from ..building import Building, One
from .base import register

_OPERATORS = {"Add": "Sum", "Average": "Mean", "Maximum": "Max", "Minimum": "Min"}


@register(*_OPERATORS)
def _several(net: Building, one: One, inputs: list[Value]) -> Value:
    return net.op(_OPERATORS[one.layer.kind], one.name, *inputs)


@register("Multiply")
def _product(net: Building, one: One, inputs: list[Value]) -> Value:
    total = inputs[0]
    for other in inputs[1:]:
        total = net.op("Mul", one.name, total, other)
    return total


@register("CustomScaleLayer")
def _scaled_sum(net: Building, one: One, inputs: list[Value]) -> Value:
    """The sum of one and a share of the other, as keras.applications has it in InceptionResNetV2."""
    left, right = inputs
    return net.op("Add", one.name, left, net.op("Mul", f"{one.name}_scaled", right, np.float32(one.number("scale", 1))))


@register("Subtract")
def _difference(net: Building, one: One, inputs: list[Value]) -> Value:
    left, right = inputs
    return net.op("Sub", one.name, left, right)


@register("Concatenate")
def _joined(net: Building, one: One, inputs: list[Value]) -> Value:
    return net.op("Concat", one.name, *inputs, axis=one.whole("axis", -1))
