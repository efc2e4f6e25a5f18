"""Arrays put together, padded, enlarged."""

from __future__ import annotations

import numpy as np

from ...untrusted import FaultError
from .base import BATCH, Call, Const, Value, Writer, register
from .shape import repeated
from .windows import LOWEST, pad


@register("Concat")
def _concat(writer: Writer, call: Call) -> Value:
    first = next(one for one in call.inputs if isinstance(one, Value))
    axis = first.axis(call.attribute("axis", 1))
    values: list[Value] = []
    for one in call.inputs:
        if isinstance(one, Const):  # such as the token of a class, once for each image
            one = repeated(writer, one, (BATCH, *one.array.shape[1:]), call.layer)  # noqa: PLW2901
        if not isinstance(one, Value) or len(one.shape) != len(first.shape) or one.shape[axis] == BATCH:
            raise FaultError("its inputs do not fit one another")
        values.append(one)
    largest = max(values, key=lambda one: np.prod(one.shape))
    entries = [writer.stored_as(one, largest.axes) for one in values]
    if len(entries) == 1:
        return values[0]
    layer = writer.layer("Concat", call.layer, entries, dim=largest.axes[axis], num_args=len(entries))
    shape = (*first.shape[:axis], sum(one.shape[axis] for one in values), *first.shape[axis + 1 :])
    return Value(layer.entry, shape, largest.axes)


@register("Pad")
def _pad(writer: Writer, call: Call) -> Value:
    x = call.value()
    widths = call.integers(1, "pads") or ()
    if call.has(3):
        named = [x.axis(axis) for axis in call.integers(3, "axes") or ()]
        before, after = dict(zip(named, widths)), dict(zip(named, widths[len(named) :]))
        widths = tuple(ends.get(axis, 0) for ends in (before, after) for axis in range(len(x.shape)))
    if len(widths) != 2 * len(x.shape):
        raise FaultError("its pads do not fit its input")
    if not any(widths):
        return x
    value = float(call.const(2, "value").array.reshape(-1)[0]) if call.has(2) else call.attribute("value", 0.0)
    stored: list[int] = [0] * len(widths)
    for axis, at in enumerate(x.axes):
        stored[at], stored[at + len(x.axes)] = widths[axis], widths[axis + len(x.axes)]
    half = len(x.axes)
    if half != 4 or any(stored[:2]) or any(stored[half : half + 2]) or min(stored) < 0:
        raise FaultError("it pads more than the height and width of a map, or less than nothing")
    stored_map = Value(x.entry, writer.stored(x.entry), tuple(range(half)))
    padded = pad(
        writer, stored_map, tuple(stored[2:half]), tuple(stored[half + 2 :]), call.layer, max(value, LOWEST),
        call.attribute("mode", "constant"),
    )  # fmt: skip
    return Value(padded.entry, tuple(padded.shape[at] for at in x.axes), x.axes)


# Ways of counting by which a map that is enlarged a whole number of times has each value so often
_REPEATS = (("asymmetric", "floor"), ("half_pixel", "round_prefer_floor"), ("half_pixel", "round_prefer_ceil"),
            ("pytorch_half_pixel", "round_prefer_floor"))  # fmt: skip


@register("Resize", "Upsample")
def _resize(writer: Writer, call: Call) -> Value:
    x = writer.plain(call.value())
    if len(x.shape) != 4:
        raise FaultError("it takes no map")
    sizes = _sizes(call, x)
    mode = call.attribute("mode", "nearest")
    where = call.attribute("coordinate_transformation_mode", "half_pixel" if call.opset >= 11 else "asymmetric")
    rounding = call.attribute("nearest_mode", "round_prefer_floor" if call.opset >= 11 else "floor")
    scale = sizes[0] // x.shape[2]
    whole = scale > 0 and sizes == (scale * x.shape[2], scale * x.shape[3])
    if mode == "nearest" and whole and (where, rounding) in _REPEATS:
        return writer.layer("UpSampling", call.layer, [x], scale=scale, sample_type="nearest", num_args=1)
    smooth = where in ("half_pixel", "pytorch_half_pixel", "align_corners") and not call.attribute("antialias", 0)
    if mode in ("linear", "bilinear") and smooth and min(sizes) > 1:
        aligned = where == "align_corners"
        return writer.layer(
            "_contrib_BilinearResize2D", call.layer, [x], height=sizes[0], width=sizes[1], align_corners=aligned
        )
    raise FaultError(f"it resizes by {mode} with {where}, which no layer here does")


def _sizes(call: Call, x: Value) -> tuple[int, int]:
    """Height and width of the result."""
    last = len(call.inputs) - 1
    if call.opset >= 11 and call.has(3):
        sides = call.integers(3, "sizes") or ()
    else:
        given = call.const(2 if call.opset >= 11 else last, "scales").array if last else call.attribute("scales", ())
        scales = [float(scale) for scale in np.ravel(given)]
        sides = tuple(int(np.floor(side * scale)) for side, scale in zip(x.shape, scales))
        if any(abs(side * scale - new) > 1e-4 for side, scale, new in zip(x.shape, scales, sides)):
            raise FaultError("its scales do not give whole numbers of pixels")
    if len(sides) != 4 or sides[1] != x.shape[1] or min(sides) < 1:
        raise FaultError("it resizes more than the height and width of a map")
    return sides[2], sides[3]


@register("Tile")
def _tile(writer: Writer, call: Call) -> Value:
    x, repeats = writer.plain(call.value()), call.integers(1, "repeats") or ()
    if len(repeats) != len(x.shape) or repeats[0] != 1:
        raise FaultError("it repeats the images of a batch")
    return writer.layer("tile", call.layer, [x], reps=repeats)
