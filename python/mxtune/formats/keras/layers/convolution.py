"""Convolutions, separable and transposed ones among them; and dense layers."""

from __future__ import annotations

from typing import Optional

import numpy as np

from ...onnx.operators import Value
from ...untrusted import FaultError
from ..building import Building, One, first, flag_of, last
from ..config import Layer
from ..hdf5 import Array
from .activation import activated
from .base import register


def _kernel_and_bias(layer: Layer) -> tuple[str, ...]:
    return ("kernel", "bias") if flag_of(layer, "use_bias", True) else ("kernel",)


def _separated(layer: Layer) -> tuple[str, ...]:
    return "depthwise_kernel", "pointwise_kernel", *_kernel_and_bias(layer)[1:]


def _by_channel(kernel: Array) -> Array:
    """A kernel (height, width, channels, filters of each) as a convolution in groups has it."""
    height, width, channels, each = kernel.shape
    return np.ascontiguousarray(kernel.transpose(2, 3, 0, 1)).reshape(channels * each, 1, height, width)


def _convolved(
    net: Building, one: One, name: str, x: Value, kernel: Array, bias: Optional[Array], groups: int
) -> Value:
    """The convolution of a map whose channels come first."""
    padding = one.text("padding", "valid")
    if padding not in ("same", "valid"):
        raise FaultError(f"its padding is {padding[:40]}")
    return net.op(
        "Conv", name, x, kernel, *([] if bias is None else [bias]),
        strides=one.pair("strides", 1), dilations=one.pair("dilation_rate", 1), group=groups,
        auto_pad="SAME_UPPER" if padding == "same" else "VALID",
    )  # fmt: skip


@register("Conv2D", "Convolution2D", slots=_kernel_and_bias)
def _convolution(net: Building, one: One, inputs: list[Value]) -> Value:
    x = first(inputs[0], one.is_first(net))
    kernel = np.ascontiguousarray(one.arrays["kernel"].transpose(3, 2, 0, 1))
    y = _convolved(net, one, one.name, x, kernel, one.arrays.get("bias"), one.whole("groups", 1))
    return activated(net, one, last(y, one.is_first(net)))


@register("DepthwiseConv2D", slots=_kernel_and_bias)
def _depthwise(net: Building, one: One, inputs: list[Value]) -> Value:
    x, kernel = first(inputs[0], one.is_first(net)), one.arrays["kernel"]
    y = _convolved(net, one, one.name, x, _by_channel(kernel), one.arrays.get("bias"), kernel.shape[2])
    return activated(net, one, last(y, one.is_first(net)))


@register("SeparableConv2D", "SeparableConvolution2D", slots=_separated)
def _separable(net: Building, one: One, inputs: list[Value]) -> Value:
    x, kernel = first(inputs[0], one.is_first(net)), one.arrays["depthwise_kernel"]
    y = _convolved(net, one, f"{one.name}_depthwise", x, _by_channel(kernel), None, kernel.shape[2])
    points = np.ascontiguousarray(one.arrays["pointwise_kernel"].transpose(3, 2, 0, 1))
    bias = one.arrays.get("bias")
    y = net.op("Conv", one.name, y, points, *([] if bias is None else [bias]))
    return activated(net, one, last(y, one.is_first(net)))


@register("Conv2DTranspose", "Convolution2DTranspose", "Deconvolution2D", slots=_kernel_and_bias)
def _transposed(net: Building, one: One, inputs: list[Value]) -> Value:
    x, bias = first(inputs[0], one.is_first(net)), one.arrays.get("bias")
    kernel = np.ascontiguousarray(one.arrays["kernel"].transpose(3, 2, 0, 1))
    strides, more = one.pair("strides", 1), one.get("output_padding")
    if one.pair("dilation_rate", 1) != (1, 1) or more is not None:
        raise FaultError("it has gaps, or an output_padding")
    same = one.text("padding", "valid") == "same"
    rests = [max(k - s, 0) if same else 0 for k, s in zip(kernel.shape[2:], strides)]
    before = [rest // 2 for rest in rests]
    adjusted = [max(s - k, 0) for k, s in zip(kernel.shape[2:], strides)]
    y = net.op(
        "ConvTranspose", one.name, x, kernel, *([] if bias is None else [bias]),
        strides=strides, pads=(*before, *before), output_padding=tuple(adjusted),
    )  # fmt: skip
    for axis, rest in enumerate(rests, start=2):
        if rest % 2:  # there is one more than the input times the stride
            y = net.op("Slice", f"{one.name}_cut", y, np.array([0]), np.array([y.shape[axis] - 1]), np.array([axis]))
    return activated(net, one, last(y, one.is_first(net)))


@register("Dense", slots=_kernel_and_bias)
def _dense(net: Building, one: One, inputs: list[Value]) -> Value:
    y = net.op("MatMul", one.name, inputs[0], one.arrays["kernel"])
    if "bias" in one.arrays:
        y = net.op("Add", one.name, y, one.arrays["bias"], alone=True)
    return activated(net, one, y)
