"""Activations."""

from __future__ import annotations

from math import sqrt

from ....untrusted import FaultError
from ..layers import Layer, rule

_ACTIVATIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "softrelu": "Softplus", "softsign": "Softsign"}


@rule("Activation", "relu", "sigmoid", "tanh", "softsign")
def _activation(layer: Layer) -> None:
    layer.write(_ACTIVATIONS[getattr(layer.values, "act_type", layer.node.operator.name)])


@rule("LeakyReLU")
def _rectifier(layer: Layer) -> None:
    kind, x = layer.values.act_type, layer.inputs[0]
    if kind == "gelu":  # of the opset after next
        inner = layer.step("Erf", "erf", [layer.step("Mul", "scaled", [x, layer.constant("scale", sqrt(0.5))])])
        both = layer.step("Add", "both", [inner, layer.constant("one", 1)])
        layer.write("Mul", [layer.step("Mul", "half", [x, layer.constant("a_half", 0.5)]), both])
    elif kind == "prelu":
        sides = (layer.shape()[1], *(1 for _ in layer.shape()[2:]))
        slope = layer.step("Reshape", "slope", [layer.inputs[1], layer.constant("sides", sides, "int64")])
        layer.write("PRelu", [x, slope])
    elif kind == "selu":
        layer.write("Selu")
    elif kind in ("leaky", "elu"):
        layer.write("LeakyRelu" if kind == "leaky" else "Elu", alpha=float(layer.values.slope))
    else:
        raise FaultError(f"its act_type {kind} has no equivalent")


@rule("hard_sigmoid")
def _hard_sigmoid(layer: Layer) -> None:
    layer.write("HardSigmoid", alpha=float(layer.values.alpha), beta=float(layer.values.beta))


@rule("clip")
def _clip(layer: Layer) -> None:
    ends = [layer.constant(name, getattr(layer.values, name)) for name in ("a_min", "a_max")]
    layer.write("Clip", [*layer.inputs, *ends])


@rule("softmax", "log_softmax")
def _softmax(layer: Layer) -> None:
    x = layer.inputs[0]
    if layer.values.temperature not in (None, 1.0):
        x = layer.step("Div", "cooled", [x, layer.constant("temperature", layer.values.temperature)])
    kind = "Softmax" if layer.node.operator.name == "softmax" else "LogSoftmax"
    layer.write(kind, [x], axis=layer.axis(layer.values.axis))
