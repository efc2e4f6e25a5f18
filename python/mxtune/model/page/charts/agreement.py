"""What was observed over what was predicted, of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..markup import Markup
from ..numbers import short
from .frame import Frame
from .svg import circle, line

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 1_000  # points


def agreement(predicted: NDArray[Any], observed: NDArray[Any], name: str = "") -> Markup:
    """A point for each image, of many for some, and a line where both numbers are equal."""
    finite = np.flatnonzero(np.isfinite(predicted) & np.isfinite(observed))
    rows = finite[np.unique(np.linspace(0, max(len(finite) - 1, 0), min(len(finite), _MOST)).astype(int))]
    both = np.stack([predicted[rows], observed[rows]])
    low, high = (float(both.min()), float(both.max())) if both.size else (0.0, 1.0)
    margin = 0.04 * (high - low) or max(abs(high), 1.0) * 0.04
    ends = low - margin, high + margin
    frame = Frame(ends, ends, 400, 380)
    points = [circle(frame.across(x), frame.up(y), 2.5, "dot") for x, y in both.T.tolist()]
    diagonal = line(frame.across(ends[0]), frame.up(ends[0]), frame.across(ends[1]), frame.up(ends[1]), "diagonal")
    words = f"{len(rows)} images, numbers from {short(low)} to {short(high)}. On the line both are equal."
    title = f"Observed over predicted{f': {name}' if name else ''}"
    return frame.draw(title, words, ("predicted", "observed"), diagonal, points)
