"""The same values in another shape or order."""

from __future__ import annotations

from math import prod
from typing import Optional

from ..words import shape_text
from .attributes import REQUIRED, flag, integer, integers
from .axes import axes_of, axis_of, pictures
from .base import Operator, Shape, Slot, Values, register
from .misfit import MisfitError

_LONGEST = 2**31 - 1
_SAME_COUNT = frozenset({"same_count"})
_FLATTENS = frozenset({"same_count", "flattens", "gathers", "passes_logits"})

register(
    Operator(
        "Flatten",
        lambda values, inputs: ((inputs[0][0], prod(inputs[0][1:])),),
        aliases=("flatten",),
        roles=_FLATTENS,
        onnx="Flatten",
        caffe="Flatten",
    )
)


def _reshape(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    data, codes = inputs[0], values.shape
    if not codes:
        raise MisfitError("its shape is missing")
    if values.reverse:
        data, codes = data[::-1], codes[::-1]
    shape = _filled(_followed(data, codes), data)
    if prod(shape) != prod(data):  # where MXNet 1.9 would read out of bounds
        raise MisfitError(
            f"it can't reshape {shape_text(inputs[0])} to {shape_text(shape[:: -1 if values.reverse else 1])}"
        )
    return (shape[::-1] if values.reverse else shape,)


def _followed(data: Shape, wanted: tuple[int, ...]) -> list[Optional[int]]:
    """The sides that the codes of a shape stand for, in order; None for the one to be inferred."""
    sides: list[Optional[int]] = []
    codes, position = list(wanted), 0

    def take(count: int) -> Shape:
        nonlocal position
        if position + count > len(data):
            raise MisfitError(f"its shape {shape_text(wanted)} takes more sides than {shape_text(data)} has")
        position += count
        return data[position - count : position]

    while codes:
        code = codes.pop(0)
        if code == 0:  # as it is
            sides += take(1)
        elif code == -2:  # all that are left
            sides += take(len(data) - position) if position < len(data) else ()
        elif code == -3:  # two as one
            sides.append(prod(take(2)))
        elif code == -4:  # one as two, of which one may be -1
            sides += _split(take(1)[0], codes)
        elif code == -1:
            if len(sides) != len(wanted) - len(codes) - 1:  # where MXNet 1.9 would write out of bounds
                raise MisfitError("its shape may not have a -1 after a -2 or -4")
            sides.append(None)
            position += 1
        else:
            sides.append(code)
            position += 1
    return sides


def _split(side: int, codes: list[int]) -> tuple[int, int]:
    if len(codes) < 2:
        raise MisfitError("its shape must have two numbers after -4")
    first, second = codes.pop(0), codes.pop(0)
    if first == -1 and second > 0:
        first = side // second
    elif second == -1 and first > 0:
        second = side // first
    if first < 1 or second < 1 or first * second != side:
        raise MisfitError(f"it can't split {side} into {first} x {second}")
    return first, second


def _filled(sides: list[Optional[int]], data: Shape) -> Shape:
    if sides.count(None) > 1:
        raise MisfitError("its shape may have one -1")
    count = prod(side for side in sides if side is not None)
    return tuple(prod(data) // max(count, 1) if side is None else side for side in sides)


register(
    Operator(
        "Reshape",
        _reshape,
        attributes=(
            integers("shape", -4, _LONGEST, 1, 12, REQUIRED),
            flag("reverse"),
            integers("target_shape", 0, 0, 0, 0),
            flag("keep_highest"),
        ),
        aliases=("reshape",),
        roles=_FLATTENS,
        onnx="Reshape",
        caffe="Reshape",
    )
)


def _reshape_like(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    data, like = inputs
    if prod(data) != prod(like):
        raise MisfitError(f"it can't reshape {shape_text(data)} to {shape_text(like)}")
    return (like,)


register(
    Operator("reshape_like", _reshape_like, (Slot("lhs"), Slot("rhs")), roles=_SAME_COUNT, onnx="Reshape"),
)


def _transpose(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    data = inputs[0]
    axes = axes_of(values.axes, data) or tuple(reversed(range(len(data))))
    if len(axes) != len(data):
        raise MisfitError(f"its axes are {len(axes)} and its input of {shape_text(data)} has {len(data)}")
    return (tuple(data[axis] for axis in axes),)


register(
    Operator(
        "transpose",
        _transpose,
        attributes=(integers("axes", -8, 7),),
        roles=_SAME_COUNT,
        onnx="Transpose",
        caffe="Permute",
    )
)


def _swap(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    sides = list(inputs[0])
    one, other = axis_of(values.dim1, inputs[0]), axis_of(values.dim2, inputs[0])
    if one == other:
        raise MisfitError("its dim1 and dim2 are the same axis")
    sides[one], sides[other] = sides[other], sides[one]
    return (tuple(sides),)


register(
    Operator(
        "SwapAxis",
        _swap,
        attributes=(integer("dim1", -8, 7, 0), integer("dim2", -8, 7, 0)),
        aliases=("swapaxes",),
        roles=_SAME_COUNT,
        onnx="Transpose",
    )
)


def _expand(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    data = inputs[0]
    axis = axis_of(values.axis, (*data, 1))
    return ((*data[:axis], 1, *data[axis:]),)


register(
    Operator("expand_dims", _expand, attributes=(integer("axis", -8, 7),), roles=_SAME_COUNT, onnx="Unsqueeze"),
)


def _squeeze(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    data = inputs[0]
    axes = tuple(a for a, side in enumerate(data) if side == 1) if values.axis is None else axes_of(values.axis, data)
    if any(data[axis] != 1 for axis in axes):
        raise MisfitError(f"an axis of its input of {shape_text(data)} that it removes is not 1")
    return (tuple(side for axis, side in enumerate(data) if axis not in axes) or (1,),)


register(
    Operator(
        "squeeze",
        _squeeze,
        attributes=(integers("axis", -8, 7, default=None),),
        roles=_FLATTENS,
        onnx="Squeeze",
    )
)


def _to_space(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    batch, channels, height, width = pictures(inputs[0])
    block = values.block_size
    if channels % block**2:
        raise MisfitError(f"its {channels} channels are not a multiple of {block} x {block}")
    return ((batch, channels // block**2, height * block, width * block),)


def _to_depth(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    batch, channels, height, width = pictures(inputs[0])
    block = values.block_size
    if height % block or width % block:
        raise MisfitError(f"its map of {height} x {width} does not divide into blocks of {block}")
    return ((batch, channels * block**2, height // block, width // block),)


_BLOCK = (integer("block_size", 1, 1024),)
register(Operator("depth_to_space", _to_space, attributes=_BLOCK, roles=_SAME_COUNT, onnx="DepthToSpace"))
register(Operator("space_to_depth", _to_depth, attributes=_BLOCK, roles=_SAME_COUNT, onnx="SpaceToDepth"))


def _reverse(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    axes_of(values.axis, inputs[0])
    return inputs


register(
    Operator("reverse", _reverse, attributes=(integers("axis", 0, 7, 1, 8, REQUIRED),), aliases=("flip",)),
)
