"""The same values in another shape or order, part of them, or with a border."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...onnx.operators import Value
from ...untrusted import FaultError
from ..building import Building, One, first, last, moved
from .base import register


@register("Flatten")
def _flat(net: Building, one: One, inputs: list[Value]) -> Value:
    x = inputs[0]
    if one.is_first(net) and len(x.shape) == 4:  # Keras brings channels behind height and width before
        x = moved(x, (0, 2, 3, 1))
    return net.writer.reshaped(x, (x.shape[0], math.prod(x.shape[1:])), one.name)


@register("Reshape")
def _reshaped(net: Building, one: One, inputs: list[Value]) -> Value:
    target = _numbers(one, "target_shape", -1)
    return net.op("Reshape", one.name, inputs[0], np.array([0, *target]))


@register("Permute")
def _permuted(net: Building, one: One, inputs: list[Value]) -> Value:
    return net.op("Transpose", one.name, inputs[0], perm=(0, *_numbers(one, "dims", 1)))


def _numbers(one: One, name: str, least: int) -> tuple[int, ...]:
    values = one.get(name)
    if not isinstance(values, (list, tuple)) or not 0 < len(values) <= 6:
        raise FaultError(f"its {name} is no list of numbers")
    if any(type(value) is not int or not least <= value < 2**31 for value in values):
        raise FaultError(f"its {name} is no list of numbers")
    return tuple(values)


def _borders(one: One, name: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """What is added or cut before and after, of height and width: one number, two, or two pairs."""
    value: Any = one.get(name, 1)
    sides = (value, value) if type(value) is int else tuple(value)
    pairs = [(side, side) if type(side) is int else tuple(side) for side in sides]
    if len(pairs) != 2 or any(len(pair) != 2 for pair in pairs):
        raise FaultError(f"its {name} is not that of two sides")
    if any(type(width) is not int or not 0 <= width < 2**15 for pair in pairs for width in pair):
        raise FaultError(f"its {name} is no list of numbers")
    (top, bottom), (left, right) = pairs
    return (top, bottom), (left, right)


@register("ZeroPadding2D")
def _padded(net: Building, one: One, inputs: list[Value]) -> Value:
    already = one.is_first(net)
    (top, bottom), (left, right) = _borders(one, "padding")
    y = net.op("Pad", one.name, first(inputs[0], already), np.array([0, 0, top, left, 0, 0, bottom, right]))
    return last(y, already)


@register("Cropping2D")
def _cropped(net: Building, one: One, inputs: list[Value]) -> Value:
    already = one.is_first(net)
    x = first(inputs[0], already)
    (top, bottom), (left, right) = _borders(one, "cropping")
    ends = (x.shape[2] - bottom, x.shape[3] - right)
    if top >= ends[0] or left >= ends[1]:
        raise FaultError("nothing is left of its input")
    y = net.op("Slice", one.name, x, np.array([top, left]), np.array(ends), np.array([2, 3]))
    return last(y, already)


@register("UpSampling2D")
def _enlarged(net: Building, one: One, inputs: list[Value]) -> Value:
    already, (down, across) = one.is_first(net), one.pair("size", 2)
    x, mode = first(inputs[0], already), one.text("interpolation", "nearest")
    if mode not in ("nearest", "bilinear"):
        raise FaultError(f"it enlarges by {mode[:40]}")
    sizes = np.array([*x.shape[:2], x.shape[2] * down, x.shape[3] * across])
    y = net.op(
        "Resize", one.name, x, None, None, sizes, nearest_mode="floor", mode={"bilinear": "linear"}.get(mode, mode),
        coordinate_transformation_mode="asymmetric" if mode == "nearest" else "half_pixel",
    )  # fmt: skip
    return last(y, already)
