"""Images that are arrays already: any layout and number type becomes (N, H, W, C)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np

from ..calls import in_r, kind_text, of_images, value_text
from ..errors import ArgumentError
from ..words import shape_text
from .preprocess import CHANNELS
from .scale import Numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pictures = Union[NDArray[np.uint8], Numbers]

_BLOCK_VALUES = 4_000_000  # values converted at a time, so that the copy in between stays in the processor's cache


def as_array(value: Any) -> Any:
    """What other libraries call arrays (tensors, data sets of HDF5) as NumPy's; all else as it is.

    Raises
    ------
    ArgumentError
        It lies where NumPy can't have it, as on a GPU.
    """
    if isinstance(value, (np.ndarray, str, bytes)) or hasattr(value, "iloc"):
        return value
    if not all(hasattr(value, name) for name in ("__array__", "shape", "dtype")):
        return value
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ArgumentError(f"NumPy can't read {kind_text(value)} as an array.", [reason]) from error


def pictures_of(array: Any, layout: str, count: Optional[int] = None) -> tuple[Pictures, Optional[str]]:
    """(N, H, W, C) images, C 1, 3 or 4, and a sentence on what was inferred.

    uint8, and booleans as 0 and 255, are 8-bit images; other types are `Numbers`, whose range is decided later,
    with that of all images of the set. uint8, uint16 and float32 are taken as they are, without a copy; others
    become the smallest of these that holds them.

    Parameters
    ----------
    array
        Numbers or booleans of 2 (one grey image), 3 or 4 axes.
    layout
        The axes' order, such as ``"NHWC"``, ``"HWCN"``, ``"NCHW"``.
    count
        How many images there should be (the number of labels), where that is known.

    Raises
    ------
    ArgumentError
        The shape or the type is not that of images.
    """
    if not isinstance(layout, str) or sorted(layout) != sorted("NHWC"):
        raise ArgumentError(
            '`layout` must be an order of N, H, W and C, such as "NHWC".', [f"it is {value_text(layout)}"]
        )
    if array.dtype.kind not in "uifb":
        raise ArgumentError("Images must be numbers.", [f"the array's type is {array.dtype}"])
    if isinstance(array, np.ma.MaskedArray) and np.any(array.mask):
        masked = f"{array.mask.sum()} of {array.size} are masked"
        raise ArgumentError("Images must have all their values.", [masked], "Fill them, as with x.filled(0).")
    pictures, guess = _four_axes(array, layout, count)
    if 0 in pictures.shape:
        raise ArgumentError("The array holds no pixels.", [f"its shape is {array.shape}"])
    if pictures.shape[3] not in CHANNELS:
        hint = None
        if layout == "NHWC" and array.ndim > 2 and array.shape[-3] in (1, 3):
            axes = "1, 3, 4, 2" if array.ndim == 4 else "2, 3, 1"
            by = f"aperm(x, c({axes}))" if in_r() else of_images("layout", "NCHW")
            hint = f"If the channels come before height and width: {by}."
        raise ArgumentError(
            "Images must have 1, 3 or 4 channels.",
            [f"these have {pictures.shape[3]}: the shape is {array.shape}, read as {layout}"],
            hint,
        )
    if pictures.dtype == np.uint8 and pictures.strides[0] == max(pictures.strides):
        return pictures, guess
    if pictures.dtype == np.uint8:
        return _to_type(pictures, np.uint8), guess
    if pictures.dtype == bool:
        return _to_type(pictures, np.uint8) * np.uint8(255), guess
    with np.errstate(invalid="ignore"):  # R's NA is a NaN that NumPy warns of; the image is named later
        return Numbers(_to_smallest_type(pictures)), guess


def picture_of(array: Any, layout: str, name: str) -> Any:
    """The one image (H, W, C) that an array in a list holds; see `pictures_of`.

    Raises
    ------
    ArgumentError
        It holds several, as a batch does, or none.
    """
    pictures, _ = pictures_of(array, layout, 1)
    if len(pictures) != 1:
        held = f"{name} holds {len(pictures)}: the shape is {array.shape}, read as {layout}"
        raise ArgumentError("An array in a list is one image.", [held], "Give all images in one array, or each alone.")
    return pictures[0]


def numbered(row: int) -> str:
    """The name of an image that has none, by its place counted from 0: "[0]", and "[1]" in R."""
    first = 1 if in_r() else 0
    return f"[{first + row}]"


def _four_axes(array: Any, layout: str, count: Optional[int]) -> tuple[Any, Optional[str]]:
    if array.ndim == 4:
        return array.transpose([layout.index(axis) for axis in "NHWC"]), None
    if array.ndim == 2:
        if count not in (None, 1):
            raise ArgumentError(
                "A matrix is a single grey image.",
                [f"there are {count} labels"],
                "Reshape each row into an image: x.reshape(-1, height, width).",
            )
        return array[np.newaxis, :, :, np.newaxis], None
    if array.ndim != 3:
        raise ArgumentError("Images must have 2, 3 or 4 axes.", [f"the shape is {array.shape}"])
    many_axes = layout.replace("C", "")
    as_many = array.transpose([many_axes.index(axis) for axis in "NHW"])[..., np.newaxis]
    single_axes = layout.replace("N", "")
    as_single = array.transpose([single_axes.index(axis) for axis in "HWC"])[np.newaxis]
    if count is not None:
        is_single = count == 1 and as_many.shape[0] != 1
    else:
        is_single = as_single.shape[3] in (1, 3, 4) and as_many.shape[0] > 4
    shape = shape_text(array.shape)
    if is_single:
        return as_single, f"The {shape} array is one image ({single_axes})."
    return (
        as_many,
        f"The {shape} array is {as_many.shape[0]} grey images ({many_axes})." if count is None else None,
    )


def _to_smallest_type(pictures: Any) -> NDArray[Any]:
    """The numbers as uint8 or uint16 where these hold them exactly, or as float32."""
    if pictures.dtype in (np.uint16, np.float32) and pictures.strides[0] == max(pictures.strides):
        return pictures  # type: ignore[no-any-return]
    if not _holds_whole_numbers(pictures):  # mostly known after a few values
        return _to_type(pictures, np.float32)
    low, high = pictures.min(), pictures.max()
    if low < 0 or not high <= 65535:
        return _to_type(pictures, np.float32)
    return _to_type(pictures, np.uint8 if high <= 255 else np.uint16)


def _holds_whole_numbers(pictures: Any) -> bool:
    if pictures.dtype.kind != "f":
        return True
    return all(np.array_equal(pictures[part], np.rint(pictures[part])) for part in _blocks(pictures))


def _to_type(pictures: Any, dtype: Any) -> NDArray[Any]:
    """The images in another type."""
    copy = np.empty(pictures.shape, dtype=dtype)
    for part in _blocks(pictures):
        copy[part] = pictures[part]
    return copy


def _blocks(pictures: Any) -> Iterator[tuple[slice, ...]]:
    """Slices of (N, H, W, C) images, a few million values each, in memory order."""
    axis = 1 if pictures.strides[0] < pictures.strides[1] else 0  # as in R: the images run fastest
    length = pictures.shape[axis]
    step = max(1, _BLOCK_VALUES * length // max(1, pictures.size))
    for start in range(0, length, step):
        yield (*(slice(None),) * axis, slice(start, start + step))
