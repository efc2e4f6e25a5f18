"""Normalisation by statistics of a batch, a layer, a group, an image, or the neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Callable

from ..words import shape_text
from .attributes import choice, flag, integer, real
from .axes import axis_of, pictures
from .base import BETA, DATA, GAMMA, MOVING_MEAN, MOVING_VAR, Operator, Shape, Values, register, same
from .misfit import MisfitError


def _with_statistics(statistics: Callable[[Values, Shape], Shape]) -> Callable[..., tuple[Shape, ...]]:
    """One output, or with the mean and the variance three."""

    def rule(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        more = (statistics(values, inputs[0]),) * 2 if values.output_mean_var else ()
        return (inputs[0], *more)

    return rule


def _three_if_told(values: Values) -> int:
    return 3 if values.output_mean_var else 1


def _channels(values: Values, data: Shape) -> Shape:
    if len(data) < 2:
        raise MisfitError(f"it takes (N, C, ...), not an input of {shape_text(data)}")
    if axis_of(getattr(values, "axis", 1), data) != 1:  # after a convolution MXNet 1.9 would read out of bounds
        raise MisfitError(f"its axis is {values.axis} and must be that of the channels, 1")
    return (data[1],)


def _each_channel(values: Values, data: Shape) -> Mapping[str, Shape]:
    return dict.fromkeys(("gamma", "beta", "moving_mean", "moving_var"), _channels(values, data))


_EPS = real("eps", 1e-3, 0.0, 1e6)
_BATCH = (
    _EPS,
    real("momentum", 0.9, 0.0, 1.0),
    flag("fix_gamma", True),
    flag("use_global_stats"),
    flag("output_mean_var"),
)

BATCHNORM = register(
    Operator(
        "BatchNorm",
        _with_statistics(_channels),
        slots=(DATA, GAMMA, BETA, MOVING_MEAN, MOVING_VAR),
        attributes=(*_BATCH, integer("axis", -8, 7, 1), flag("cudnn_off")),
        roles=frozenset({"batchnorm"}),
        parameters=_each_channel,
        outputs=_three_if_told,
        onnx="BatchNormalization",
        caffe="BatchNorm",
    )
)


def _each_channel_of_pictures(values: Values, data: Shape) -> Mapping[str, Shape]:
    if len(data) not in (2, 4):
        raise MisfitError(f"it takes (N, C) or (N, C, H, W), not an input of {shape_text(data)}")
    return _each_channel(values, data)


register(replace(BATCHNORM, name="BatchNorm_v1", attributes=_BATCH, parameters=_each_channel_of_pictures))


def _normalised(values: Values, data: Shape) -> Shape:
    """The statistics of LayerNorm: the normalised axis has one value."""
    axis = axis_of(values.axis, data)
    return (*data[:axis], 1, *data[axis + 1 :])


register(
    Operator(
        "LayerNorm",
        _with_statistics(_normalised),
        slots=(DATA, GAMMA, BETA),
        attributes=(integer("axis", -8, 7, -1), replace(_EPS, default=1e-5), flag("output_mean_var")),
        parameters=lambda values, data: dict.fromkeys(("gamma", "beta"), (data[axis_of(values.axis, data)],)),
        outputs=_three_if_told,
        onnx="LayerNormalization",
    )
)


def _groups(values: Values, data: Shape) -> Shape:
    if len(data) < 3 or data[1] % values.num_groups:
        raise MisfitError(f"its {values.num_groups} groups do not divide an input of {shape_text(data)}")
    return (data[0], values.num_groups)


def _in_groups(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    return (inputs[0], *((_groups(values, inputs[0]),) * 2 if values.output_mean_var else ()))


def _each_group(values: Values, data: Shape) -> Mapping[str, Shape]:
    _groups(values, data)
    return dict.fromkeys(("gamma", "beta"), (values.num_groups,))


register(
    Operator(
        "GroupNorm",
        _in_groups,
        slots=(DATA, GAMMA, BETA),
        attributes=(integer("num_groups", 1, 2**20, 1), replace(_EPS, default=1e-5), flag("output_mean_var")),
        parameters=_each_group,
        outputs=_three_if_told,
        onnx="GroupNormalization",
    )
)


def _each_picture(values: Values, data: Shape) -> Mapping[str, Shape]:
    if len(data) < 3:
        raise MisfitError(f"it takes (N, C, ...) with a map, not an input of {shape_text(data)}")
    return dict.fromkeys(("gamma", "beta"), data[1:2])


register(
    Operator(
        "InstanceNorm",
        same,
        slots=(DATA, GAMMA, BETA),
        attributes=(_EPS,),
        parameters=_each_picture,
        onnx="InstanceNormalization",
    )
)
register(
    Operator(
        "L2Normalization",
        lambda values, inputs: (pictures(inputs[0]),) if values.mode != "instance" else inputs,
        attributes=(
            real("eps", 1e-10, 0.0, 1e6),
            choice("mode", "channel", "instance", "spatial", default="instance"),
        ),
        onnx="LpNormalization",
    )
)


def _neighbours(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    if values.nsize % 2 == 0:
        raise MisfitError(f"its nsize is {values.nsize} and must be odd")
    return (pictures(inputs[0]),)


register(
    Operator(
        "LRN",
        _neighbours,
        attributes=(
            integer("nsize", 3, 1023),
            real("alpha", 1e-4, -1e6, 1e6),
            real("beta", 0.75, -1e6, 1e6),
            real("knorm", 2.0, -1e6, 1e6),
        ),
        onnx="LRN",
        caffe="LRN",
    )
)
