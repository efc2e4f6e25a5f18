"""Parts of an array."""

from __future__ import annotations

import numpy as np

from ...untrusted import FaultError
from ..fold import slice_arguments
from .base import BATCH, Call, Const, Value, Writer, register

_FAR = 2**31 - 1


@register("Slice")
def _slice(writer: Writer, call: Call) -> Value:
    x = call.value()
    arrays = [one.array if isinstance(one, Const) else None for one in call.inputs]
    if any(call.has(number) and arrays[number] is None for number in range(1, len(arrays))):
        raise FaultError("its ends are computed from the image")
    begin, end, axes, steps = slice_arguments(call.node, arrays)
    axes = axes or tuple(range(len(begin)))
    steps = steps or (1,) * len(begin)
    if not len(begin) == len(end) == len(axes) == len(steps):
        raise FaultError("its begins, ends, axes and steps do not fit one another")
    for b, e, one, step in zip(begin, end, axes, steps):
        axis = x.axis(one)
        x = _cut(writer, call.layer, x, axis, slice(b, None if step < 0 and e < -x.shape[axis] else e, step))
    return x


def _cut(writer: Writer, name: str, x: Value, axis: int, part: slice) -> Value:
    """Part of one axis."""
    side = x.shape[axis]
    places = range(side)[part]
    if len(places) == side and places.step == 1:
        return x
    if side == BATCH:
        raise FaultError("it takes some images of a batch")
    if not len(places):
        raise FaultError("nothing is left of its input")
    shape = (*x.shape[:axis], len(places), *x.shape[axis + 1 :])
    if places.step == 1:
        layer = writer.layer(
            "slice_axis", name, [x.entry], axis=x.axes[axis], begin=places.start, end=places.start + len(places)
        )
    elif places.step > 0:
        at = x.axes[axis]
        ends = [None] * at
        layer = writer.layer(
            "slice",
            name,
            [x.entry],
            begin=(*ends, places.start),
            end=(*ends, min(places.stop, side)),
            step=(*ends, places.step),
        )
    else:
        raise FaultError("it goes backwards")
    return Value(layer.entry, shape, x.axes)


@register("Gather")
def _gather(writer: Writer, call: Call) -> Value:
    x, indices = call.value(), call.const(1, "indices").array
    axis = x.axis(call.attribute("axis", 0))
    count = writer.fixed * x.shape[axis] // BATCH
    if axis == 0 and indices.ndim > 1 and indices.size == count and (indices.reshape(-1) == np.arange(count)).all():
        return writer.reshaped(x, (BATCH, *indices.shape[1:]), call.layer)  # PyTorch's as_strided, of all there is
    places = [int(index) + (x.shape[axis] if index < 0 else 0) for index in indices.reshape(-1)]
    if not places or not all(0 <= place < x.shape[axis] for place in places):
        raise FaultError("its indices lie outside its input")
    if places != list(range(places[0], places[0] + len(places))):
        raise FaultError("its indices are not in a row")
    part = _cut(writer, call.layer, x, axis, slice(places[0], places[-1] + 1))
    return writer.without(part, (axis,), f"{call.layer}_flat") if indices.ndim == 0 else part


@register("Split")
def _split(writer: Writer, call: Call) -> list[Value]:
    x = call.value()
    axis = x.axis(call.attribute("axis", 0))
    count, side = len(call.node.outputs), x.shape[axis]
    sizes = call.integers(1, "split")
    if sizes is None:
        each = -(-side // count)
        sizes = tuple(min(each, side - each * number) for number in range(count))
    if sum(sizes) != side or len(sizes) != count or min(sizes) < 1 or side == BATCH:
        raise FaultError(f"it can't split {side} into {sizes}")
    if len(set(sizes)) == 1 and count > 1:
        shape = (*x.shape[:axis], sizes[0], *x.shape[axis + 1 :])
        parts = writer.layers("SliceChannel", call.layer, [x.entry], num_outputs=count, axis=x.axes[axis])
        return [Value(part.entry, shape, x.axes) for part in parts]
    ends = np.cumsum(sizes).tolist()
    return [_cut(writer, call.layer, x, axis, slice(end - size, end)) for end, size in zip(ends, sizes)]
