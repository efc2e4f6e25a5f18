"""Products of matrices: dense layers, and products of two values that depend on the image."""

from __future__ import annotations

from typing import Optional

import numpy as np

from ....graph import Entry
from ...untrusted import FaultError
from .base import Array, Call, Const, Value, Writer, register


@register("Gemm")
def _gemm(writer: Writer, call: Call) -> Value:
    x, weight = writer.plain(call.value()), call.const(1, "weight")
    if call.attribute("transA", 0) or weight.array.ndim != 2:
        raise FaultError("it is no dense layer of images")
    alpha, beta = call.attribute("alpha", 1.0), call.attribute("beta", 1.0)
    if alpha != 1:
        weight = Const(weight.array * np.float32(alpha))
    if not call.attribute("transB", 0):
        weight = turned(weight)
    bias = call.const(2, "bias") if call.has(2) and beta else None
    if bias is not None and beta != 1:
        bias = Const(bias.array * np.float32(beta))
    return _dense(writer, call.layer, x, weight, bias)


def turned(const: Const) -> Const:
    """A matrix transposed; one that the file has so keeps its name."""
    return Const(const.array.T, const.name, not const.turned)


def _weight(writer: Writer, name: str, const: Const, shape: tuple[int, ...]) -> Entry:
    if const.turned:  # the file's own array is the other way round: another order, another name
        const = Const(const.array)
    return writer.parameter(const, name, "weight", np.ascontiguousarray(const.array).reshape(shape))


def _dense(writer: Writer, name: str, x: Value, weight: Const, bias: Optional[Const]) -> Value:
    units, width = weight.array.shape
    inputs: list[Value | Entry] = [writer.plain(x), _weight(writer, name, weight, (units, width))]
    if bias is not None:
        inputs.append(writer.parameter(bias, name, "bias", _spread(bias.array, units)))
    flat = None if len(x.shape) == 2 else False
    return writer.layer("FullyConnected", name, inputs, num_hidden=units, no_bias=bias is None, flatten=flat)


def _spread(array: Array, units: int) -> Array:
    if array.size == units:
        return array.reshape(-1)
    if array.size == 1:
        return np.repeat(array.reshape(-1), units)
    raise FaultError("its bias does not fit")


@register("MatMul")
def _product(writer: Writer, call: Call) -> Value:
    x, other = call.value(), call.inputs[1]
    if isinstance(other, Value):
        return _of_values(writer, call.layer, x, other)
    weight = call.const(1, "matrix")
    if weight.array.ndim != 2:
        raise FaultError("its matrix has more than two axes")
    weight = turned(weight)
    if len(x.shape) == 4 and x.axes[-1] == 1:  # channels are last for ONNX, and stored second: a convolution of 1 x 1
        units, width = weight.array.shape
        kernel = _weight(writer, call.layer, weight, (units, width, 1, 1))
        layer = writer.layer(
            "Convolution", call.layer, [x.entry, kernel], kernel=(1, 1), num_filter=units, no_bias=True
        )
        return Value(layer.entry, (*x.shape[:-1], units), x.axes)
    return _dense(writer, call.layer, x, weight, None)


def _of_values(writer: Writer, name: str, left: Value, right: Value) -> Value:
    if len(left.shape) != len(right.shape) or len(left.shape) < 3:
        raise FaultError("its inputs have different numbers of axes")
    order = tuple(range(len(right.shape)))
    swapped = (*order[:-2], order[-1], order[-2])
    if right.axes == swapped:
        return writer.layer("batch_dot", name, [writer.plain(left).entry, right.entry], transpose_b=True)
    if len(order) == 4 and right.axes == (0, 2, 3, 1):  # heads behind tokens, then transposed: one transpose does both
        right = Value(right.entry, tuple(right.shape[axis] for axis in swapped), (0, 2, 1, 3))
        return writer.layer("batch_dot", name, [writer.plain(left), writer.plain(right)], transpose_b=True)
    return writer.layer("batch_dot", name, [writer.plain(left), writer.plain(right)])
