"""Images of it all: figures of matplotlib from plain data, a file a figure.

They are made without pyplot: no state, backend or setting of the user's session is touched. Colours are those of
Okabe and Ito (2008), which can be told apart without seeing red and green.
"""

from __future__ import annotations

from .confusion import confusion
from .gallery import gallery
from .history import history
from .plot import Plot, write

__all__ = ["Plot", "confusion", "gallery", "history", "write"]
