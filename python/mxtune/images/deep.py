"""16-bit colours, and grey with alpha, of which Pillow keeps only the upper byte: read with the lower one, too."""

from __future__ import annotations

import re
import sys
from typing import Any, Optional

import numpy as np

from .scale import Numbers

_OPAQUE = 65535
_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


def lower_bytes(opened: Any) -> Optional[list[Any]]:
    """What Pillow should decode to get the lower byte of each value: in the other order it is the upper one.

    None where the file that was ``opened``, and not loaded yet, has no colours of 16 bits.
    """
    tiles = []
    for tile in opened.tile:
        codec, extents, offset, args = tile
        mode_args = args if isinstance(args, tuple) else (args,)
        mode = re.fullmatch("(RGBA?;16)([BLN])", str(mode_args[0]) if mode_args else "")
        if mode is None or "transparency" in opened.info:
            return None
        swapped_mode = mode[1] + _OTHER_ORDER[mode[2]]
        swapped_tile = (
            codec,
            extents,
            offset,
            (swapped_mode, *mode_args[1:]) if isinstance(args, tuple) else swapped_mode,
        )
        tiles.append(type(tile)(*swapped_tile) if hasattr(tile, "_fields") else swapped_tile)
    return tiles or None


def join_bytes(upper: Any, lower: Any, alpha: bool = False) -> Numbers:
    """Both bytes of each value, as (H, W, C) uint16; of two images, decoded and upright."""
    values = np.asarray(upper).astype(np.uint16) << 8 | np.asarray(lower)
    return Numbers(values) if alpha else _without_opaque_alpha(values)


def grey_as_bytes(opened: Any) -> Optional[list[Any]]:
    """What Pillow should decode to get the four bytes of each pixel of grey and alpha; None where there are none."""
    tiles = [
        tile._replace(args="RGBA") if hasattr(tile, "_replace") else (*tile[:3], "RGBA")
        for tile in opened.tile
        if tile[3] == "LA;16B" and opened.mode == "RGBA"
    ]
    return tiles if tiles and len(tiles) == len(opened.tile) else None


def join_grey(pixels: Any, alpha: bool = False) -> Numbers:
    """(H, W, 1) uint16 of the bytes of grey and alpha; (H, W, 4) where it is transparent, or alpha is wanted."""
    pairs = np.asarray(pixels).astype(np.uint16)
    grey, opacity = (pairs[:, :, place] << 8 | pairs[:, :, place + 1] for place in (0, 2))
    values = np.stack([grey, grey, grey, opacity], axis=2)
    numbers = Numbers(values) if alpha else _without_opaque_alpha(values)
    return numbers if numbers.values.shape[2] == 4 else Numbers(grey[:, :, np.newaxis])


def _without_opaque_alpha(values: Any) -> Numbers:
    """Colours alone where nothing is transparent: alpha would be taken for the brightest value."""
    opaque = values.shape[2] == 4 and (values[:, :, 3] == _OPAQUE).all()
    return Numbers(np.ascontiguousarray(values[:, :, :3]) if opaque else values)
