"""`Section`: a part of a report; and the registry of what makes them, a file each in ``sections``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Optional

from ... import progress
from .markup import Markup, Node, tag
from .subject import Subject


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Parameters
    ----------
    title
        Its heading.
    parts
        Its content.
    """

    title: str
    parts: tuple[Node, ...]

    def html(self, name: str) -> Markup:
        """The section, to which ``#name`` leads."""
        heading = tag("h2", self.title, id=f"{name}-title")
        return tag("section", heading, self.parts, id=name, aria_labelledby=f"{name}-title")


Maker = Callable[[Subject], Optional[Section]]
_MAKERS: dict[str, tuple[int, bool, Maker]] = {}


def section(name: str, rank: int, slow: bool = False) -> Callable[[Maker], Maker]:
    """A decorator that registers what makes a section, or None where there is nothing to say.

    Parameters
    ----------
    name
        What an address ends in that leads to it.
    rank
        Its place in the report, the lowest first.
    slow
        Whether it takes a while, and tells of its progress itself.
    """

    def register(maker: Maker) -> Maker:
        if name in _MAKERS:
            raise ValueError(f"there is a section {name} already")
        _MAKERS[name] = rank, slow, maker
        return maker

    return register


def names() -> list[str]:
    """Of all, in the order of the report."""
    return sorted(_MAKERS, key=lambda name: _MAKERS[name][0])


def made(subject: Subject) -> dict[str, Section]:
    """All that have something to say, by name, in the order of the report; the slow ones are made first."""
    found: dict[str, Optional[Section]] = {name: maker(subject) for name, (_, slow, maker) in _MAKERS.items() if slow}
    quick = {name: maker for name, (_, slow, maker) in _MAKERS.items() if not slow}
    reporter = progress.current()
    reporter.event("start", title="Writing the report", total=len(quick), unit="sections")
    try:
        for name, maker in quick.items():
            found[name] = maker(subject)
            reporter.event("advance", n=1)
    finally:
        reporter.event("end")
    return {name: one for name in names() if (one := found[name]) is not None}
