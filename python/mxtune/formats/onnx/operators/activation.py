"""Activations: functions of each value by itself; and softmax, which needs its neighbours."""

from __future__ import annotations

import math
from typing import Optional

import numpy as np

from ....ops import all_operators
from ....ops.base import DATA
from ...untrusted import FaultError
from ..fold import bounded
from ..model import FLOATING
from .base import BATCH, Call, Value, Writer, register

_ACTIVATIONS = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Softplus": "softrelu", "Softsign": "softsign"}
_FUNCTIONS = {
    one.onnx: one.name
    for one in all_operators()
    if one.onnx and "activation" in one.roles and one.slots == (DATA,) and not one.attributes
    and one.onnx not in (*_ACTIVATIONS, "Identity")
}  # fmt: skip


@register(*_ACTIVATIONS)
def _activation(writer: Writer, call: Call) -> Value:
    return writer.same(call.value(), "Activation", call.layer, act_type=_ACTIVATIONS[call.node.op])


@register(*_FUNCTIONS)
def _function(writer: Writer, call: Call) -> Value:
    return writer.same(call.value(), _FUNCTIONS[call.node.op], call.layer)


@register("Identity")
def _identity(writer: Writer, call: Call) -> Value:
    return call.value()


@register("Cast", "CastLike")
def _cast(writer: Writer, call: Call) -> Value:
    """All is computed as float32, so half precision is widened, and other numbers are refused."""
    if call.node.op == "Cast" and call.attribute("to", 1) not in FLOATING:
        raise FaultError("it makes whole numbers of values that depend on the image")
    return call.value()


@register("Dropout")
def _dropout(writer: Writer, call: Call) -> Value:
    ratio = float(call.const(1, "ratio").array.reshape(-1)[0]) if call.has(1) else call.attribute("ratio", 0.5)
    return writer.same(call.value(), "Dropout", call.layer, p=ratio) if ratio else call.value()


def _limit(call: Call, position: int, name: str) -> Optional[float]:
    """A bound of a Clip: an attribute until ONNX 10, an input since."""
    value = call.const(position, name).array.reshape(-1)[:1] if call.has(position) else call.attribute(name, None)
    if value is None or not np.size(value) or abs(number := float(np.ravel(value)[0])) >= 1e30:
        return None
    return number


@register("Clip")
def _clip(writer: Writer, call: Call) -> Value:
    x, low, high = call.value(), _limit(call, 1, "min"), _limit(call, 2, "max")
    if low is None and high is None:
        return x
    if high is None:
        if low == 0:
            return writer.same(x, "Activation", call.layer, act_type="relu")
        return writer.same(x, "_maximum_scalar", call.layer, scalar=low)
    if low is None:
        return writer.same(x, "_minimum_scalar", call.layer, scalar=high)
    return writer.same(x, "clip", call.layer, a_min=low, a_max=high)


@register("LeakyRelu")
def _leaky(writer: Writer, call: Call) -> Value:
    slope = call.attribute("alpha", 0.01)
    return writer.same(call.value(), "LeakyReLU", call.layer, act_type="leaky", slope=slope)


@register("Elu")
def _elu(writer: Writer, call: Call) -> Value:
    return writer.same(call.value(), "LeakyReLU", call.layer, act_type="elu", slope=call.attribute("alpha", 1.0))


@register("Selu")
def _selu(writer: Writer, call: Call) -> Value:
    alpha, gamma = call.attribute("alpha", 1.67326), call.attribute("gamma", 1.0507)
    if abs(alpha - 1.67326) > 1e-4 or abs(gamma - 1.0507) > 1e-4:
        raise FaultError("its alpha and gamma are not those of SELU")
    return writer.same(call.value(), "LeakyReLU", call.layer, act_type="selu")


