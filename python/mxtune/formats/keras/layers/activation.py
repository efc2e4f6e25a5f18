"""Activations: as layers, and as what other layers end in."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Optional

import numpy as np

from ...onnx.operators import Value
from ...untrusted import FaultError, shown
from ..building import Building, One, first, last
from ..config import Layer
from .base import register, register_operation

Function = Callable[[Building, str, Value], Value]


def _hard_sigmoid(net: Building, name: str, x: Value) -> Value:
    slope = 1 / 6 if net.version >= (3,) else 0.2
    return net.op("HardSigmoid", name, x, alpha=slope, beta=0.5)


def _clipped(net: Building, name: str, x: Value, low: Optional[float], high: Optional[float]) -> Value:
    bounds = [None if one is None else np.array(one, np.float32) for one in (low, high)]
    return net.op("Clip", name, x, *bounds)


_BY_ONNX = {
    "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "softplus": "Softplus", "softsign": "Softsign",
    "swish": "Swish", "silu": "Swish", "mish": "Mish", "elu": "Elu", "selu": "Selu", "exponential": "Exp",
    "hard_swish": "HardSwish", "hard_silu": "HardSwish", "softmax": "Softmax", "log_softmax": "LogSoftmax",
    "gelu": "Gelu", "sqrt": "Sqrt", "abs": "Abs", "exp": "Exp", "log": "Log",
}  # fmt: skip
_ATTRIBUTES: dict[str, dict[str, Any]] = {
    "Elu": {"alpha": 1.0}, "Softmax": {"axis": -1}, "LogSoftmax": {"axis": -1}, "Swish": {"alpha": 1.0}
}  # fmt: skip
_WRITTEN: dict[str, Function] = {
    "linear": lambda net, name, x: x,
    "hard_sigmoid": _hard_sigmoid,
    "relu6": lambda net, name, x: _clipped(net, name, x, 0, 6),
    "square": lambda net, name, x: net.writer.same(x, "square", name),
    "leaky_relu": lambda net, name, x: net.op("LeakyRelu", name, x, alpha=0.2),
}


def function_of(value: Any) -> str:
    """The name of an activation, as a file has it: a text, or what Keras 3 writes of an object.

    Raises
    ------
    FaultError
        It is a function that is not Keras' own.
    """
    if isinstance(value, dict):
        config = value.get("config")
        if str(value.get("module") or "keras").split(".")[0] not in ("keras", "tf_keras", "builtins"):
            raise FaultError(f"the activation {shown(str(config))} is not one of Keras'")
        value = config if isinstance(config, str) else value.get("class_name")
    if value is None:
        return "linear"
    if not isinstance(value, str):
        raise FaultError("its activation is no text")
    return value


def activate(net: Building, name: str, x: Value, function: str) -> Value:
    """A function of Keras, of each value or of the last axis."""
    plain = function.rsplit(">", 1)[-1]
    if plain in _WRITTEN:
        return _WRITTEN[plain](net, name, x)
    if plain not in _BY_ONNX:
        raise FaultError(
            f"the activation {shown(plain)} is not one that is read", "Its code is not in the file, if it is your own."
        )
    op = _BY_ONNX[plain]
    return net.op(op, name, x, **_ATTRIBUTES.get(op, {}))


def activated(net: Building, one: One, x: Value) -> Value:
    """What a layer gives, behind the activation that it ends in."""
    function = function_of(one.layer.config.get("activation"))
    return activate(net, f"{one.name}_{function.split('>')[-1]}", x, function)


@register("Activation")
def _activation(net: Building, one: One, inputs: list[Value]) -> Value:
    return activate(net, one.name, inputs[0], function_of(one.layer.config.get("activation")))


@register("ReLU")
def _relu(net: Building, one: One, inputs: list[Value]) -> Value:
    slope, threshold = one.number("negative_slope", 0), one.number("threshold", 0)
    most = None if one.get("max_value") is None else one.number("max_value", 0)
    if threshold or (slope and most is not None):
        raise FaultError("a threshold, or a slope with a maximum, is not read")
    if slope:
        return net.op("LeakyRelu", one.name, inputs[0], alpha=slope)
    return net.op("Relu", one.name, inputs[0]) if most is None else _clipped(net, one.name, inputs[0], 0, most)


@register("LeakyReLU")
def _leaky(net: Building, one: One, inputs: list[Value]) -> Value:
    slope = one.number("negative_slope", one.number("alpha", 0.3))
    return net.op("LeakyRelu", one.name, inputs[0], alpha=slope)


@register("ELU")
def _elu(net: Building, one: One, inputs: list[Value]) -> Value:
    return net.op("Elu", one.name, inputs[0], alpha=one.number("alpha", 1.0))


@register("Softmax")
def _softmax(net: Building, one: One, inputs: list[Value]) -> Value:
    axis = one.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if type(axis) is not int:
        raise FaultError("a softmax over several axes is not read")
    return net.op("Softmax", one.name, inputs[0], axis=axis)


def _slopes(layer: Layer) -> tuple[str, ...]:
    return ("alpha",)


@register("PReLU", slots=_slopes)
def _prelu(net: Building, one: One, inputs: list[Value]) -> Value:
    x, slopes = inputs[0], one.arrays["alpha"]
    already = one.is_first(net)
    channels = x.shape[1] if already or len(x.shape) == 2 else x.shape[-1]
    if slopes.size not in (1, channels) or math.prod(slopes.shape) != max(slopes.shape, default=1):
        raise FaultError("it has a slope for each pixel: share them (shared_axes=[1, 2])")
    if len(x.shape) == 2:
        return net.op("PRelu", one.name, x, slopes.reshape(-1))
    return last(net.op("PRelu", one.name, first(x, already), slopes.reshape(-1, 1, 1)), already)


def _operation(function: str) -> None:
    @register_operation(function.replace("_", ""))
    def _applied(net: Building, one: One, inputs: list[Value]) -> Value:
        return activate(net, one.name, inputs[0], function)


for _function in (
    "sigmoid", "tanh", "softplus", "softsign", "swish", "silu", "mish", "hard_swish", "hard_silu", "hard_sigmoid",
    "relu6", "softmax", "square", "sqrt", "abs", "exp", "log", "selu", "elu",
):  # fmt: skip
    _operation(_function)
