"""Near-copies: the same image saved again, cropped a little, brightened, or the next one of a burst.

Two images are compared as 16 x 16 grey ones, by the correlation of what they show and of its finer structure, and by
their mean colours: a perceptual hash, but kept as numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np
import PIL.Image

from ..blas import threads_for
from .groups import Links
from .scale import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]

_SIDE = 16
_COLOUR = 24  # of 255: mean colours that differ by more are other images
_FLAT = 4  # of 255: an image whose grey varies less shows nothing to compare
_NEAR, _NEARER = (
    (0.96, 0.8),
    (0.98, 0.95),
)  # correlation of what is shown, and of its finer structure
_SMALL = 64  # pixels: images with a shorter side below this are alike at 16 x 16 without being copies
_AXES = 32  # main axes along which all images are compared first: what is far along them is far
_SLACK = 1e-4  # what rounding may take from a correlation in 32 bits
_BLOCK, _WIDE = 512, 2048  # images compared with images at a time, so that what is in between stays small
_ROWS = 1024  # images, or pairs, whose numbers lie in memory at a time, 2 kB each


def signature(image: Union[PIL.Image.Image, NDArray[Any]], span: Optional[Span] = None) -> NDArray[np.uint8]:
    """(259,) uint8: 16 x 16 shades of grey, row by row, and the mean colour.

    Parameters
    ----------
    image
        Upright, of any mode; or an (H, W) or (H, W, C) array.
    span
        What the values of an array span, where it is not of 8 bits: it counts from the lowest to the highest.
    """
    if not isinstance(image, PIL.Image.Image):
        image = _as_image(image, span)
    thumbnail = image.resize((_SIDE, _SIDE), PIL.Image.Resampling.BOX, reducing_gap=1.0)
    if thumbnail.mode == "L":  # as below, in half the time
        shades = thumbnail.tobytes()
        return np.frombuffer(shades + bytes([round(sum(shades) / len(shades))] * 3), np.uint8)
    thumbnail = thumbnail.convert("RGB")
    colour = np.asarray(thumbnail).mean(axis=(0, 1)).round().astype(np.uint8)
    return np.concatenate([np.asarray(thumbnail.convert("L")).ravel(), colour])


def _as_image(array: NDArray[Any], span: Optional[Span]) -> PIL.Image.Image:
    array = array[..., 0] if array.ndim == 3 and array.shape[2] != 3 else array
    if array.dtype != np.uint8:
        assert span is not None  # noqa: S101 - without one it is not finite, and read no further
        scaled = np.subtract(array, span.low, dtype=np.float32)
        scaled *= 255 / max(span.high - span.low, 1e-30)
        array = scaled.astype(np.uint8)
    return PIL.Image.fromarray(np.ascontiguousarray(array))


def near_copies(
    signatures: Sequence[NDArray[np.uint8]], sizes: NDArray[np.int32], labels: Optional[Sequence[str]] = None
) -> list[int]:
    """A number for each image, equal for near-copies of each other.

    Where similar images don't mean the same subject, none are near: a fixed camera, for example, gives more than half
    of all images, or images of several classes, the same look.

    Parameters
    ----------
    signatures
        As `signature` gives them.
    sizes
        (N, 2): height and width in pixels.
    labels
        The classes of the images, where they have any.
    """
    ungrouped = list(range(len(signatures)))
    if len(ungrouped) < 2:
        return ungrouped
    every = np.asarray(signatures)
    classes = np.zeros(len(every), int) if labels is None else np.unique(labels, return_inverse=True)[1]
    small = float(np.median(sizes.min(axis=1))) < _SMALL
    with threads_for(_BLOCK * _WIDE * _AXES):
        for limits in (_NEARER,) if small else (_NEAR, _NEARER):
            groups = _groups(every, classes, *limits)
            if groups is not None:
                return groups
    return ungrouped


def _groups(
    signatures: NDArray[np.uint8], classes: NDArray[Any], coarse_limit: float, fine_limit: float
) -> Optional[list[int]]:
    """What near-copies by these limits link; None where similar images don't mean the same subject."""
    links, most = Links(len(signatures)), max(len(signatures), 6) // 2
    pairs = mixed_pairs = 0
    for one, other in _near_pairs(signatures, coarse_limit, fine_limit):
        pairs += len(one)
        mixed_pairs += int((classes[one] != classes[other]).sum())
        links.add(zip(one.tolist(), other.tolist()))
        if links.largest > most:
            return None
    return links.groups() if 5 * mixed_pairs <= pairs else None


