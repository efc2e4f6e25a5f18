"""16-bit colours, of which Pillow keeps only the upper byte: read a second time for the lower one."""

from __future__ import annotations

import re
import sys
from typing import Any, Optional

import numpy as np

from .scale import Numbers

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


def join_bytes(upper: Any, lower: Any) -> Numbers:
    """Both bytes of each value, as (H, W, C) uint16; of two images, decoded and upright."""
    return Numbers(np.asarray(upper).astype(np.uint16) << 8 | np.asarray(lower))
