"""Windows that slide over a map: what convolutions and poolings have in common."""

from __future__ import annotations

from typing import NamedTuple

from ..words import shape_text
from .base import Shape, Values
from .misfit import MisfitError

LARGEST = 1024
"""The largest kernel, stride, padding or dilation allowed; the largest in the zoo is 11."""


class Window(NamedTuple):
    """A window over a map; each field has one number per axis: two for an image, one for a row."""

    size: Shape
    kernel: Shape
    stride: Shape
    pad: Shape
    dilate: Shape

    @property
    def reach(self) -> Shape:
        """How far the kernel reaches, gaps included."""
        return tuple(1 + (k - 1) * d for k, d in zip(self.kernel, self.dilate))


def window(values: Values, data: Shape) -> Window:
    """The window that an operator's attributes describe, over a map of (N, C, ...).

    Raises
    ------
    MisfitError
        The map has more or fewer sides than the kernel, or one of the attributes has.
    """
    sides = len(values.kernel)
    if len(data) != sides + 2:
        raise MisfitError(f"its kernel of {shape_text(values.kernel)} does not fit an input of {shape_text(data)}")
    layout = getattr(values, "layout", None)
    if layout is not None and len(layout) != len(data):
        raise MisfitError(f"its layout is {layout} and its input {shape_text(data)}")
    defaults = {"stride": 1, "pad": 0, "dilate": 1}
    filled = {name: getattr(values, name, ()) or (default,) * sides for name, default in defaults.items()}
    for name, given in filled.items():
        if len(given) != sides:
            raise MisfitError(f"its {name} has {len(given)} numbers and its kernel {sides}")
    return Window(data[2:], values.kernel, filled["stride"], filled["pad"], filled["dilate"])


def places(view: Window) -> Shape:
    """How many positions the window has along each axis.

    Raises
    ------
    MisfitError
        The window is larger than the map with its padding.
    """
    padded = tuple(n + 2 * p for n, p in zip(view.size, view.pad))
    if any(k > n for k, n in zip(view.reach, padded)):
        raise MisfitError(f"its window of {shape_text(view.reach)} is larger than its input of {shape_text(padded)}")
    return tuple((n - k) // s + 1 for n, k, s in zip(padded, view.reach, view.stride))