def _near_pairs(signatures: NDArray[np.uint8], coarse_limit: float, fine_limit: float) -> Iterator[tuple[Rows, Rows]]:
    """The rows of one and the other image of each pair of near-copies, some thousand pairs at a time."""
    rows = np.concatenate([part[_grey(signatures[part]).std(axis=(1, 2)) >= _FLAT] for part in _parts(len(signatures))])
    if len(rows) < 2:
        return
    sketches = _sketches(signatures, rows)
    projection = sketches[:, int(sketches.std(axis=0).argmax())]  # images that are alike lie close along any axis
    order = np.argsort(projection, kind="stable")
    rows, sketches, projection = rows[order], sketches[order], projection[order]
    ends = np.searchsorted(projection, projection + np.float32(np.sqrt(2 - 2 * coarse_limit) + _SLACK))
    # a.b - |a|^2 / 2 - |b|^2 / 2 = -|a - b|^2 / 2 by one product
    half = (sketches * sketches).sum(axis=1, keepdims=True) / -2
    left = np.hstack([sketches, half, np.ones_like(half)])
    right = np.ascontiguousarray(np.hstack([sketches, np.ones_like(half), half]).T)
    for start in range(0, len(rows), _BLOCK):
        block = left[start : start + _BLOCK]
        stop = int(ends[start + len(block) - 1])
        for column in range(start, stop, _WIDE):
            closeness = block @ right[:, column : min(column + _WIDE, stop)]
            one, other = np.divmod(np.flatnonzero(closeness > coarse_limit - 1 - _SLACK), closeness.shape[1])
            one, other = one + start, other + column
            one, other = rows[one[one < other]], rows[other[one < other]]
            for part in _parts(len(one)):
                is_near = _are_near(signatures, one[part], other[part], coarse_limit, fine_limit)
                yield one[part][is_near], other[part][is_near]


def _sketches(signatures: NDArray[np.uint8], rows: Rows) -> NDArray[np.float32]:
    """(N, 32): where what these images show lies along its main axes."""
    moments = np.zeros((_SIDE * _SIDE, _SIDE * _SIDE))
    for part in _parts(len(rows)):
        shown = _unit(_grey(signatures[rows[part]]))
        moments += shown.T @ shown
    axes = np.linalg.eigh(moments)[1][:, -_AXES:]
    parts = [(_unit(_grey(signatures[rows[part]])) @ axes).astype(np.float32) for part in _parts(len(rows))]
    return np.concatenate(parts)


def _are_near(
    signatures: NDArray[np.uint8], one: Rows, other: Rows, coarse_limit: float, fine_limit: float
) -> NDArray[np.bool_]:
    """Which pairs are near-copies by these limits."""
    tints = _tint(signatures[:, -3:][one]), _tint(signatures[:, -3:][other])
    is_near: NDArray[np.bool_] = np.abs(tints[0] - tints[1]).max(axis=1, initial=0) <= _COLOUR
    for limit, fine in ((coarse_limit, False), (fine_limit, True)):
        left = np.flatnonzero(is_near)
        pictures, places = np.unique([one[left], other[left]], return_inverse=True)
        grey, places = _grey(signatures[pictures]), places.reshape(2, -1)
        units = _unit(grey - _blurred(grey) if fine else grey)
        is_near[left] = (units[places[0]] * units[places[1]]).sum(axis=1) >= limit
    return is_near


def _parts(count: int) -> list[Rows]:
    return [np.arange(start, min(start + _ROWS, count)) for start in range(0, count, _ROWS)]


def _grey(signatures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(N, 16, 16): the shades."""
    return signatures[:, :-3].astype(np.float64).reshape(-1, _SIDE, _SIDE)


def _tint(colours: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Colours without their brightness, which a burst's exposure changes."""
    whole = colours.astype(np.int64)
    return whole[:, [0, 2]] - whole[:, [1, 1]]


def _unit(pictures: NDArray[np.float64]) -> NDArray[np.float64]:
    flat = pictures.reshape(-1, _SIDE * _SIDE)
    flat = flat - flat.mean(axis=1, keepdims=True)
    unit: NDArray[np.float64] = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
    return unit


def _blurred(pictures: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of 3 x 3 pixels."""
    wide = np.pad(pictures, ((0, 0), (1, 1), (1, 1)), mode="edge")
    sides = range(3)
    blurred: NDArray[np.float64] = (
        sum((wide[:, i : i + _SIDE, j : j + _SIDE] for i in sides for j in sides), np.zeros(pictures.shape)) / 9
    )
    return blurred
