"""Near-copies: the same image saved again, cropped a little, brightened, or the next one of a burst.

Two images are compared as 16 x 16 grey ones, by the correlation of what they show and of its finer structure, and by
their mean colours: a perceptual hash, but kept as numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np
import PIL.Image

from .groups import linked

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIDE = 16
_COLOUR = 24  # of 255: mean colours that differ by more are other images
_FLAT = 4  # of 255: an image whose grey varies less shows nothing to compare
_NEAR, _NEARER = (
    (0.96, 0.8),
    (0.98, 0.95),
)  # correlation of what is shown, and of its finer structure
_SMALL = 64  # pixels: images with a shorter side below this are alike at 16 x 16 without being copies
_BLOCK = 512  # images compared with all others at a time


def signature(image: Union[PIL.Image.Image, NDArray[Any]]) -> NDArray[np.uint8]:
    """(259,) uint8: 16 x 16 shades of grey, row by row, and the mean colour.

    Parameters
    ----------
    image
        Upright, of any mode; or an (H, W) or (H, W, C) array, which counts from its lowest to its highest value.
    """
    if not isinstance(image, PIL.Image.Image):
        image = _as_image(np.asarray(image))
    thumbnail = image.resize((_SIDE, _SIDE), PIL.Image.Resampling.BOX, reducing_gap=1.0).convert("RGB")
    colour = np.asarray(thumbnail).mean(axis=(0, 1)).round().astype(np.uint8)
    return np.concatenate([np.asarray(thumbnail.convert("L")).ravel(), colour])


def _as_image(array: NDArray[Any]) -> PIL.Image.Image:
    array = array[..., 0] if array.ndim == 3 and array.shape[2] != 3 else array
    if array.dtype != np.uint8:
        finite = np.nan_to_num(array.astype(np.float32), posinf=0, neginf=0)
        low, high = float(finite.min()), float(finite.max())
        array = ((finite - low) * (255 / max(high - low, 1e-30))).astype(np.uint8)
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
    small = float(np.median(sizes.min(axis=1))) < _SMALL
    for limits in (_NEARER,) if small else (_NEAR, _NEARER):
        pairs = _pairs(np.asarray(signatures), *limits)
        mixed_pairs = 0 if labels is None else sum(labels[one] != labels[other] for one, other in pairs)
        groups = linked(pairs, len(ungrouped))
        if 5 * mixed_pairs <= len(pairs) and 2 * max(np.bincount(groups)) <= max(len(ungrouped), 6):
            return groups
    return ungrouped


def _pairs(signatures: NDArray[np.uint8], coarse_limit: float, fine_limit: float) -> list[tuple[int, int]]:
    grey = signatures[:, :-3].astype(np.float64).reshape(-1, _SIDE, _SIDE)
    rows = np.flatnonzero(grey.std(axis=(1, 2)) >= _FLAT)
    if len(rows) < 2:
        return []
    coarse, fine = _unit(grey[rows]), _unit(grey[rows] - _blurred(grey[rows]))
    colours = signatures[rows, -3:].astype(np.int64)
    axis = np.linalg.eigh(coarse.T @ coarse)[1][:, -1]  # images that are alike lie close along any axis
    projection = coarse @ axis
    order = np.argsort(projection, kind="stable")
    reach = np.sqrt(2 - 2 * coarse_limit) + 1e-6
    sorted_coarse = coarse[order].astype(np.float32)
    ends = np.searchsorted(projection[order], projection[order] + reach)
    pairs = []
    for start in range(0, len(order), _BLOCK):
        block = sorted_coarse[start : start + _BLOCK]
        stop = int(ends[min(start + _BLOCK, len(order)) - 1])
        candidates = np.argwhere(block @ sorted_coarse[start:stop].T > coarse_limit - 1e-4)
        candidates = candidates[candidates[:, 0] < candidates[:, 1]] + start
        one, other = order[candidates[:, 0]], order[candidates[:, 1]]
        is_near = (coarse[one] * coarse[other]).sum(axis=1) >= coarse_limit
        is_near &= (fine[one] * fine[other]).sum(axis=1) >= fine_limit
        is_near &= np.abs(_tint(colours[one]) - _tint(colours[other])).max(axis=1, initial=0) <= _COLOUR
        pairs += [(int(rows[a]), int(rows[b])) for a, b in zip(one[is_near], other[is_near])]
    return sorted((min(pair), max(pair)) for pair in pairs)


def _tint(colours: NDArray[np.int64]) -> NDArray[np.int64]:
    """Colours without their brightness, which a burst's exposure changes."""
    tint: NDArray[np.int64] = colours[:, [0, 2]] - colours[:, [1, 1]]
    return tint


def _unit(pictures: NDArray[np.float64]) -> NDArray[np.float64]:
    flat = pictures.reshape(len(pictures), -1)
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
