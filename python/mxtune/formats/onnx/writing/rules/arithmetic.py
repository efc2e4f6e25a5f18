"""Arithmetic and reductions."""

from __future__ import annotations

from .....ops import all_operators
from ..layers import RULES, Layer, rule

_DIRECT = {
    "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Cos", "Cosh", "Erf", "Exp", "Floor", "Log",
    "Neg",
    "Reciprocal", "Round", "Sign", "Sin", "Sinh", "Sqrt", "Tan", "Add", "Sub", "Mul", "Div", "Max", "Min", "Pow", "Sum",
    "Identity",
}  # fmt: skip


def _direct(layer: Layer) -> None:
    layer.write(layer.node.operator.onnx)


for _operator in all_operators():
    if _operator.onnx in _DIRECT:
        RULES[_operator.name] = _direct


@rule("Dropout", "BlockGrad", "Cast", "amp_cast", "make_loss", "MakeLoss")
def _nothing(layer: Layer) -> None:
    layer.write("Identity", layer.inputs[:1])


@rule("square")
def _square(layer: Layer) -> None:
    layer.write("Mul", layer.inputs * 2)


@rule("rsqrt")
def _rsqrt(layer: Layer) -> None:
    layer.write("Reciprocal", [layer.step("Sqrt", "root", layer.inputs)])


_SCALARS = {
    "plus": "Add",
    "minus": "Sub",
    "mul": "Mul",
    "div": "Div",
    "power": "Pow",
    "maximum": "Max",
    "minimum": "Min",
}


@rule(*(f"_{name}_scalar" for name in (*_SCALARS, "rminus", "rdiv", "rpower")))
def _scalar(layer: Layer) -> None:
    kind = layer.node.operator.name[1:-7]
    sides = [*layer.inputs, layer.constant("scalar", layer.values.scalar)]
    reverse = kind not in _SCALARS
    layer.write(_SCALARS[kind[1:] if reverse else kind], sides[::-1] if reverse else sides)


@rule("mean", "sum", "max", "min", "prod")
def _reduction(layer: Layer) -> None:
    values, rank = layer.values, len(layer.shape())
    axes = sorted(layer.axis(axis) for axis in values.axis) if values.axis else list(range(rank))
    if values.axis and values.exclude:
        axes = [axis for axis in range(rank) if axis not in axes]
    name = layer.node.operator.name
    keep = int(values.keepdims)
    if name == "sum":  # whose axes have become an input already
        layer.write("ReduceSum", [*layer.inputs, layer.constant("axes", axes, "int64")], keepdims=keep)
    else:
        layer.write(f"Reduce{name.capitalize()}", axes=axes, keepdims=keep)
