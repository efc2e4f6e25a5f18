"""Functions that Keras writes as layers: ``TFOpLambda`` of Keras 2, operations of Keras 3, such as ``x / 255 - 1``."""

from __future__ import annotations

from typing import Any, Union

import numpy as np

from ...onnx.operators import Value
from ...untrusted import FaultError
from ..building import Building, One, moved
from ..config import Ref
from ..hdf5 import Array
from .base import register_operation

Operand = Union[Value, Array]
_MOST = 2**20
_ARITHMETIC = {
    "add": "Add", "subtract": "Sub", "sub": "Sub", "multiply": "Mul", "mul": "Mul", "truediv": "Div", "realdiv": "Div",
    "truedivide": "Div", "divide": "Div", "pow": "Pow", "power": "Pow", "maximum": "Max", "minimum": "Min",
    "biasadd": "Add",
}  # fmt: skip
_OTHER = ("y", "x2", "value", "bias", "other")
_REDUCED = {"reducemean": "ReduceMean", "mean": "ReduceMean", "reducemax": "ReduceMax", "max": "ReduceMax",
            "reducesum": "ReduceSum", "sum": "ReduceSum"}  # fmt: skip


def _argument(one: One, position: int, *names: str) -> Any:
    """An argument by its place, by one of its names, or as the layer has it itself; None without."""
    if position < len(one.call.arguments):
        return one.call.arguments[position]
    found = (one.call.named.get(name, one.layer.config.get(name)) for name in names)
    return next((value for value in found if value is not None), None)


def _operand(one: One, raw: Any) -> Operand:
    if isinstance(raw, Ref):
        value = one.values.get(raw) or one.values.get(Ref(raw.layer, 0, raw.output))
        if value is None:
            raise FaultError("it takes what does not come before it")
        return value
    array = np.asarray(raw)
    if array.dtype.kind not in "fiub" or array.size > _MOST:
        raise FaultError("one of its arguments is missing, or is no number")
    return array.astype(np.float32)


def _with_constant(one: One, left: Any) -> tuple[Any, Any]:
    """Both operands of a ``TensorFlowOpLayer``, which keeps a number beside itself, by its place."""
    constants = one.layer.config.get("constants")
    place, value = next(iter(constants.items()), ("1", None)) if isinstance(constants, dict) else ("1", None)
    return (value, left) if str(place) == "0" else (left, value)


def _arithmetic(function: str, op: str) -> None:
    @register_operation(function)
    def _applied(net: Building, one: One, inputs: list[Value]) -> Value:
        arguments = one.call.arguments
        if len(arguments) == 1 and isinstance(arguments[0], list):  # several outputs of Keras 2
            arguments = tuple(arguments[0])
        left = arguments[0] if arguments else _argument(one, 0, "x", "x1")
        right = arguments[1] if len(arguments) > 1 else _argument(one, 1, *_OTHER)
        if right is None:
            left, right = _with_constant(one, left)
        sides = _operand(one, left), _operand(one, right)
        if not any(isinstance(side, Value) for side in sides):
            raise FaultError("it takes no value that depends on the image")
        return net.op(op, one.name, *sides)


for _function, _op in _ARITHMETIC.items():
    _arithmetic(_function, _op)


@register_operation("cast", "identity", "stopgradient", "converttotensor", "dropout")
def _unchanged(net: Building, one: One, inputs: list[Value]) -> Value:
    return inputs[0]


@register_operation("negative", "neg")
def _negative(net: Building, one: One, inputs: list[Value]) -> Value:
    return net.op("Mul", one.name, inputs[0], np.array(-1, np.float32))


@register_operation("relu")
def _relu(net: Building, one: One, inputs: list[Value]) -> Value:
    return net.op("Relu", one.name, inputs[0])


@register_operation("leakyrelu")
def _leaky(net: Building, one: One, inputs: list[Value]) -> Value:
    slope = _argument(one, 1, "negative_slope", "alpha")
    return net.op("LeakyRelu", one.name, inputs[0], alpha=0.2 if slope is None else float(slope))


@register_operation("gelu")
def _gelu(net: Building, one: One, inputs: list[Value]) -> Value:
    given = _argument(one, 1, "approximate")
    rough = one.layer.is_operation if given is None else bool(given)  # the default of Keras 3, and not of TensorFlow
    return net.op("Gelu", one.name, inputs[0], approximate="tanh" if rough else "none")


@register_operation("clip", "clipbyvalue")
def _clipped(net: Building, one: One, inputs: list[Value]) -> Value:
    bounds = (_argument(one, 1, "x_min", "clip_value_min"), _argument(one, 2, "x_max", "clip_value_max"))
    return net.op("Clip", one.name, inputs[0], *(np.array(float(bound), np.float32) for bound in bounds))


def _axes(raw: Any) -> tuple[int, ...]:
    axes = tuple(raw) if isinstance(raw, (list, tuple)) else (raw,)
    if not axes or any(type(axis) is not int for axis in axes):
        raise FaultError("it takes all axes, or none that are named")
    return axes


