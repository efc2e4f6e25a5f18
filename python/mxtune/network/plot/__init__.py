"""A network as a picture (SVG), drawn here so that nothing needs to be installed.

``blocks``: layers that belong together, as one box with words.  ``layout``: where each box lies.  ``svg``: the picture.
"""

from __future__ import annotations

from .svg import Drawing, draw

__all__ = ["Drawing", "draw"]
