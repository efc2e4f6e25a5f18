"""Near-copies: the same image saved again, resized, cropped a little, brightened, or the next one of a burst.

Two images are compared as 16 x 16 grey ones, by the correlation of what they show and of its finer structure, and by
their mean colours: a perceptual hash as pHash (Zauner, 2010: Implementation and benchmarking of perceptual image hash
functions), but kept as numbers. What counts as near depends on how much the images of the set resemble each other
anyway, as in the ratio test of Lowe (2004): garments on a black ground, at 28 pixels, are alike without being copies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np
import PIL.Image

from ..blas import one_thread
from .groups import Links
from .scale import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]

_SIDE = 16
_COLOUR = 24  # of 255: mean colours that differ by more are other images
_FLAT = 2  # of 255: an image whose grey varies less shows nothing to compare
_COARSE, _FINE = 0.96, 0.8  # least correlation of what is shown, and of its finer structure
_RATIO = 0.2  # a copy is closer than this share of the distance to images that are like many
_LIKE_MANY = 25, 1000  # the 25th nearest of a thousand of the set, at most: a burst is shorter
_FEW = 10  # images that tell nothing about what is usual in a set
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
    thumbnail = image.resize((_SIDE, _SIDE), PIL.Image.Resampling.HAMMING, reducing_gap=3.0)
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


def near_copies(signatures: Sequence[NDArray[np.uint8]], labels: Optional[Sequence[str]] = None) -> list[int]:
    """A number for each image, equal for near-copies of each other.

    Where similar images don't mean the same subject, none are near: a fixed camera, for example, gives more than half
    of all images, or a tenth of them in several classes, the same look.

    Photographs are found that were saved again as JPEG of quality 20 and more, resized or brightened, and most that
    lost 2 % at each edge; of 28 x 28 pixels those that were saved again at quality 50, enlarged or brightened.
    Mirrored and turned ones are other images. Of 6,000 images of Fashion-MNIST, where no two files are equal, 4 count
    as near-copies (measured by `benchmarks/near.py`).

    Parameters
    ----------
    signatures
        As `signature` gives them.
    labels
        The classes of the images, where they have any.
    """
    ungrouped = list(range(len(signatures)))
    if len(ungrouped) < 2:
        return ungrouped
    every = np.asarray(signatures)
    classes = np.zeros(len(every), int) if labels is None else np.unique(labels, return_inverse=True)[1]
    with one_thread():
        groups = _groups(every, classes)
    return ungrouped if groups is None else groups


def _groups(signatures: NDArray[np.uint8], classes: NDArray[Any]) -> Optional[list[int]]:
    """What near-copies link; None where similar images don't mean the same subject."""
    links, most = Links(len(signatures)), max(len(signatures), 6) // 2
    pairs = mixed_pairs = 0
    is_mixed = np.zeros(len(signatures), bool)
    for one, other in _near_pairs(signatures):
        differ = classes[one] != classes[other]
        is_mixed[one[differ]] = is_mixed[other[differ]] = True
        pairs, mixed_pairs = pairs + len(one), mixed_pairs + int(differ.sum())
        links.add(zip(one.tolist(), other.tolist()))
        if links.largest > most:
            return None
    return None if 5 * mixed_pairs > pairs and 10 * is_mixed.sum() > len(signatures) else links.groups()


def _near_pairs(signatures: NDArray[np.uint8]) -> Iterator[tuple[Rows, Rows]]:
    """The rows of one and the other image of each pair of near-copies, some thousand pairs at a time."""
    rows = np.concatenate([part[_grey(signatures[part]).std(axis=(1, 2)) >= _FLAT] for part in _parts(len(signatures))])
    if len(rows) < 2:
        return
    sketches = _sketches(signatures, rows)
    projection = sketches[:, int(sketches.std(axis=0).argmax())]  # images that are alike lie close along any axis
    order = np.argsort(projection, kind="stable")
    reach = _reach(signatures, rows)
    rows, sketches, projection = rows[order], sketches[order], projection[order]
    ends = np.searchsorted(projection, projection + reach[rows] + np.float32(_SLACK))
    least = (reach[rows] ** 2 / -2 - _SLACK)[:, np.newaxis]
    # a.b - |a|^2 / 2 - |b|^2 / 2 = -|a - b|^2 / 2 by one product
    half = (sketches * sketches).sum(axis=1, keepdims=True) / -2
    left = np.hstack([sketches, half, np.ones_like(half)])
    right = np.ascontiguousarray(np.hstack([sketches, np.ones_like(half), half]).T)
    for start in range(0, len(rows), _BLOCK):
        block = left[start : start + _BLOCK]
        stop = int(ends[start : start + _BLOCK].max())
        for column in range(start, stop, _WIDE):
            closeness = block @ right[:, column : min(column + _WIDE, stop)]
            one, other = np.divmod(np.flatnonzero(closeness > least[start : start + _BLOCK]), closeness.shape[1])
            one, other = one + start, other + column
            one, other = rows[one[one < other]], rows[other[one < other]]
            for part in _parts(len(one)):
                is_near = _are_near(signatures, one[part], other[part], reach)
                yield one[part][is_near], other[part][is_near]


def _sketches(signatures: NDArray[np.uint8], rows: Rows) -> NDArray[np.float32]:
    """(N, 32): where what these images show lies along its main axes."""
    moments = np.zeros((_SIDE * _SIDE, _SIDE * _SIDE))
    for part in _parts(len(rows)):
        unit_grey = _unit(_grey(signatures[rows[part]]))
        moments += unit_grey.T @ unit_grey
    axes = np.linalg.eigh(moments)[1][:, -_AXES:]
    parts = [(_unit(_grey(signatures[rows[part]])) @ axes).astype(np.float32) for part in _parts(len(rows))]
    return np.concatenate(parts)


def _reach(signatures: NDArray[np.uint8], rows: Rows) -> NDArray[np.float32]:
    """How far a near-copy of each of all images may be, (N,): less where the set has many images that are like it."""
    reach = np.full(len(signatures), np.sqrt(2 - 2 * _COARSE), np.float32)
    if len(rows) < _FEW:
        return reach
    sample = _unit(_grey(signatures[rows[:: -(-len(rows) // _LIKE_MANY[1])]])).astype(np.float32).T
    rank = 1 + min(_LIKE_MANY[0], sample.shape[1] // 2)  # the nearest is mostly the image itself
    for part in _parts(len(rows)):
        alike = _unit(_grey(signatures[rows[part]])).astype(np.float32) @ sample
        like_many = np.partition(alike, -rank, axis=1)[:, -rank]
        reach[rows[part]] = np.minimum(reach[rows[part]], _RATIO * np.sqrt(np.maximum(2 - 2 * like_many, 0)))
    return reach


def _are_near(signatures: NDArray[np.uint8], one: Rows, other: Rows, reach: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which pairs are near-copies."""
    tints = _tint(signatures[:, -3:][one]), _tint(signatures[:, -3:][other])
    is_near: NDArray[np.bool_] = np.abs(tints[0] - tints[1]).max(axis=1, initial=0) <= _COLOUR
    least = 1 - np.minimum(reach[one], reach[other]).astype(np.float64) ** 2 / 2
    for limit, fine in ((least, False), (np.full(len(one), _FINE), True)):
        left = np.flatnonzero(is_near)
        pictures, places = np.unique([one[left], other[left]], return_inverse=True)
        grey, places = _grey(signatures[pictures]), places.reshape(2, -1)
        units = _unit(grey - _blurred(grey) if fine else grey)
        is_near[left] = (units[places[0]] * units[places[1]]).sum(axis=1) >= limit[left]
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
