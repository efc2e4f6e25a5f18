"""Pooling over windows and over the whole map."""

from __future__ import annotations

from ...onnx.operators import Value
from ...untrusted import FaultError
from ..building import Building, One, first, last
from .base import register


def _pooled(net: Building, one: One, x: Value, op: str) -> Value:
    padding = one.text("padding", "valid")
    if padding not in ("same", "valid"):
        raise FaultError(f"its padding is {padding[:40]}")
    already, size = one.is_first(net), one.pair("pool_size", 2)
    y = net.op(
        op, one.name, first(x, already), kernel_shape=size, strides=one.pair("strides", size),
        auto_pad="SAME_UPPER" if padding == "same" else "VALID",
    )  # fmt: skip
    return last(y, already)


@register("MaxPooling2D", "MaxPool2D")
def _maximum(net: Building, one: One, inputs: list[Value]) -> Value:
    return _pooled(net, one, inputs[0], "MaxPool")


@register("AveragePooling2D", "AvgPool2D")
def _average(net: Building, one: One, inputs: list[Value]) -> Value:
    return _pooled(net, one, inputs[0], "AveragePool")


def _whole_map(net: Building, one: One, x: Value, op: str) -> Value:
    already = one.is_first(net)
    first(x, already)
    axes = (2, 3) if already else (1, 2)
    return net.op(op, one.name, x, axes=axes, keepdims=int(one.flag("keepdims", False)))


@register("AdaptiveAveragePooling2D")
def _to_size(net: Building, one: One, inputs: list[Value]) -> Value:
    already, size = one.is_first(net), one.pair("output_size")
    x = net.writer.plain(first(inputs[0], already))
    return last(net.writer.layer("_contrib_AdaptiveAvgPooling2D", one.name, [x], output_size=size), already)


@register("GlobalAveragePooling2D", "GlobalAvgPool2D")
def _global_average(net: Building, one: One, inputs: list[Value]) -> Value:
    return _whole_map(net, one, inputs[0], "ReduceMean")


@register("GlobalMaxPooling2D", "GlobalMaxPool2D")
def _global_maximum(net: Building, one: One, inputs: list[Value]) -> Value:
    return _whole_map(net, one, inputs[0], "ReduceMax")
