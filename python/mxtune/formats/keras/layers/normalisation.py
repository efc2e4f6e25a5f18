"""Normalisation by statistics of a batch, a layer, a group; and by those of the training images."""

from __future__ import annotations

import numpy as np

from ...onnx.operators import Value
from ...onnx.operators.base import Const
from ...untrusted import FaultError
from ..building import Building, One, first, flag_of, last
from ..config import Layer
from ..hdf5 import Array
from .base import register

_MOST_CHANNELS = 2**20


def _trained(layer: Layer) -> tuple[str, ...]:
    names = [name for name, flag in (("gamma", "scale"), ("beta", "center")) if flag_of(layer, flag, True)]
    return tuple(names)


def _with_statistics(layer: Layer) -> tuple[str, ...]:
    return (*_trained(layer), "moving_mean", "moving_variance")


def _axis(one: One, x: Value, default: int = -1) -> int:
    """The one axis that a layer normalises, as the entry has it."""
    axis = one.get("axis", default)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if type(axis) is not int:
        raise FaultError("it normalises several axes together")
    return x.axes[x.axis(axis)]


def _filled(one: One, slot: str, width: int, value: float) -> Array:
    """The array of a slot, or the same number everywhere where the layer has none."""
    if width > _MOST_CHANNELS:
        raise FaultError(f"it has {width:,} channels")
    array = one.arrays.get(slot)
    return np.full(width, value, np.float32) if array is None else array.reshape(-1)


@register("BatchNormalization", "SyncBatchNormalization", slots=_with_statistics)
def _batch(net: Building, one: One, inputs: list[Value]) -> Value:
    x = inputs[0]
    if one.flag("renorm", False) or one.get("virtual_batch_size") is not None:
        raise FaultError("renorm and virtual batches are not read")
    axis = _axis(one, x)
    width = net.writer.stored(x.entry)[axis]
    names = (("gamma", "gamma", 1.0), ("beta", "beta", 0.0), ("moving_mean", "moving_mean", 0.0),
             ("moving_var", "moving_variance", 1.0))  # fmt: skip
    parameters = [
        net.writer.parameter(Const(_filled(one, theirs, width, value)), one.name, ours) for ours, theirs, value in names
    ]
    return net.writer.same(
        x, "BatchNorm", one.name, parameters, eps=one.number("epsilon", 1e-3), momentum=one.number("momentum", 0.99),
        fix_gamma="gamma" not in one.arrays, axis=None if axis == 1 else axis,
    )  # fmt: skip


@register("LayerNormalization", slots=_trained)
def _layer(net: Building, one: One, inputs: list[Value]) -> Value:
    x = inputs[0]
    axis = _axis(one, x)
    width = net.writer.stored(x.entry)[axis]
    parameters = [
        net.writer.parameter(Const(_filled(one, slot, width, value)), one.name, slot)
        for slot, value in (("gamma", 1.0), ("beta", 0.0))
    ]
    return net.writer.same(x, "LayerNorm", one.name, parameters, axis=axis, eps=one.number("epsilon", 1e-3))


@register("GroupNormalization", slots=_trained)
def _group(net: Building, one: One, inputs: list[Value]) -> Value:
    already = one.is_first(net)
    x = first(inputs[0], already)
    channels = x.shape[1]
    groups = one.whole("groups", 32)
    scale, shift = (_filled(one, slot, channels, value) for slot, value in (("gamma", 1.0), ("beta", 0.0)))
    y = net.op("GroupNormalization", one.name, x, scale, shift, num_groups=channels if groups == -1 else groups,
               epsilon=one.number("epsilon", 1e-3))  # fmt: skip
    return last(y, already)


@register("UnitNormalization")
def _unit(net: Building, one: One, inputs: list[Value]) -> Value:
    return net.op("LpNormalization", one.name, inputs[0], axis=-1)


def _adapted(layer: Layer) -> tuple[str, ...]:
    given = layer.config.get("mean") is not None
    return () if given else ("mean", "variance", "count")


@register("Normalization", slots=_adapted)
def _normalised(net: Building, one: One, inputs: list[Value]) -> Value:
    x = inputs[0]
    mean, variance = (_statistic(one, name, x) for name in ("mean", "variance"))
    deviation = np.maximum(np.sqrt(variance), np.float32(1e-7))
    if one.flag("invert", False):
        return net.op("Add", f"{one.name}_shifted", net.op("Mul", one.name, x, deviation), mean)
    return net.op("Div", one.name, net.op("Sub", f"{one.name}_centred", x, mean), deviation)


def _statistic(one: One, name: str, x: Value) -> Array:
    array = np.asarray(one.arrays[name] if name in one.arrays else one.get(name), np.float32)
    if array.size == 1:
        return array.reshape(())
    axis = one.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if type(axis) is not int or array.size != x.shape[axis]:
        raise FaultError("it normalises other than one axis")
    sides = [1] * len(x.shape)
    sides[axis] = array.size
    return array.reshape(sides)
