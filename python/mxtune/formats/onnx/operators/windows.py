"""What convolutions and poolings have in common: kernel, strides, gaps and padding, as ONNX gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....ops import Shape
from ...untrusted import FaultError
from .base import Call, Value, Writer

LOWEST = -1e30
"""What a maximum is padded with: the lowest number that a layer may be told."""


@dataclass(frozen=True)
class View:
    """A window over a map, a number for each side of the map.

    Parameters
    ----------
    size
        Of the map.
    before, after
        The padding.
    """

    size: Shape
    kernel: Shape
    stride: Shape
    dilate: Shape
    before: Shape
    after: Shape

    @property
    def is_even(self) -> bool:
        """Whether the padding is the same at both ends, and less than the kernel, as poolings want it."""
        return self.before == self.after


def view_of(call: Call, size: Shape, kernel: Sequence[int]) -> View:
    """The window of a node over a map of this size."""
    sides = len(size)

    def numbers(name: str, default: int, count: int = sides) -> Shape:
        given = tuple(call.attribute(name, ())) or (default,) * count
        if len(given) != count or not all(isinstance(one, int) and 0 <= one < 2**15 for one in given):
            raise FaultError(f"its {name} are {given}, which do not fit a map of {sides} sides")
        return given

    kernel = tuple(kernel)
    if len(kernel) != sides or min(kernel, default=1) < 1:
        raise FaultError(f"its kernel of {kernel} does not fit its input of {sides} sides")
    stride, dilate = numbers("strides", 1), numbers("dilations", 1)
    automatic = call.attribute("auto_pad", "NOTSET")
    if automatic in ("SAME_UPPER", "SAME_LOWER"):
        reach = [1 + (k - 1) * d for k, d in zip(kernel, dilate)]
        totals = [max((-(-n // s) - 1) * s + k - n, 0) for n, s, k in zip(size, stride, reach)]
        half, rest = tuple(total // 2 for total in totals), tuple(total - total // 2 for total in totals)
        before, after = (half, rest) if automatic == "SAME_UPPER" else (rest, half)
        return View(size, kernel, stride, dilate, before, after)
    pads = (0,) * (2 * sides) if automatic == "VALID" else numbers("pads", 0, 2 * sides)
    return View(size, kernel, stride, dilate, pads[:sides], pads[sides:])


def padded(writer: Writer, x: Value, view: View, name: str, value: float = 0.0) -> tuple[Value, Shape]:
    """The value, and the padding that is left to the layer: uneven padding is a layer of its own."""
    if view.is_even:
        return x, view.before
    return pad(writer, x, view.before, view.after, name, value), (0,) * len(view.size)


def pad(
    writer: Writer, x: Value, before: Shape, after: Shape, name: str, value: float = 0.0, mode: str = "constant"
) -> Value:
    """The map with a border."""
    if len(x.shape) != 4:
        raise FaultError("it pads what is no map of (N, C, H, W) unevenly")
    widths = (0, 0, 0, 0, before[0], after[0], before[1], after[1])
    return writer.layer("Pad", f"{name}_pad", [x], mode=mode, pad_width=widths, constant_value=value)


def unpadded(writer: Writer, x: Value) -> tuple[Value, Shape]:
    """What a layer of even zero padding takes, and how much it pads: for a convolution to do it itself."""
    node = writer.maker(x, "Pad")
    none = (0,) * (len(x.shape) - 2)
    if node is None:
        return x, none
    values = node.values
    widths = values.pad_width
    if values.mode != "constant" or values.constant_value or widths[4] != widths[5] or widths[6] != widths[7]:
        return x, none
    source = node.inputs[0]
    shape = writer.stored(source)
    return Value(source, shape, tuple(range(len(shape)))), (widths[4], widths[6])
