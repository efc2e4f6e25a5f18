"""Images of it all: figures of matplotlib from plain data, a file a figure.

They are made without pyplot: no state, backend or setting of the user's session is touched. Colours are those of
Okabe and Ito (2008), which can be told apart without seeing red and green.
"""

from __future__ import annotations

from .calibration import calibration
from .confusion import confusion
from .gallery import gallery
from .history import history
from .learning_curve import learning_curve
from .map_of_images import map_of_images
from .per_class import per_class
from .plot import Plot, write

__all__ = [
    "Plot",
    "calibration",
    "confusion",
    "gallery",
    "history",
    "learning_curve",
    "map_of_images",
    "per_class",
    "write",
]