@register("PRelu")
def _prelu(writer: Writer, call: Call) -> Value:
    x, slope = writer.plain(call.value()), call.const(1, "slope")
    channels = x.shape[1]
    array = slope.array.reshape(-1)
    if array.size not in (1, channels) or slope.array.size != max(slope.array.shape, default=1):
        raise FaultError("it has a slope for each pixel")
    values = array if array.size == channels else np.repeat(array, bounded((channels,))[0])
    return writer.layer(
        "LeakyReLU", call.layer, [x, writer.parameter(slope, call.layer, "gamma", values)], act_type="prelu"
    )


def _gate(writer: Writer, call: Call, x: Value) -> Value:
    return writer.same(
        x, "hard_sigmoid", call.layer, alpha=call.attribute("alpha", 0.2), beta=call.attribute("beta", 0.5)
    )


@register("HardSigmoid")
def _hard_sigmoid(writer: Writer, call: Call) -> Value:
    return _gate(writer, call, call.value())


@register("HardSwish")
def _hard_swish(writer: Writer, call: Call) -> Value:
    x = call.value()
    gate = writer.same(x, "hard_sigmoid", f"{call.layer}_gate", alpha=1 / 6, beta=0.5)
    return writer.same(x, "elemwise_mul", call.layer, [gate.entry])


@register("Mish")
def _mish(writer: Writer, call: Call) -> Value:
    x = call.value()
    gate = writer.same(x, "Activation", f"{call.layer}_softrelu", act_type="softrelu")
    gate = writer.same(gate, "Activation", f"{call.layer}_gate", act_type="tanh")
    return writer.same(x, "elemwise_mul", call.layer, [gate.entry])


@register("Swish")
def _swish(writer: Writer, call: Call) -> Value:
    x, alpha = call.value(), call.attribute("alpha", 1.0)
    scaled = x if alpha == 1 else writer.same(x, "_mul_scalar", f"{call.layer}_scaled", scalar=alpha)
    gate = writer.same(scaled, "Activation", f"{call.layer}_gate", act_type="sigmoid")
    return writer.same(x, "elemwise_mul", call.layer, [gate.entry])


@register("Gelu")
def _gelu(writer: Writer, call: Call) -> Value:
    x = call.value()
    if call.attribute("approximate", "none") == "none":
        return writer.same(x, "LeakyReLU", call.layer, act_type="gelu")
    cube = writer.same(x, "_power_scalar", f"{call.layer}_cube", scalar=3.0)
    inner = writer.same(cube, "_mul_scalar", f"{call.layer}_inner", scalar=0.044715)
    inner = writer.same(x, "elemwise_add", f"{call.layer}_inner", [inner.entry])
    inner = writer.same(inner, "_mul_scalar", f"{call.layer}_inner", scalar=math.sqrt(2 / math.pi))
    gate = writer.same(inner, "Activation", f"{call.layer}_gate", act_type="tanh")
    gate = writer.same(gate, "_plus_scalar", f"{call.layer}_gate", scalar=1.0)
    gate = writer.same(gate, "_mul_scalar", f"{call.layer}_gate", scalar=0.5)
    return writer.same(x, "elemwise_mul", call.layer, [gate.entry])


@register("Softmax", "LogSoftmax")
def _softmax(writer: Writer, call: Call) -> Value:
    x = call.value()
    op = "softmax" if call.node.op == "Softmax" else "log_softmax"
    axis = x.axis(call.attribute("axis", -1 if call.opset >= 13 else 1))
    if x.shape[axis] % BATCH == 0:
        raise FaultError("it takes the images of a batch together")
    if call.opset >= 13 or all(side == 1 for side in x.shape[axis + 1 :]):
        return writer.same(x, op, call.layer, axis=x.axes[axis])
    if axis != 1:
        raise FaultError("it takes several axes together")
    flat = writer.reshaped(x, (x.shape[0], math.prod(x.shape[1:])), f"{call.layer}_flat")
    return writer.reshaped(writer.layer(op, call.layer, [flat], axis=1), x.shape, f"{call.layer}_maps")
