"""How often it comes true, at each probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..markup import Markup
from ..numbers import percent
from .frame import Frame
from .svg import letters, line, rect

if TYPE_CHECKING:
    import pandas as pd

_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def reliability(bins: pd.DataFrame, names: tuple[str, str]) -> Markup:
    """A bar for each bin as `mxtune.Model.calibration` gives them, a stroke for what was promised, and n above.

    Parameters
    ----------
    names
        What the probability is of, and what the share is of.
    """
    frame = Frame((0, 1), (0, 1), 400, 300, above=16)
    filled = bins[bins["n"] > 0].to_dict("records")
    shapes = []
    for one in filled:
        left, right = frame.across(one["lower"]) + 1.5, frame.across(one["upper"]) - 1.5
        top, promised = frame.up(one["observed"]), frame.up(one["predicted"])
        shapes += [
            rect(left, top, right - left, frame.bottom - top, "bar"),
            line(left, promised, right, promised, "promised"),
            letters((left + right) / 2, frame.up(1) - 6, _count(one["n"]), "count middle"),
        ]
    shapes.append(line(frame.across(0), frame.up(0), frame.across(1), frame.up(1), "diagonal"))
    said = (
        f"{percent(one['predicted'])} promised, {percent(one['observed'])} observed of {one['n']}" for one in filled
    )
    words = f"Bars: {names[1]}; strokes: the mean {names[0]}. {'; '.join(said)}."
    return frame.draw("Calibration", words, names, shapes, at=(_SHARES, _SHARES))


def _count(n: int) -> str:
    """A number of images in little room."""
    return str(n) if n < 1000 else f"{n / 1000:.1f}k" if n < 100_000 else f"{n // 1000}k"
