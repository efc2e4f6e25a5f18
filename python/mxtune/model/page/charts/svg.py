"""SVG in a page: shapes, letters that stay text, and colours that follow the page's."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from ..markup import Markup, Node, tag, together


def svg(width: float, height: float, title: str, words: str, *shapes: Node, **attributes: Any) -> Markup:
    """A drawing of this size, with its title, and what it shows for who does not see it."""
    name = sha256(f"{title}{words}{together(*shapes)}".encode("utf-8", "replace")).hexdigest()[:12]
    heads = tag("title", title, id=f"t{name}"), tag("desc", words, id=f"d{name}")
    return tag(
        "svg", heads, shapes, viewBox=f"0 0 {_at(width)} {_at(height)}", width=_at(width), height=_at(height),
        role="img", aria_labelledby=f"t{name} d{name}", **attributes,
    )  # fmt: skip


def mark(width: float, height: float, *shapes: Node, **attributes: Any) -> Markup:
    """A small drawing beside the number that it shows, which is enough for who does not see it."""
    return tag("svg", shapes, viewBox=f"0 0 {_at(width)} {_at(height)}", width=_at(width), height=_at(height),
               aria_hidden="true", focusable="false", **attributes)  # fmt: skip


def rect(x: float, y: float, width: float, height: float, class_: str, *inside: Node, **attributes: Any) -> Markup:
    return tag("rect", *inside, x=_at(x), y=_at(y), width=_at(max(width, 0)), height=_at(max(height, 0)), class_=class_,
               **attributes)  # fmt: skip


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    return tag("line", x1=_at(x1), y1=_at(y1), x2=_at(x2), y2=_at(y2), class_=class_)


def circle(x: float, y: float, radius: float, class_: str) -> Markup:
    return tag("circle", cx=_at(x), cy=_at(y), r=_at(radius), class_=class_)


def path(points: list[tuple[float, float]], class_: str) -> Markup:
    """Straight from point to point."""
    steps = " ".join(f"{'M' if number == 0 else 'L'}{_at(x)} {_at(y)}" for number, (x, y) in enumerate(points))
    return tag("path", d=steps, class_=class_)


def letters(x: float, y: float, words: Node, class_: str = "", **attributes: Any) -> Markup:
    return tag("text", words, x=_at(x), y=_at(y), class_=class_ or None, **attributes)


def _at(value: float) -> str:
    """A coordinate, to a hundredth."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value else "0"
