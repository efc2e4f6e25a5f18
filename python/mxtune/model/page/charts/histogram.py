"""How many images there are in each range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..markup import Markup
from ..numbers import short
from .frame import Frame
from .svg import line, rect

if TYPE_CHECKING:
    from numpy.typing import NDArray


def histogram(title: str, edges: NDArray[Any], counts: NDArray[Any], names: tuple[str, str], limit: float) -> Markup:
    """A bar for each range between two edges, and a stroke at a limit."""
    frame = Frame((float(edges[0]), float(edges[-1])), (0, 1.08 * max(float(counts.max()), 1)), 400, 240)
    bars = []
    for low, high, n in zip(edges.tolist(), edges[1:].tolist(), counts.tolist()):
        left, right, top = frame.across(low) + 0.5, frame.across(high) - 0.5, frame.up(n)
        bars += [rect(left, top, right - left, frame.bottom - top, "bar")] if n else []
    stroke = line(frame.across(limit), frame.up(frame.y[1]), frame.across(limit), frame.bottom, "promised")
    beyond = sum(int(n) for low, n in zip(edges[:-1], counts) if low >= limit)
    ends = f"from {short(float(edges[0]))} to {short(float(edges[-1]))}"
    words = f"{int(counts.sum())} images, {ends}; {beyond} beyond {short(limit)}."
    return frame.draw(title, words, names, bars, stroke)
