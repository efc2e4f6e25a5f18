"""`Frame`: the axes of a plot, and where values lie within."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..markup import Markup, Node
from ..numbers import short, ticks
from .svg import letters, line, svg

_LEFT, _RIGHT, _TOP, _BELOW = 58, 12, 12, 44  # units around the axes


@dataclass(frozen=True)
class Frame:
    """A plot with axes.

    Parameters
    ----------
    x, y
        The lowest and the highest value of each.
    width, height
        Of the whole, in units.
    above
        More room above, for words.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    width: float = 400
    height: float = 280
    above: float = 0

    def across(self, value: float) -> float:
        """Where a value of x lies."""
        low, high = self.x
        return _LEFT + (value - low) / (high - low) * (self.width - _LEFT - _RIGHT)

    def up(self, value: float) -> float:
        """Where a value of y lies."""
        low, high = self.y
        bottom, top = self.height - _BELOW, _TOP + self.above
        return bottom - (value - low) / (high - low) * (bottom - top)

    @property
    def bottom(self) -> float:
        """Where the lower axis lies."""
        return self.height - _BELOW

    def draw(
        self, title: str, words: str, names: tuple[str, str], *shapes: Node, at: tuple[Sequence[float], ...] = ()
    ) -> Markup:
        """The plot with its axes, whose ``names`` are those of x and y; ``at``: where their numbers are."""
        xs, ys = at or (ticks(*self.x), ticks(*self.y, 6))
        left, right = self.across(self.x[0]), self.across(self.x[1])
        grid = [line(left, self.up(value), right, self.up(value), "grid") for value in ys]
        marks = [letters(left - 8, self.up(value) + 4, short(value), "tick end") for value in ys]
        marks += [letters(self.across(value), self.bottom + 18, short(value), "tick middle") for value in xs]
        axis = line(left, self.bottom, right, self.bottom, "axis")
        middle = (self.up(self.y[0]) + self.up(self.y[1])) / 2
        labels = [
            letters((left + right) / 2, self.height - 6, names[0], "label middle"),
            letters(0, 0, names[1], "label middle", transform=f"translate(13 {middle:.1f}) rotate(-90)"),
        ]
        return svg(self.width, self.height, title, words, grid, axis, shapes, marks, labels, class_="plot")
