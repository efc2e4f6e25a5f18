"""Maps made larger or smaller."""

from __future__ import annotations

from dataclasses import replace

from ..words import shape_text
from .attributes import choice, flag, integer, real, workspace
from .axes import pictures
from .base import DATA, WEIGHT, Operator, Shape, Slot, Values, register
from .misfit import MisfitError

_LARGEST = 2**15 - 1  # MXNet counts the sides of BilinearResize2D in 16 bits


def _upsampling_slots(values: Values) -> tuple[Slot, ...]:
    if values.sample_type == "bilinear":
        return DATA, WEIGHT
    return tuple(Slot(f"arg{number}") for number in range(values.num_args))


def _upsampled(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    batch, channels, height, width = pictures(inputs[0])
    height, width = height * values.scale, width * values.scale
    if values.sample_type == "nearest":
        for other in inputs:
            if pictures(other)[0] != batch or height % other[2] or width % other[3]:
                raise MisfitError(f"it can't make {height} x {width} of {shape_text(other)}")
        widths = [other[1] for other in inputs]
        if values.multi_input_mode == "sum" and len(set(widths)) > 1:
            raise MisfitError("its inputs have different numbers of channels")
        channels = channels if values.multi_input_mode == "sum" else sum(widths)
    return ((batch, channels, height, width),)


def _kernel(values: Values, data: Shape) -> dict[str, Shape]:
    if values.sample_type != "bilinear":
        return {}
    if values.num_filter != pictures(data)[1]:  # MXNet 1.9 divides by it unchecked
        raise MisfitError(f"its num_filter is {values.num_filter} and its input has {data[1]} channels")
    side = 2 * values.scale - values.scale % 2
    return {"weight": (data[1], 1, side, side)}


register(
    Operator(
        "UpSampling",
        _upsampled,
        slots=_upsampling_slots,
        attributes=(
            integer("scale", 1, 1024),
            choice("sample_type", "nearest", "bilinear"),
            integer("num_args", 1, 64),
            integer("num_filter", 0, 2**20, 0),
            choice("multi_input_mode", "concat", "sum", default="concat"),
            workspace(512),
        ),
        parameters=_kernel,
        onnx="Resize",
        caffe="Upsample",
    )
)

_MODES = ("size", "like", "odd_scale", "to_even_down", "to_even_up", "to_odd_down", "to_odd_up")


def _resized(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    batch, channels, *size = pictures(inputs[0])
    scales = (values.scale_height, values.scale_width)
    if values.mode == "like":
        sides = list(pictures(inputs[1])[2:])
    elif values.mode.startswith("to_"):
        _, parity, way = values.mode.split("_")
        step = -1 if way == "down" else 1
        sides = [n if n % 2 == (parity == "odd") else n + step for n in size]
    elif scales == (None, None):
        if values.mode == "odd_scale":
            raise MisfitError("its scale_height and scale_width are missing")
        sides = [values.height, values.width]
    elif None in scales:
        raise MisfitError("it needs both scale_height and scale_width")
    elif values.mode == "size":
        sides = [int(scale * n) for scale, n in zip(scales, size)]
    else:
        sides = [int(n * s) if n % 2 == 0 else int((n - 1) * s) + 1 for n, s in zip(size, scales)]
    if any(side > _LARGEST for side in sides):
        raise MisfitError(f"its output would be {shape_text(sides)}, and MXNet counts to {_LARGEST:,}")
    return ((batch, channels, *sides),)


register(
    Operator(
        "_contrib_BilinearResize2D",
        _resized,
        slots=lambda values: (DATA, Slot("like")) if values.mode == "like" else (DATA,),
        attributes=(
            integer("height", 1, _LARGEST, 1),
            integer("width", 1, _LARGEST, 1),
            real("scale_height", None, 1e-4, 1e4),
            real("scale_width", None, 1e-4, 1e4),
            choice("mode", *_MODES, default="size"),
            replace(flag("align_corners"), default=True),
        ),
        onnx="Resize",
    )
)
