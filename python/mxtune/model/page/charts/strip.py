"""A number on a line from 0 to 1, in a cell of a table."""

from __future__ import annotations

from ..markup import Markup
from ..numbers import Ends
from .svg import line, mark, rect

_WIDTH, _HEIGHT = 120, 14


def strip(value: float, ends: Ends = None) -> Markup:
    """A share as a stroke, over its interval."""

    def across(share: float) -> float:
        return 4 + min(max(share, 0), 1) * (_WIDTH - 8)

    middle = _HEIGHT / 2
    drawn = [line(across(0), middle, across(1), middle, "grid"), line(across(1), 3, across(1), _HEIGHT - 3, "grid")]
    drawn += [] if ends is None else [line(across(ends[0]), middle, across(ends[1]), middle, "interval")]
    drawn += [line(across(value), 1, across(value), _HEIGHT - 1, "point")] if value == value else []  # noqa: PLR0124 - not NaN
    return mark(_WIDTH, _HEIGHT, drawn, class_="strip")


def bar(value: float, most: float) -> Markup:
    """A count as a bar."""
    width = value / most * _WIDTH if most else 0
    return mark(_WIDTH, _HEIGHT, rect(0, 2, max(width, 1 if value else 0), _HEIGHT - 4, "bar"), class_="strip")
