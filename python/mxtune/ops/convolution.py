"""Convolutions and their transposes."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from ..words import shape_text
from .attributes import CUDNN, REQUIRED, choice, flag, integer, integers, workspace
from .base import BIAS, DATA, WEIGHT, Operator, Shape, Slot, Values, register
from .misfit import MisfitError
from .windows import LARGEST, Window, places, window

_ATTRIBUTES = (
    integers("kernel", 1, LARGEST, 1, 2, REQUIRED),
    integers("stride", 1, LARGEST, 0, 2),
    integers("dilate", 1, LARGEST, 0, 2),
    integers("pad", 0, LARGEST, 0, 2),
    integer("num_filter", 1, 2**20),
    integer("num_group", 1, 2**20, 1),
    choice("layout", "NCHW", "NCW", default=None, optional=True),
    *CUDNN,
)


def weight_and_bias(values: Values) -> tuple[Slot, ...]:
    """The slots of an operator that may have a bias."""
    return (DATA, WEIGHT) if values.no_bias else (DATA, WEIGHT, BIAS)


def _groups(values: Values, channels: int) -> None:
    if channels % values.num_group or values.num_filter % values.num_group:
        raise MisfitError(
            f"its {values.num_group} groups do not divide {channels} channels into {values.num_filter} filters"
        )


def _convolved(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    return ((inputs[0][0], values.num_filter, *places(window(values, inputs[0]))),)


def _kernels(values: Values, data: Shape) -> Mapping[str, Shape]:
    window(values, data)
    _groups(values, data[1])
    weight = (values.num_filter, data[1] // values.num_group, *values.kernel)
    return {"weight": weight, "bias": (values.num_filter,)}


def _macs(values: Values, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> int:
    return outputs[0][0] * prod(inputs[1]) * prod(outputs[0][2:])


CONVOLUTION = register(
    Operator(
        "Convolution",
        _convolved,
        slots=weight_and_bias,
        attributes=(*_ATTRIBUTES, flag("no_bias"), workspace(1024)),
        aliases=("Convolution_v1",),
        roles=frozenset({"weighted", "convolution"}),
        parameters=_kernels,
        macs=_macs,
        onnx="Conv",
        caffe="Convolution",
    )
)


def _less_than_reach(pad: Shape, view: Window) -> None:
    if any(p >= k for p, k in zip(pad, view.reach)):
        raise MisfitError(f"it cuts {shape_text(pad)} off, which must be less than its kernel reaches")


def _spread(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    data = inputs[0]
    view = window(values, data)
    whole = tuple(s * (n - 1) + k for s, n, k in zip(view.stride, view.size, view.reach))
    sides = len(view.size)
    adj, target = values.adj or (0,) * sides, values.target_shape or (0,) * sides
    if len(adj) != sides or len(target) != sides:
        raise MisfitError(f"its adj and target_shape must have {sides} numbers, as its kernel has")
    if any(target):
        if not all(target):
            raise MisfitError(f"its target_shape {shape_text(target)} must have no 0")
        if any(wanted > most for wanted, most in zip(target, whole)):
            raise MisfitError(f"its target_shape {shape_text(target)} is larger than {shape_text(whole)}")
        if any((most - wanted) % 2 >= s for wanted, most, s in zip(target, whole, view.stride)):
            raise MisfitError(f"its target_shape {shape_text(target)} can't be reached with its stride")
        pads = tuple((most - wanted + 1) // 2 for wanted, most in zip(target, whole))
        _less_than_reach(pads, view)
        return ((data[0], values.num_filter, *target),)
    _less_than_reach(view.pad, view)
    if any(a >= s for a, s in zip(adj, view.stride)):
        raise MisfitError(f"its adj {shape_text(adj)} must be smaller than its stride {shape_text(view.stride)}")
    return ((data[0], values.num_filter, *(n - 2 * p + a for n, p, a in zip(whole, view.pad, adj))),)


def _transposed_kernels(values: Values, data: Shape) -> Mapping[str, Shape]:
    window(values, data)
    _groups(values, data[1])
    weight = (data[1], values.num_filter // values.num_group, *values.kernel)
    return {"weight": weight, "bias": (values.num_filter,)}


def _transposed_macs(values: Values, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> int:
    return inputs[0][0] * prod(inputs[1]) * prod(inputs[0][2:])


register(
    Operator(
        "Deconvolution",
        _spread,
        slots=weight_and_bias,
        attributes=(
            *_ATTRIBUTES,
            integers("adj", 0, LARGEST, 0, 2),
            integers("target_shape", 0, 2**15, 0, 2),
            flag("no_bias", True),
            workspace(512),
        ),
        roles=frozenset({"weighted", "transposed"}),
        parameters=_transposed_kernels,
        macs=_transposed_macs,
        onnx="ConvTranspose",
        caffe="Deconvolution",
    )
)
