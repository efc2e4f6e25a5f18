"""What several sections have: tables, figures, notes, lists of facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Optional

from .markup import Markup, Node, tag


def side(*parts: Node) -> Markup:
    """Side by side, where there is room."""
    return tag("div", parts, class_="side")


def note(*words: Node) -> Markup:
    """A remark in smaller letters."""
    return tag("p", *words, class_="note")


def facts(rows: Iterable[tuple[Node, Node]]) -> Markup:
    """Names and what they are."""
    return tag("dl", [tag("div", tag("dt", name), tag("dd", value)) for name, value in rows], class_="facts")


def table(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[Node]],
    numbers: Sequence[int] = (),
    shown: bool = True,
    prose: Sequence[int] = (),
) -> Markup:
    """A table, whose first column names its rows; it scrolls in a box of its own where it is wide.

    Parameters
    ----------
    numbers
        The columns, from 0, that are aligned as numbers.
    shown
        Whether the caption shows, or is for who listens.
    prose
        The columns that hold sentences.
    """
    kinds = ["n" if place in numbers else "prose" if place in prose else None for place in range(len(heads))]
    head = tag("tr", [tag("th", name, scope="col", class_=kind) for name, kind in zip(heads, kinds)])
    body = [
        tag("tr", tag("th", row[0], scope="row", class_=kinds[0]),
            [tag("td", cell, class_=kind) for cell, kind in zip(row[1:], kinds[1:])])
        for row in rows
    ]  # fmt: skip
    words = tag("caption", caption, class_=None if shown else "heard")
    return wide(caption, tag("table", words, tag("thead", head), tag("tbody", body)))


def wide(what: str, content: Node) -> Markup:
    """A box that scrolls where its content is wider than the page, by keys, too."""
    return tag("div", content, class_="wide", tabindex=0, role="region", aria_label=what)


def drawing(plot: Node, words: Node, behind: Optional[Node] = None, summary: str = "The numbers behind it") -> Markup:
    """A plot with what it shows in words, and the table behind it."""
    return tag("figure", plot, tag("figcaption", words), None if behind is None else folded(summary, behind))


def folded(summary: str, content: Node) -> Markup:
    """Content that a reader unfolds."""
    return tag("details", tag("summary", summary), content)
