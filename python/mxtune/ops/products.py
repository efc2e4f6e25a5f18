"""Products of matrices: dense layers, dot, batch_dot, and the lookup of rows."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from ..words import shape_text
from .attributes import FLOAT32, choice, flag, integer
from .base import DATA, WEIGHT, Operator, Shape, Slot, Values, register
from .convolution import weight_and_bias
from .misfit import MisfitError

_SIDES = (Slot("lhs"), Slot("rhs"))
_TRANSPOSES = (
    flag("transpose_a"),
    flag("transpose_b"),
    choice("forward_stype", "default", default=None, optional=True),
)


def _dense(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    leading_axes = inputs[0][:1] if values.flatten else inputs[0][:-1]
    return ((*leading_axes, values.num_hidden),)


def _dense_parameters(values: Values, data: Shape) -> Mapping[str, Shape]:
    width = prod(data[1:]) if values.flatten else data[-1]
    return {"weight": (values.num_hidden, width), "bias": (values.num_hidden,)}


register(
    Operator(
        "FullyConnected",
        _dense,
        slots=weight_and_bias,
        attributes=(integer("num_hidden", 1, 2**20), flag("no_bias"), flag("flatten", True)),
        roles=frozenset({"weighted", "dense"}),
        parameters=_dense_parameters,
        macs=lambda values, inputs, outputs: prod(inputs[1]) * prod(outputs[0][:-1]),
        onnx="Gemm",
        caffe="InnerProduct",
    )
)


def _dot(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    left, right = inputs
    if len(left) < 2 or len(right) < 2:
        raise MisfitError(f"it can't multiply {shape_text(left)} by {shape_text(right)}")
    rows, inner = (left[1:], left[0]) if values.transpose_a else (left[:-1], left[-1])
    columns, other = (right[:-1], right[-1]) if values.transpose_b else (right[1:], right[0])
    if inner != other:
        raise MisfitError(f"it can't multiply {shape_text(left)} by {shape_text(right)}")
    return ((*rows, *columns),)


def _batch_dot(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    left, right = inputs
    if len(left) != len(right) or len(left) < 3 or left[:-2] != right[:-2]:
        raise MisfitError(f"it can't multiply {shape_text(left)} by {shape_text(right)}")
    rows, inner = (left[-1], left[-2]) if values.transpose_a else (left[-2], left[-1])
    columns, other = (right[-2], right[-1]) if values.transpose_b else (right[-1], right[-2])
    if inner != other:
        raise MisfitError(f"it can't multiply {shape_text(left)} by {shape_text(right)}")
    return ((*left[:-2], rows, columns),)


def _dot_macs(values: Values, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> int:
    return prod(outputs[0]) * (inputs[0][0] if values.transpose_a else inputs[0][-1])


def _batch_dot_macs(values: Values, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> int:
    return prod(outputs[0]) * inputs[0][-2 if values.transpose_a else -1]


register(Operator("dot", _dot, _SIDES, _TRANSPOSES, macs=_dot_macs, onnx="MatMul"))
register(Operator("batch_dot", _batch_dot, _SIDES, _TRANSPOSES, macs=_batch_dot_macs, onnx="MatMul"))

register(
    Operator(
        "Embedding",
        lambda values, inputs: ((*inputs[0], values.output_dim),),
        slots=(DATA, WEIGHT),
        attributes=(
            integer("input_dim", 1, 2**24),
            integer("output_dim", 1, 2**20),
            FLOAT32,
            choice("sparse_grad", "False", "0", default="False"),
        ),
        parameters=lambda values, data: {"weight": (values.input_dim, values.output_dim)},
        onnx="Gather",
        caffe="Embed",
    )
)
