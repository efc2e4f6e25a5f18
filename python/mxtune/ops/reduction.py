"""Sums, means, extremes and norms over axes."""

from __future__ import annotations

from typing import Optional

from .attributes import choice, flag, integer, integers
from .axes import axes_of, axis_of
from .base import Operator, Shape, Values, register

_AXIS = integers("axis", -8, 7, default=None)


def _reduced(data: Shape, axes: Optional[tuple[int, ...]], keepdims: bool, exclude: bool = False) -> Shape:
    gone = set(axes_of(axes, data)) if axes else set(range(len(data)))
    if axes and exclude:
        gone = set(range(len(data))) - gone
    if keepdims:
        return tuple(1 if axis in gone else side for axis, side in enumerate(data))
    return tuple(side for axis, side in enumerate(data) if axis not in gone) or (1,)


def _rule(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    return (_reduced(inputs[0], values.axis, values.keepdims, getattr(values, "exclude", False)),)


for _name, _aliases, _onnx in (
    ("mean", (), "ReduceMean"),
    ("sum", ("sum_axis",), "ReduceSum"),
    ("max", ("max_axis",), "ReduceMax"),
    ("min", ("min_axis",), "ReduceMin"),
    ("prod", (), "ReduceProd"),
    ("nansum", (), ""),
    ("nanprod", (), ""),
):
    register(
        Operator(
            _name,
            _rule,
            attributes=(_AXIS, flag("keepdims"), flag("exclude")),
            aliases=_aliases,
            roles=frozenset({"averages", "flattens", "gathers", "passes_logits"} if _name == "mean" else ()),
            onnx=_onnx,
            caffe="Reduction" if _name in ("mean", "sum") else "",
        )
    )
register(
    Operator(
        "norm",
        _rule,
        attributes=(
            integer("ord", 1, 2, 2),
            _AXIS,
            choice("out_dtype", "float32", default=None, optional=True),
            flag("keepdims"),
        ),
        onnx="ReduceL2",
    )
)


def _one_axis(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    axes = None if values.axis is None else (axis_of(values.axis, inputs[0]),)
    return (_reduced(inputs[0], axes, values.keepdims),)


for _name, _onnx in (("argmax", "ArgMax"), ("argmin", "ArgMin")):
    register(
        Operator(
            _name,
            _one_axis,
            attributes=(integer("axis", -8, 7, None, optional=True), flag("keepdims")),
            onnx=_onnx,
            caffe="ArgMax" if _name == "argmax" else "",
        )
    )
