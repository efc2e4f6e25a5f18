"""`mxlook`: look through images on a page of this machine, and keep what is decided in a table.

`decisions` is that table, `subject` what the page shows, `server` who may see it, `moving` the one thing that touches
files, where it is asked for.
"""

from __future__ import annotations

from .looking import mxlook

__all__ = ["mxlook"]
