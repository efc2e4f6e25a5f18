"""Arrays put together, repeated, stretched and padded."""

from __future__ import annotations

from ..words import shape_text
from .attributes import REQUIRED, choice, integer, integers, real
from .axes import axes_of, axis_of
from .base import Operator, Shape, Slot, Values, register
from .misfit import MisfitError

_FAR = 2**31 - 1
_COUNT = integer("num_args", 1, 1024)


def _several(values: Values) -> tuple[Slot, ...]:
    return tuple(Slot(f"arg{number}") for number in range(values.num_args))


def _joined(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    first = inputs[0]
    axis = axis_of(values.dim, first)
    rest = (*first[:axis], *first[axis + 1 :])
    for other in inputs[1:]:
        if len(other) != len(first) or (*other[:axis], *other[axis + 1 :]) != rest:
            raise MisfitError(f"it can't join {shape_text(first)} and {shape_text(other)} along axis {axis}")
    return ((*first[:axis], sum(shape[axis] for shape in inputs), *first[axis + 1 :]),)


register(
    Operator(
        "Concat",
        _joined,
        slots=_several,
        attributes=(_COUNT, integer("dim", -8, 7, 1)),
        aliases=("concat",),
        roles=frozenset({"gathers"}),
        onnx="Concat",
        caffe="Concat",
    )
)


def _stacked(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    first = inputs[0]
    if any(other != first for other in inputs):
        raise MisfitError("its inputs have different shapes")
    axis = axis_of(values.axis, (*first, 1))
    return ((*first[:axis], len(inputs), *first[axis:]),)


register(Operator("stack", _stacked, slots=_several, attributes=(_COUNT, integer("axis", -8, 7, 0))))


def _padded(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    data = inputs[0]
    pairs = tuple(zip(values.pad_width[::2], values.pad_width[1::2]))
    if len(data) != 4 or len(values.pad_width) != 8 or any(map(any, pairs[:2])):
        raise MisfitError(f"its pad_width can't pad the maps of an input of {shape_text(data)}")
    if values.mode == "reflect" and any(max(pair) >= side for pair, side in zip(pairs[2:], data[2:])):
        raise MisfitError(f"it reflects more than an input of {shape_text(data)} has")
    return (tuple(before + side + after for (before, after), side in zip(pairs, data)),)


register(
    Operator(
        "Pad",
        _padded,
        attributes=(
            choice("mode", "constant", "edge", "reflect"),
            integers("pad_width", 0, 1024, 8, 8, REQUIRED),
            real("constant_value", 0.0),
        ),
        aliases=("pad",),
        roles=frozenset({"pads"}),
        onnx="Pad",
    )
)


def _tiled(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    data, reps = inputs[0], values.reps
    if sum(n > 1 for n in reps) > 2:
        raise MisfitError("it repeats more than two axes: use two of them")
    longer = max(len(data), len(reps))
    sides = (1,) * (longer - len(data)) + data
    return (tuple(n * side for n, side in zip((1,) * (longer - len(reps)) + reps, sides)),)


register(Operator("tile", _tiled, attributes=(integers("reps", 1, 2**20, 1, 6, REQUIRED),), onnx="Tile", caffe="Tile"))


def _repeated(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    data = inputs[0]
    axis = axis_of(values.axis, data)
    return ((*data[:axis], data[axis] * values.repeats, *data[axis + 1 :]),)


register(Operator("repeat", _repeated, attributes=(integer("repeats", 1, 2**20), integer("axis", -8, 7))))


def _stretched(data: Shape, wanted: Shape) -> tuple[Shape, ...]:
    if len(data) != len(wanted) or any(a not in (1, b) for a, b in zip(data, wanted)):
        raise MisfitError(f"it can't stretch {shape_text(data)} to {shape_text(wanted)}")
    return (wanted,)


register(
    Operator(
        "broadcast_to",
        lambda values, inputs: _stretched(
            inputs[0], tuple(n or side for n, side in zip(values.shape, (*inputs[0], *values.shape)))
        ),
        attributes=(integers("shape", 0, _FAR, 1, 6, REQUIRED),),
        onnx="Expand",
    )
)
register(
    Operator(
        "broadcast_like",
        lambda values, inputs: _stretched(*inputs),
        (Slot("lhs"), Slot("rhs")),
        onnx="Expand",
    )
)


def _along(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    axes = axes_of(values.axis, inputs[0])
    if len(axes) != len(values.size):
        raise MisfitError("its axis and its size have different lengths")
    if any(inputs[0][axis] != 1 for axis in axes):
        raise MisfitError(f"an axis of its input of {shape_text(inputs[0])} that it stretches is not 1")
    sides = dict(zip(axes, values.size))
    return _stretched(inputs[0], tuple(sides.get(axis, side) for axis, side in enumerate(inputs[0])))


register(
    Operator(
        "broadcast_axis",
        _along,
        attributes=(integers("axis", 0, 7), integers("size", 1, _FAR)),
        aliases=("broadcast_axes",),
        onnx="Expand",
    )
)
