"""Plots as SVG in a page, a file each: their colours follow the page's, and none tells by colour alone."""

from __future__ import annotations

from .agreement import agreement
from .curves import Curve, curves
from .heat import heat
from .histogram import histogram
from .reliability import reliability
from .strip import bar, strip

__all__ = ["Curve", "agreement", "bar", "curves", "heat", "histogram", "reliability", "strip"]
