"""Pictures that are arrays already: any layout and number type becomes (N, H, W, C) uint8."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ..errors import ArgumentError, PictureError
from ..words import shape_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

first: ContextVar[int] = ContextVar("first", default=0)
"""The number of the first picture of an array or a list: 0, and 1 while R asks."""

_STRETCH = 4_000_000  # values converted at a time, so that the copy in between stays in the processor's cache


def pictures_of(array: Any, layout: str, count: Optional[int] = None) -> tuple[NDArray[np.uint8], Optional[str]]:
    """(N, H, W, C) uint8 pictures, C 1, 3 or 4, and a sentence on what was guessed.

    An array of this form already is taken as it is, without a copy. Other numbers are rounded once, a
    stretch at a time: fractions up to 1 and 16-bit numbers are scaled to the range 0 to 255.

    Parameters
    ----------
    array
        Numbers or booleans of 2 (one grey picture), 3 or 4 axes.
    layout
        The axes' order, such as ``"NHWC"``, ``"HWCN"``, ``"NCHW"``.
    count
        How many pictures there should be (the number of labels), where that is known.

    Raises
    ------
    ArgumentError
        The shape or the numbers are no pictures'.
    PictureError
        A picture holds numbers that are not finite.
    """
    if not isinstance(layout, str) or sorted(layout) != sorted("NHWC"):
        raise ArgumentError('`layout` must order N, H, W and C, as "NHWC" does.', [f"it is {layout!r}"])
    if array.dtype.kind not in "uifb":
        raise ArgumentError("Pictures must be numbers.", [f"the array's type is {array.dtype}"])
    pictures, guess = _four_axes(array, layout, count)
    if 0 in pictures.shape:
        raise ArgumentError("The array holds no pixels.", [f"its shape is {array.shape}"])
    if pictures.shape[3] not in (1, 3, 4):
        hint = None
        if layout == "NHWC" and array.ndim == 4 and array.shape[1] in (1, 3):
            hint = 'Use layout = "NCHW" where the channels come second.'
        raise ArgumentError(
            "Pictures must have 1, 3 or 4 channels.",
            [f"these have {pictures.shape[3]}: the shape is {array.shape}, read as {layout}"],
            hint,
        )
    if pictures.dtype == np.uint8 and pictures.strides[0] == max(pictures.strides):
        return pictures, guess
    factor, scale = _factor(pictures)
    words = " ".join(part for part in (guess, scale) if part)
    return _rounded(pictures, factor), words or None


def numbered(row: int) -> str:
    """The name of a picture that has none, by its place counted from 0: "[0]", and "[1]" in R."""
    return f"[{first.get() + row}]"


def _four_axes(array: Any, layout: str, count: Optional[int]) -> tuple[Any, Optional[str]]:
    if array.ndim == 4:
        return array.transpose([layout.index(axis) for axis in "NHWC"]), None
    if array.ndim == 2:
        if count not in (None, 1):
            raise ArgumentError(
                "A matrix is one grey picture.",
                [f"there are {count} labels"],
                "Give the rows the shape of pictures: x.reshape(-1, height, width).",
            )
        return array[np.newaxis, :, :, np.newaxis], None
    if array.ndim != 3:
        raise ArgumentError("Pictures must have 2, 3 or 4 axes.", [f"the shape is {array.shape}"])
    grey = layout.replace("C", "")
    as_many = array.transpose([grey.index(axis) for axis in "NHW"])[..., np.newaxis]
    one = layout.replace("N", "")
    as_one = array.transpose([one.index(axis) for axis in "HWC"])[np.newaxis]
    if count is not None:
        is_one = count == 1 and as_many.shape[0] != 1
    else:
        is_one = as_one.shape[3] in (1, 3, 4) and as_many.shape[0] > 4
    shape = shape_text(array.shape)
    if is_one:
        return as_one, f"The {shape} array is one picture ({one})."
    return (
        as_many,
        f"The {shape} array is {as_many.shape[0]} grey pictures ({grey})." if count is None else None,
    )


def _factor(pictures: Any) -> tuple[float, Optional[str]]:
    """What brings the numbers to 0..255, and a sentence where it had to be guessed."""
    kind = pictures.dtype.kind
    if kind == "b":
        return 255.0, None
    if pictures.dtype == np.uint8:
        return 1.0, None
    low, top = float(pictures.min()), float(pictures.max())
    if not np.isfinite(low) or not np.isfinite(top):
        bad = [i for i, picture in enumerate(pictures) if not np.isfinite(picture).all()]
        error = PictureError(
            f"{len(bad)} of {len(pictures)} pictures hold values that are no numbers.",
            [numbered(i) for i in bad[:100]],
        )
        error.files = tuple((numbered(i), "it holds values that are no numbers") for i in bad)
        raise error
    if low < 0 or top > 65535:
        raise ArgumentError(
            "Pixel values must be from 0 to 1, or from 0 to 255.", [f"they are from {low:g} to {top:g}"]
        )
    if top > 255 and kind == "f" and pictures.dtype != np.float64:
        raise ArgumentError("Pixel values must be from 0 to 1, or from 0 to 255.", [f"the largest is {top:g}"])
    if pictures.dtype == np.uint16 or top > 255:
        return 1 / 257, "Pixel values are taken as 16-bit (0 to 65535)."
    if kind == "f":
        return (
            (255.0, "Pixel values are taken as 0 to 1.") if top <= 1 else (1.0, "Pixel values are taken as 0 to 255.")
        )
    return 1.0, None


def _rounded(pictures: Any, factor: float) -> NDArray[np.uint8]:
    """The pictures as uint8, a stretch at a time, in the order in which they lie in memory."""
    count, height, width, channels = pictures.shape
    out = np.empty(pictures.shape, dtype=np.uint8)
    by_line = pictures.strides[0] < pictures.strides[1]  # as in R: the pictures run fastest
    if by_line:
        step = max(1, _STRETCH // max(1, count * width * channels))
        for top in range(0, height, step):
            out[:, top : top + step] = _bytes(pictures[:, top : top + step], factor)
    else:
        step = max(1, _STRETCH // max(1, height * width * channels))
        for start in range(0, count, step):
            out[start : start + step] = _bytes(pictures[start : start + step], factor)
    return out


def _bytes(values: Any, factor: float) -> Any:
    if factor == 1.0 and values.dtype.kind in "ui":
        return values.astype(np.uint8)
    scaled = np.multiply(values, factor, dtype=np.float32)
    return np.rint(scaled, out=scaled).astype(np.uint8)
