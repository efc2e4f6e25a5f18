"""Shapes, axes and parts."""

from __future__ import annotations

from collections.abc import Sequence

from ....untrusted import FaultError
from ...operators import BATCH
from ..layers import Layer, rule, target


@rule("Flatten", "Reshape", "expand_dims", "squeeze", "reshape_like")
def _reshape(layer: Layer) -> None:
    sides = layer.constant("shape", target(layer.output_shape), "int64")
    layer.write("Reshape", [layer.inputs[0], sides])


@rule("transpose")
def _transpose(layer: Layer) -> None:
    layer.write("Transpose", perm=layer.values.axes or range(len(layer.shape()))[::-1])


@rule("SwapAxis")
def _swap(layer: Layer) -> None:
    perm = list(range(len(layer.shape())))
    one, other = (layer.axis(axis) for axis in (layer.values.dim1, layer.values.dim2))
    perm[one], perm[other] = perm[other], perm[one]
    layer.write("Transpose", perm=perm)


@rule("Concat")
def _concat(layer: Layer) -> None:
    layer.write("Concat", axis=layer.axis(layer.values.dim))


@rule("SliceChannel")
def _split(layer: Layer) -> None:
    parts = layer.outputs
    names = [f"{part}/part" for part in parts] if layer.values.squeeze_axis else parts
    layer.file.add("Split", layer.inputs, names, axis=layer.axis(layer.values.axis))
    if layer.values.squeeze_axis:
        sides = layer.constant("shape", target(layer.output_shape), "int64")
        for name, part in zip(names, parts):
            layer.file.add("Reshape", [name, sides], part)


def _cut(layer: Layer, axes: Sequence[int], begins: Sequence[int], ends: Sequence[int], steps: Sequence[int]) -> None:
    if 0 in axes:
        raise FaultError("a part of a batch has no equivalent")
    names = [layer.constant(what, one, "int64")
             for what, one in (("begins", begins), ("ends", ends), ("axes", axes), ("steps", steps))]  # fmt: skip
    layer.write("Slice", [layer.inputs[0], *names])


@rule("slice_axis")
def _slice_axis(layer: Layer) -> None:
    values = layer.values
    _cut(layer, [layer.axis(values.axis)], [values.begin], [2**31 if values.end is None else values.end], [1])


@rule("slice")
def _slice(layer: Layer) -> None:
    values = layer.values
    steps = [step or 1 for step in values.step or (1,) * len(values.begin)]
    whole = [(begin, end, step) == (None, None, 1) for begin, end, step in zip(values.begin, values.end, steps)]
    axes = [axis for axis, unchanged in enumerate(whole) if not unchanged]
    if any(steps[axis] < 0 for axis in axes):
        raise FaultError("a slice that goes backwards has no equivalent here")
    begins = [values.begin[axis] or 0 for axis in axes]
    ends = [2**31 if values.end[axis] is None else values.end[axis] for axis in axes]
    _cut(layer, axes, begins, ends, [steps[axis] for axis in axes])


@rule("slice_like")
def _slice_like(layer: Layer) -> None:
    axes = [axis for axis, (n, m) in enumerate(zip(layer.shape(), layer.output_shape)) if n != m]
    _cut(layer, axes, [0 for _ in axes], [layer.output_shape[axis] for axis in axes], [1 for _ in axes])


@rule("Pad")
def _pad(layer: Layer) -> None:
    widths = layer.values.pad_width
    pads = layer.constant("pads", (*widths[::2], *widths[1::2]), "int64")
    fill = [layer.constant("fill", layer.values.constant_value)] if layer.values.mode == "constant" else []
    layer.write("Pad", [*layer.inputs, pads, *fill], mode=layer.values.mode)


@rule("broadcast_to", "broadcast_axis", "broadcast_like")
def _stretch(layer: Layer) -> None:
    before, after = layer.shape(), layer.output_shape
    if len(before) != len(after) or any(n != m and m % BATCH == 0 for n, m in zip(before, after)):
        raise FaultError("what is repeated for each image of a batch has no equivalent here")
    sides = [1 if side % BATCH == 0 else side for side in after]
    layer.write("Expand", [layer.inputs[0], layer.constant("shape", sides, "int64")])
