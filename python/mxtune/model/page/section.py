"""`Section`: a part of a report; and the registry of what makes them, a file each in ``sections``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Optional

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
_MAKERS: dict[str, tuple[int, Maker]] = {}


def section(name: str, rank: int) -> Callable[[Maker], Maker]:
    """A decorator that registers what makes a section, or None where there is nothing to say.

    Parameters
    ----------
    name
        What an address ends in that leads to it.
    rank
        Its place in the report, the lowest first.
    """

    def register(maker: Maker) -> Maker:
        if name in _MAKERS:
            raise ValueError(f"there is a section {name} already")
        _MAKERS[name] = rank, maker
        return maker

    return register


def makers() -> list[tuple[str, Maker]]:
    """All, in the order of the report."""
    return [(name, maker) for name, (_, maker) in sorted(_MAKERS.items(), key=lambda item: item[1][0])]
