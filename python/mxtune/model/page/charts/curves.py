"""Lines over steps, each named beside its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..markup import Markup, Node
from ..numbers import Ends, short, ticks
from .frame import Frame
from .svg import circle, letters, line, path, rect

_MARKED = 40  # points, that a line with more does not show


@dataclass(frozen=True)
class Curve:
    """A line, told from others by its strokes and points, too.

    Parameters
    ----------
    name
        What it is, for the legend.
    x, y
        Its points; NaN where there is none.
    ends
        An interval around each point, or none.
    joined
        Whether a line joins them.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    ends: Sequence[Ends] = field(default=())
    joined: bool = True


def curves(
    title: str,
    lines: Sequence[Curve],
    names: tuple[str, str],
    y: tuple[float, float],
    phases: Sequence[tuple[str, float, float]] = (),
    ring: tuple[float, float] = (np.nan, np.nan),
    now: float = np.nan,
) -> Markup:
    """A plot of curves over whole steps.

    Parameters
    ----------
    names
        What x and y are.
    y
        The lowest and the highest value of y.
    phases
        Names of ranges of x, shaded in turn.
    ring
        A point that is ringed.
    now
        A value of x that is marked.
    """
    xs = [x for one in lines for x in one.x]
    low, high = min(xs), max(xs)
    frame = Frame((low - 0.5, high + 0.5) if phases else (0, 1.04 * high), y, 400, 280, above=40 if phases else 22)
    shapes: list[Node] = [_phase(frame, number, *phase) for number, phase in enumerate(phases)]
    for number, one in enumerate(lines):
        shapes += _drawn(frame, number, one, phases)
    if np.isfinite(ring).all():
        shapes.append(circle(frame.across(ring[0]), frame.up(ring[1]), 7, "ring"))
    if np.isfinite(now):
        shapes.insert(0, line(frame.across(now), frame.up(y[1]), frame.across(now), frame.bottom, "diagonal"))
    shapes += _legend(lines, frame)
    said = (f"{one.name} from {short(float(one.y[0]))} to {short(float(one.y[-1]))}" for one in lines)
    at = [x for x in ticks(max(low, 1), high, 8) if x == int(x)] if phases else ticks(0, high)
    return frame.draw(title, f"{'; '.join(said)}.", names, shapes, at=(at or [low], ticks(*y)))


def _drawn(frame: Frame, number: int, one: Curve, phases: Sequence[tuple[str, float, float]]) -> list[Node]:
    points = [(frame.across(x), frame.up(y), x) for x, y in zip(one.x, one.y) if np.isfinite(y)]
    spans = [(start, end) for _, start, end in phases] or [(-np.inf, np.inf)]
    parts = [[(x, y) for x, y, step in points if start <= step <= end] for start, end in spans]
    drawn: list[Node] = [
        line(frame.across(x), frame.up(ends[0]), frame.across(x), frame.up(ends[1]), f"whisker c{number}")
        for x, ends in zip(one.x, one.ends)
        if ends is not None
    ]
    drawn += [path(part, f"curve c{number}") for part in parts if len(part) > 1 and one.joined]
    if len(points) <= _MARKED:
        drawn += [_point(number, x, y) for x, y, _ in points]
    return drawn


def _point(number: int, x: float, y: float) -> Markup:
    """Circles, squares, and so on: no colour is needed to tell them."""
    if number % 2:
        return rect(x - 3.2, y - 3.2, 6.4, 6.4, f"mark c{number}")
    return circle(x, y, 3.5, f"mark c{number}")


def _legend(lines: Sequence[Curve], frame: Frame) -> list[Node]:
    drawn: list[Node] = []
    x = frame.across(frame.x[0])
    for number, one in enumerate(lines):
        drawn += [path([(x, 10), (x + 22, 10)], f"curve c{number}")] if one.joined else []
        drawn += [_point(number, x + 11, 10)] if len(one.x) <= _MARKED else []
        drawn.append(letters(x + 28, 14, one.name, "legend"))
        x += 44 + 6.8 * len(one.name)
    return drawn


def _phase(frame: Frame, number: int, name: str, start: float, end: float) -> Node:
    whole = (start - 0.5, end + 0.5) == frame.x  # a phase alone needs no name
    left, right, top = frame.across(start - 0.5), frame.across(end + 0.5), frame.up(frame.y[1])
    shade = rect(left, top, right - left, frame.bottom - top, "phase") if number % 2 else None
    return [shade, None if whole else letters((left + right) / 2, top - 6, name, "count middle")]
