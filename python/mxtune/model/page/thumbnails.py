"""Small JPEGs inside a page: bounded in number by who asks, and in bytes by their size."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, Optional

import numpy as np
import PIL.Image

from ...images import ImageSet
from ...images.decode import decode_or_none
from .markup import Markup, tag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

SIDE = 192  # pixels, at most; some 10 kB
_QUALITY, _COARSE = 80, 96  # pixels that are few are shown as squares, and stored well


def thumbnails(images: ImageSet, places: Sequence[int]) -> list[Optional[Pixels]]:
    """(H, W, 3) uint8 of the images at these places, no side longer than 192 pixels; None of what can't be read now."""
    pixels, _ = decode_or_none(images, places, small, at_least=SIDE)
    return pixels


def small(picture: PIL.Image.Image) -> Any:
    """(H, W, 3) uint8: no side is longer than 192 pixels."""
    rgb = picture.convert("RGB")
    rgb.thumbnail((SIDE, SIDE), reducing_gap=3.0)
    return np.asarray(rgb)


def embedded(pixels: Pixels, words: str) -> Markup:
    """An image of the page, and what it shows in words."""
    height, width = pixels.shape[:2]
    few = max(height, width) <= _COARSE
    stream = BytesIO()
    settings: dict[str, Any] = {"quality": 92, "subsampling": 0} if few else {"quality": _QUALITY}
    PIL.Image.fromarray(pixels).save(stream, "JPEG", optimize=True, **settings)
    address = f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
    return tag("img", src=address, alt=words, width=width, height=height, class_="coarse" if few else None)
