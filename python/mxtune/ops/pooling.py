"""Pooling over windows, over the whole map, and to a given size.

MXNet's means of the convention "full" lose the gradient of windows that reach over the edge: on a CPU 2 x 2 by steps of
2 over 7 x 7 have a wrong one, 3 x 3 over 8 x 8 the right one. With ``count_include_pad=False`` it is right, and without
padding that is the same function, which a pass of MXNet's engine takes; sums and maxima are right, and so is all of
PyTorch.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, prod

from ..words import shape_text
from .attributes import choice, flag, integer, integers
from .axes import pictures
from .base import Operator, Shape, Values, register
from .misfit import MisfitError
from .windows import LARGEST, places, window

_ATTRIBUTES = (
    integers("kernel", 1, LARGEST, 0, 2),
    choice("pool_type", "avg", "max", "sum", default="max"),
    flag("global_pool"),
    choice("pooling_convention", "full", "valid", default="valid"),
    integers("stride", 1, LARGEST, 0, 2),
    integers("pad", 0, LARGEST, 0, 2),
)


def _pooled(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    data = inputs[0]
    if values.global_pool:
        arguments = (values.kernel, values.stride, values.pad, (getattr(values, "layout", None) or "")[2:])
        if len(data) not in (3, 4) or any(len(sides) not in (0, len(data) - 2) for sides in arguments):
            raise MisfitError(f"its arguments do not fit an input of {shape_text(data)}")
        return ((*data[:2], *(1 for _ in data[2:])),)
    if not values.kernel:
        raise MisfitError("its kernel is missing")
    view = window(values, data)
    if any(p >= k for p, k in zip(view.pad, view.kernel)):
        raise MisfitError(
            f"its padding of {shape_text(view.pad)} must be smaller than its kernel of {shape_text(view.kernel)}"
        )
    fitting = places(view)
    if values.pooling_convention == "valid":
        return ((*data[:2], *fitting),)
    spans = (n + 2 * p - k for n, p, k in zip(view.size, view.pad, view.kernel))
    return ((*data[:2], *(1 + ceil(span / s) for span, s in zip(spans, view.stride))),)


def _reads(values: Values, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> int:
    """How many values the windows read."""
    if values.global_pool:
        return prod(inputs[0])
    return prod(outputs[0]) * prod(min(k, n) for k, n in zip(values.kernel, inputs[0][2:]))


POOLING = register(
    Operator(
        "Pooling",
        _pooled,
        attributes=(
            *_ATTRIBUTES,
            flag("cudnn_off"),
            choice("layout", "NCHW", "NCW", default=None, optional=True),
            replace(flag("count_include_pad"), default=None, optional=True),
            integer("p_value", 1, 3, None, optional=True),
        ),
        roles=frozenset({"pools", "gathers", "passes_logits"}),
        reads=_reads,
        onnx="MaxPool",
        caffe="Pooling",
    )
)


def _pooled_pictures(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    pictures(inputs[0])
    return _pooled(values, inputs)


register(replace(POOLING, name="Pooling_v1", shapes=_pooled_pictures, attributes=_ATTRIBUTES))


def _adapted(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    batch, channels, *_ = pictures(inputs[0])
    height, width = (values.output_size * 2)[:2] if values.output_size else (1, 1)
    return ((batch, channels, height, width),)


register(
    Operator(
        "_contrib_AdaptiveAvgPooling2D",
        _adapted,
        attributes=(integers("output_size", 1, 2**15, 0, 2),),
        roles=frozenset({"pools", "gathers", "passes_logits"}),
        onnx="AveragePool",
    )
)
