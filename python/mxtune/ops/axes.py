"""Axes as MXNet counts them: negative ones from the end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from ..words import shape_text
from .base import Shape
from .misfit import MisfitError


def axis_of(axis: int, shape: Shape) -> int:
    """The axis counted from the front.

    Raises
    ------
    MisfitError
        The array has no such axis.
    """
    if not -len(shape) <= axis < len(shape):
        raise MisfitError(f"there is no axis {axis} in its input of {shape_text(shape)}")
    return axis % len(shape)


def axes_of(axes: Iterable[Optional[int]], shape: Shape) -> tuple[int, ...]:
    """Several axes counted from the front, in the order given.

    Raises
    ------
    MisfitError
        The array has no such axis, or one is given twice.
    """
    counted = tuple(axis_of(axis, shape) for axis in axes if axis is not None)
    if len(set(counted)) < len(counted):
        raise MisfitError(f"its axes {', '.join(map(str, counted))} name one axis twice")
    return counted


def pictures(shape: Shape) -> Shape:
    """The shape itself, if it is that of a batch of images, (N, C, H, W).

    Raises
    ------
    MisfitError
        It has more or fewer axes.
    """
    if len(shape) != 4:
        raise MisfitError(f"it takes (N, C, H, W), not an input of {shape_text(shape)}")
    return shape
