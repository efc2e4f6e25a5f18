"""The same values in another shape or order."""

from __future__ import annotations

import math

import numpy as np

from ....ops import Shape
from ....words import shape_text
from ...untrusted import FaultError
from ..fold import bounded
from .base import BATCH, Call, Const, Value, Writer, register


@register("Shape")
def _shape(writer: Writer, call: Call) -> Const:
    sides = call.value().shape[call.attribute("start", 0) : call.attribute("end", None)]
    return Const(np.array(sides, np.int64))


@register("Size")
def _size(writer: Writer, call: Call) -> Const:
    return Const(np.array(math.prod(call.value().shape), np.int64))


@register("Reshape")
def _reshape(writer: Writer, call: Call) -> Value:
    x = call.value()
    wanted = call.integers(1, "shape")
    if wanted is None:
        raise FaultError("its shape is missing")
    return writer.reshaped(x, _target(x.shape, wanted, bool(call.attribute("allowzero", 0)), writer.fixed), call.layer)


def _target(data: Shape, wanted: Shape, zero: bool, fixed: int) -> Shape:
    """The sides that are asked for; a batch that the file fixes, at 1 or another number, is opened."""
    if zero and 0 in wanted:
        raise FaultError("it makes an array of nothing")
    if any(side < -1 for side in wanted) or wanted.count(-1) > 1:
        raise FaultError(f"its shape {wanted} is impossible")
    opens = bool(fixed) and data[0] % BATCH == 0 and not any(side and side % BATCH == 0 for side in wanted)
    if opens:
        data = (data[0] // BATCH * fixed, *data[1:])
    sides = [data[i] if side == 0 and i < len(data) else side for i, side in enumerate(wanted)]
    if -1 in sides:
        known = math.prod(side for side in sides if side != -1)
        sides[sides.index(-1)] = math.prod(data) // max(known, 1)
    if math.prod(sides) != math.prod(data) or (opens and sides[0] % fixed):
        raise FaultError(f"it can't reshape {shape_text(data)} to {wanted}")
    return (sides[0] // fixed * BATCH, *sides[1:]) if opens else tuple(sides)


@register("Flatten")
def _flatten(writer: Writer, call: Call) -> Value:
    x = call.value()
    axis = call.attribute("axis", 1)
    axis = axis + len(x.shape) if axis < 0 else axis
    if axis != 1:
        raise FaultError("it mixes the images of a batch")
    return writer.reshaped(x, (x.shape[0], math.prod(x.shape[1:])), call.layer)


@register("Squeeze")
def _squeeze(writer: Writer, call: Call) -> Value:
    x, given = call.value(), call.integers(1, "axes")
    axes = (
        tuple(axis for axis, side in enumerate(x.shape) if side == 1)
        if given is None
        else tuple(x.axis(axis) for axis in given)
    )
    return writer.without(x, axes, call.layer)


@register("Unsqueeze")
def _unsqueeze(writer: Writer, call: Call) -> Value:
    x, given = call.value(), call.integers(1, "axes") or ()
    rank = len(x.shape) + len(given)
    places = {axis % rank for axis in given if -rank <= axis < rank}
    if len(places) < len(given):
        raise FaultError(f"its axes {given} are impossible")
    sides = iter(x.shape)
    return writer.reshaped(x, tuple(1 if axis in places else next(sides) for axis in range(rank)), call.layer)


@register("Transpose")
def _transpose(writer: Writer, call: Call) -> Value:
    x = call.value()
    order = tuple(call.attribute("perm", ())) or tuple(reversed(range(len(x.shape))))
    if sorted(order) != list(range(len(x.shape))):
        raise FaultError(f"its perm {order} does not fit an input of {shape_text(x.shape)}")
    return Value(x.entry, tuple(x.shape[axis] for axis in order), tuple(x.axes[axis] for axis in order))


@register("Expand")
def _expand(writer: Writer, call: Call) -> Value:
    x, wanted = call.inputs[0], call.integers(1, "shape") or (1,)
    if min(wanted) < 1:
        raise FaultError(f"its shape {wanted} is impossible")
    if isinstance(x, Const):
        return repeated(writer, x, wanted, call.layer)
    value = writer.plain(call.value())
    shape = np.broadcast_shapes(value.shape, wanted[1:] if len(wanted) == len(value.shape) else wanted)
    axes = tuple(axis for axis, (old, new) in enumerate(zip(value.shape, shape)) if old != new)
    if len(shape) != len(value.shape):
        raise FaultError("it adds an axis before the images of a batch")
    if not axes:
        return value
    return writer.layer("broadcast_axis", call.layer, [value], axis=axes, size=tuple(shape[axis] for axis in axes))


def repeated(writer: Writer, const: Const, wanted: Shape, name: str) -> Value:
    """A constant once for each image; where the file fixes the batch, its rows are alike."""
    array = const.array
    if len(array) > 1 and (array == array[:1]).all():
        array = array[:1]
    shape = bounded(np.broadcast_shapes(array.shape, (1, *wanted[1:])))
    if len(shape) != len(wanted) or not 2 <= len(shape) <= 4 or shape[0] != 1 or wanted[0] != BATCH:
        raise FaultError("it repeats a constant other than for each image")
    return writer.repeated(const, np.ascontiguousarray(np.broadcast_to(array, shape)), name)


@register("DepthToSpace")
def _to_space(writer: Writer, call: Call) -> Value:
    x, block = writer.plain(call.value()), call.attribute("blocksize", 1)
    if call.attribute("mode", "DCR") == "DCR":
        return writer.layer("depth_to_space", call.layer, [x], block_size=block)
    raise FaultError("its mode is CRD")


@register("SpaceToDepth")
def _to_depth(writer: Writer, call: Call) -> Value:
    x = writer.plain(call.value())
    if call.attribute("mode", "DCR") != "DCR":
        raise FaultError("its mode is CRD")
    return writer.layer("space_to_depth", call.layer, [x], block_size=call.attribute("blocksize", 1))
