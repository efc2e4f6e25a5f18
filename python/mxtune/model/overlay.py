"""An image with the evidence on it: orange what speaks for the answer, blue what speaks against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import PIL.Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOR, AGAINST = (213, 94, 0), (0, 114, 178)
"""Of Okabe and Ito (2008): told apart without seeing red and green."""
_SIDE = 480  # pixels, of the longer side
_DARK, _LIGHT = 60, 225  # the picture beneath has neither black nor white, on which one of the colours would be lost
_COVER = 0.8
_FAINT = 0.08  # of the strongest evidence: what is less is not shown
_SHADES, _CURVE = 0.995, 1.25
_PALE, _UNSEEN = 0.75, 235


class Box(NamedTuple):
    """A part of an overlay, in its pixels."""

    left: float
    top: float
    right: float
    bottom: float


def shown_size(picture: PIL.Image.Image) -> tuple[int, int]:
    """Width and height of the overlay: whole multiples of a small picture, so that its pixels stay squares."""
    longest = max(picture.size)
    scale = max(1, round(_SIDE / longest)) if longest < _SIDE else _SIDE / longest
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))


def draw(picture: PIL.Image.Image, evidence: NDArray[np.float32], seen: Box) -> PIL.Image.Image:
    """The picture in grey with the evidence over it, RGB.

    Parameters
    ----------
    picture
        Of any size and mode.
    evidence
        (H, W) of the overlay, in any unit; what is against the answer is below 0. All but the strongest two hundredth
        have shades of their own: a few pixels would leave none to the others.
    seen
        What the network sees; the rest is pale.
    """
    height, width = evidence.shape
    resampling = PIL.Image.Resampling.NEAREST if width > picture.width else PIL.Image.Resampling.LANCZOS
    grey = np.asarray(picture.convert("L").resize((width, height), resampling), np.float32)
    base = (_DARK + grey * ((_LIGHT - _DARK) / 255))[..., None]
    down, across = np.arange(height)[:, None] + 0.5, np.arange(width)[None] + 0.5
    inside = (across > seen.left) & (across < seen.right) & (down > seen.top) & (down < seen.bottom)
    strongest = float(np.quantile(np.abs(evidence[inside]), _SHADES)) if inside.any() else 0.0
    relative = np.where(inside, np.abs(evidence) / (strongest or 1), 0)
    strength = np.clip((relative - _FAINT) / (1 - _FAINT), 0, 1)[..., None] ** _CURVE * _COVER
    colour = np.where(evidence[..., None] > 0, np.array(FOR, np.float32), np.array(AGAINST, np.float32))
    mixed = base * (1 - strength) + colour * strength
    mixed = np.where(inside[..., None], mixed, base * (1 - _PALE) + _UNSEEN * _PALE)
    return PIL.Image.fromarray(np.clip(np.rint(mixed), 0, 255).astype(np.uint8))