def _reduction(function: str, op: str) -> None:
    @register_operation(function)
    def _applied(net: Building, one: One, inputs: list[Value]) -> Value:
        axes = _axes(_argument(one, 1, "axis"))
        keep = bool(_argument(one, 2, "keepdims"))
        return net.op(op, one.name, inputs[0], axes=axes, keepdims=int(keep))


for _function, _op in _REDUCED.items():
    _reduction(_function, _op)


@register_operation("concat", "concatenate")
def _joined(net: Building, one: One, inputs: list[Value]) -> Value:
    axis = _argument(one, 1, "axis")
    return net.op("Concat", one.name, *inputs, axis=-1 if axis is None else _axes(axis)[0])


@register_operation("reshape")
def _reshaped(net: Building, one: One, inputs: list[Value]) -> Value:
    raw = _argument(one, 1, "newshape", "shape")
    if not isinstance(raw, (list, tuple)) or not all(side is None or type(side) is int for side in raw):
        raise FaultError("its shape is computed from the image")
    rest = [-1 if side is None else side for side in raw[1:]]
    return net.op("Reshape", one.name, inputs[0], np.array([0, *rest]))


@register_operation("transpose")
def _transposed(net: Building, one: One, inputs: list[Value]) -> Value:
    return net.op("Transpose", one.name, inputs[0], perm=_axes(_argument(one, 1, "axes", "perm")))


@register_operation("squeeze")
def _squeezed(net: Building, one: One, inputs: list[Value]) -> Value:
    return net.op("Squeeze", one.name, inputs[0], np.array(_axes(_argument(one, 1, "axis"))))


@register_operation("expanddims")
def _expanded(net: Building, one: One, inputs: list[Value]) -> Value:
    return net.op("Unsqueeze", one.name, inputs[0], np.array(_axes(_argument(one, 1, "axis"))))


@register_operation("flip", "reverse")
def _flipped(net: Building, one: One, inputs: list[Value]) -> Value:
    (axis,) = _axes(_argument(one, 1, "axis"))
    return _backwards(net, one.name, inputs[0], axis)


@register_operation("getitem")
def _part(net: Building, one: One, inputs: list[Value]) -> Value:
    parts = _argument(one, 1, "slice_spec", "key")
    parts = list(parts) if isinstance(parts, (list, tuple)) else [parts]
    x, axis = inputs[0], 0
    for number, part in enumerate(parts):
        if isinstance(part, dict) and part.get("class_name") == "__ellipsis__":
            axis = len(x.shape) - (len(parts) - number - 1)
        elif type(part) is int:
            x = net.op("Gather", one.name, x, np.array(part), axis=axis)
        else:
            x = _slice(net, one.name, x, axis, part)
            axis += 1
    return x


def _slice(net: Building, name: str, x: Value, axis: int, part: Any) -> Value:
    """Begin, end and step, as Keras 3 or TensorFlow writes them."""
    inner = part.get("config", part) if isinstance(part, dict) else None
    start, stop, step = (inner.get(key) for key in ("start", "stop", "step")) if isinstance(inner, dict) else ("",) * 3
    if not all(value is None or type(value) is int for value in (start, stop, step)):
        raise FaultError("it takes a part that is computed")
    if (start, stop, step) == (None, None, -1):
        return _backwards(net, name, x, axis)
    stop = 2**31 - 1 if stop is None else stop
    return net.op("Slice", name, x, *(np.array([number]) for number in (start or 0, stop, axis, step or 1)))


def _backwards(net: Building, name: str, x: Value, axis: int) -> Value:
    """A value with its few channels in the other order: from red, green and blue to blue, green and red."""
    axis = x.axis(axis)
    side = x.shape[axis]
    if side > 4 or axis == 0:
        raise FaultError("it turns round other than the channels of an image")
    parts = [
        net.op("Slice", f"{name}_{at}", x, np.array([at]), np.array([at + 1]), np.array([axis]))
        for at in reversed(range(side))
    ]
    return net.op("Concat", name, *parts, axis=axis)


@register_operation("stack")
def _stacked(net: Building, one: One, inputs: list[Value]) -> Value:
    axis = _argument(one, 1, "axis")
    axis = 0 if axis is None else _axes(axis)[0]
    rank = len(inputs[0].shape)
    if rank == 3 and axis in (3, -1):  # channels, each by itself: stored before height and width
        maps = [net.writer.reshaped(x, (x.shape[0], 1, *x.shape[1:]), f"{one.name}_map") for x in inputs]
        return net.op("Concat", one.name, *(moved(one, (0, 2, 3, 1)) for one in maps), axis=3)
    parts = [net.op("Unsqueeze", f"{one.name}_part", x, np.array([axis])) for x in inputs]
    return net.op("Concat", one.name, *parts, axis=axis)
