"""Normalisation by statistics of a batch, a layer, a group, an image, or the neighbours."""

from __future__ import annotations

import numpy as np

from ....graph import Entry
from ...untrusted import FaultError
from ..fold import bounded
from .base import BATCH, Array, Call, Const, Value, Writer, register


@register("BatchNormalization")
def _batch(writer: Writer, call: Call) -> Value:
    if call.attribute("spatial", 1) != 1:
        raise FaultError("it normalises each pixel by itself")
    slots = ("gamma", "beta", "moving_mean", "moving_var")
    parameters = [
        writer.parameter(call.const(number, slot), call.layer, slot) for number, slot in enumerate(slots, start=1)
    ]
    return writer.layer(
        "BatchNorm",
        call.layer,
        [writer.plain(call.value()), *parameters],
        eps=call.attribute("epsilon", 1e-5),
        momentum=call.attribute("momentum", 0.9),
        fix_gamma=False,
    )


@register("LayerNormalization")
def _layer(writer: Writer, call: Call) -> Value:
    x = call.value()
    axis = x.axis(call.attribute("axis", -1))
    if axis != len(x.shape) - 1:
        raise FaultError("it normalises more than one axis")
    return layer_norm(writer, x, call.layer, call.const(1, "scale"), _bias(call, 2), call.attribute("epsilon", 1e-5))


def layer_norm(writer: Writer, x: Value, name: str, scale: Const, bias: Const, eps: float) -> Value:
    """A LayerNorm over the last axis, wherever it is stored."""
    width = x.shape[-1]
    parameters = [
        writer.parameter(const, name, slot, const.array.reshape(-1) if const.array.size == width else None)
        for const, slot in ((scale, "gamma"), (bias, "beta"))
    ]
    return writer.same(x, "LayerNorm", name, parameters, axis=x.axes[-1], eps=eps)


def _bias(call: Call, position: int) -> Const:
    return call.const(position, "bias") if call.has(position) else Const(np.zeros_like(call.const(1, "scale").array))


@register("InstanceNormalization")
def _instance(writer: Writer, call: Call) -> Value:
    parameters = [
        writer.parameter(call.const(number, slot), call.layer, slot) for number, slot in ((1, "gamma"), (2, "beta"))
    ]
    x = writer.plain(call.value())
    return writer.layer("InstanceNorm", call.layer, [x, *parameters], eps=call.attribute("epsilon", 1e-5))


@register("GroupNormalization")
def _group(writer: Writer, call: Call) -> Value:
    x = writer.plain(call.value())
    groups, channels = call.attribute("num_groups", 1), bounded(x.shape[1:2])[0]
    if not 1 <= groups <= channels:
        raise FaultError(f"it has {groups:,} groups of {channels:,} channels")
    ones = [
        writer.parameter(Const(np.full(groups, value, np.float32)), call.layer, slot)
        for slot, value in (("gamma", 1.0), ("beta", 0.0))
    ]
    x = writer.layer("GroupNorm", call.layer, [x, *ones], num_groups=groups, eps=call.attribute("epsilon", 1e-5))
    for position, op in ((1, "broadcast_mul"), (2, "broadcast_add")):
        const = call.const(position, "scale")
        array = const.array.reshape(-1)
        if array.size == groups != channels:  # before ONNX 21 there is one number for each group
            array, const = np.repeat(array, channels // groups), Const(array)
        x = writer.layer(op, call.layer, [x, _per_channel(writer, const, array, x, call.layer)])
    return x


def _per_channel(writer: Writer, const: Const, array: Array, x: Value, name: str) -> Entry:
    return writer.parameter(const, name, "scale", array.reshape(1, -1, *(1 for _ in x.shape[2:])), free=True)


@register("LRN")
def _neighbours(writer: Writer, call: Call) -> Value:
    return writer.layer(
        "LRN",
        call.layer,
        [writer.plain(call.value())],
        nsize=call.attribute("size", 5),
        alpha=call.attribute("alpha", 1e-4),
        beta=call.attribute("beta", 0.75),
        knorm=call.attribute("bias", 1.0),
    )


@register("LpNormalization")
def _length(writer: Writer, call: Call) -> Value:
    x = writer.plain(call.value())
    if call.attribute("p", 2) != 2 or x.axis(call.attribute("axis", -1)) != 1 or x.shape[0] != BATCH:
        raise FaultError("it normalises other than by the length of the channels")
    if len(x.shape) == 2:
        return writer.layer("L2Normalization", call.layer, [x], eps=1e-12)
    return writer.layer("L2Normalization", call.layer, [x], eps=1e-12, mode="channel")
