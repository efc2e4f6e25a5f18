"""Parts of an array: slices, crops, splits, rows by number."""

from __future__ import annotations

from ..words import shape_text
from .attributes import FLOAT32, REQUIRED, Attribute, Integers, choice, flag, integer, integers, real
from .axes import axes_of, axis_of, pictures
from .base import DATA, Operator, Shape, Slot, Values, register
from .misfit import MisfitError

_FAR = 2**31 - 1


def _sliced(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    data = inputs[0]
    steps = values.step or (None,) * len(values.begin)
    if not len(values.begin) == len(values.end) == len(steps) <= len(data):
        raise MisfitError(f"its begin, end and step do not fit an input of {shape_text(data)}")
    if 0 in steps:
        raise MisfitError("its step has a 0")
    parts = (slice(*ends) for ends in zip(values.begin, values.end, steps))
    sliced = tuple(len(range(*part.indices(side))) for part, side in zip(parts, data))
    return ((*sliced, *data[len(sliced) :]),)


def _ends(name: str, default: object = REQUIRED) -> Attribute:
    return Attribute(name, Integers(-_FAR, _FAR, 0 if default == () else 1, 8, gaps=True), default)


register(
    Operator(
        "slice",
        _sliced,
        attributes=(_ends("begin"), _ends("end"), _ends("step", ())),
        aliases=("crop",),
        onnx="Slice",
        caffe="Slice",
    )
)


def _axis_sliced(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    data = inputs[0]
    axis = axis_of(values.axis, data)
    side = data[axis]
    begin = values.begin + side if values.begin < 0 else values.begin
    end = side if values.end is None else values.end + side if values.end < 0 else values.end
    if not 0 <= begin < end <= side:
        raise MisfitError(f"it can't take {values.begin} to {values.end} of {side}")
    return ((*data[:axis], end - begin, *data[axis + 1 :]),)


register(
    Operator(
        "slice_axis",
        _axis_sliced,
        attributes=(
            integer("axis", -8, 7),
            integer("begin", -_FAR, _FAR),
            integer("end", -_FAR, _FAR, optional=True),
        ),
        onnx="Slice",
    )
)


def _sliced_like(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    data, like = inputs
    axes = axes_of(values.axes, data) or tuple(range(len(data)))
    if (not values.axes and len(data) != len(like)) or any(a >= len(like) or like[a] > data[a] for a in axes):
        raise MisfitError(f"it can't cut {shape_text(data)} to {shape_text(like)}")
    return (tuple(like[axis] if axis in axes else side for axis, side in enumerate(data)),)


register(
    Operator(
        "slice_like",
        _sliced_like,
        (DATA, Slot("shape_like")),
        attributes=(integers("axes", -8, 7),),
        onnx="Slice",
    )
)


def _cropped(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    batch, channels, *size = pictures(inputs[0])
    cropped_size = list(pictures(inputs[1])[2:]) if values.num_args == 2 else list(values.h_w)
    start = [(n - w) // 2 for n, w in zip(size, cropped_size)] if values.center_crop else list(values.offset)
    if any(w < 1 or s < 0 or s + w > n for n, w, s in zip(size, cropped_size, start)):
        raise MisfitError(f"it can't cut {shape_text(cropped_size)} out of {shape_text(size)}")
    return ((batch, channels, *cropped_size),)


register(
    Operator(
        "Crop",
        _cropped,
        slots=lambda values: (Slot("arg0"), Slot("arg1"))[: values.num_args],
        attributes=(
            integer("num_args", 1, 2),
            integers("offset", 0, _FAR, 2, 2, (0, 0)),
            integers("h_w", 0, _FAR, 2, 2, (0, 0)),
            flag("center_crop"),
        ),
        caffe="Crop",
    )
)


def _split(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    data, parts = inputs[0], int(values.num_outputs)
    axis = axis_of(values.axis, data)
    if data[axis] % parts:
        raise MisfitError(f"it can't split {data[axis]} into {parts}")
    if not values.squeeze_axis:
        return ((*data[:axis], data[axis] // parts, *data[axis + 1 :]),) * parts
    if data[axis] != parts or len(data) < 2:
        raise MisfitError(f"it can't take out the axis of {data[axis]} by a split into {parts}")
    return ((*data[:axis], *data[axis + 1 :]),) * parts


register(
    Operator(
        "SliceChannel",
        _split,
        attributes=(integer("num_outputs", 1, 1024), integer("axis", -8, 7, 1), flag("squeeze_axis")),
        aliases=("split",),
        outputs=lambda values: int(values.num_outputs),
        onnx="Split",
        caffe="Slice",
    )
)


def _taken(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    data, indices = inputs
    axis = axis_of(values.axis, data)
    return ((*data[:axis], *indices, *data[axis + 1 :]),)


register(
    Operator(
        "take",
        _taken,
        (Slot("a"), Slot("indices")),
        attributes=(integer("axis", -8, 7, 0), choice("mode", "clip", "wrap", default="clip")),
        onnx="Gather",
    )
)


def _picked(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    data, index = inputs
    axis = axis_of(values.axis, data)
    kept_shape = (*data[:axis], 1, *data[axis + 1 :])
    gone = (*data[:axis], *data[axis + 1 :]) or (1,)
    if index not in (kept_shape, gone):
        raise MisfitError(f"its index is {shape_text(index)} where {shape_text(gone)} is needed")
    return (kept_shape if values.keepdims else gone,)


register(
    Operator(
        "pick",
        _picked,
        (DATA, Slot("index")),
        attributes=(
            integer("axis", -8, 7, -1),
            flag("keepdims"),
            choice("mode", "clip", "wrap", default="clip"),
        ),
        onnx="GatherElements",
    )
)


register(
    Operator(
        "one_hot",
        lambda values, inputs: ((*inputs[0], values.depth),),
        (Slot("indices"),),
        attributes=(integer("depth", 1, 2**20), real("on_value", 1.0), real("off_value", 0.0), FLOAT32),
        onnx="OneHot",
    )
)


def _largest(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    data = inputs[0]
    axis = axis_of(values.axis, data)
    if values.k > data[axis]:
        raise MisfitError(f"it can't take {values.k} of {data[axis]}")
    shape = data if values.ret_typ == "mask" else (*data[:axis], values.k, *data[axis + 1 :])
    return (shape,) * (2 if values.ret_typ == "both" else 1)


register(
    Operator(
        "topk",
        _largest,
        attributes=(
            integer("axis", -8, 7, -1),
            integer("k", 1, _FAR, 1),
            choice("ret_typ", "indices", "value", "mask", "both", default="indices"),
            flag("is_ascend"),
            FLOAT32,
        ),
        outputs=lambda values: 2 if values.ret_typ == "both" else 1,
        onnx="TopK",
    )
)
