"""What it is most wrong about, and what it is most sure of and right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import numpy as np

from ..elements import note
from ..gallery import gallery
from ..markup import Markup, Node, named, tag
from ..numbers import percent, short
from ..section import Section, section
from ..subject import Subject

_WORST, _BEST = 6, 6


@section("pictures", 40)
def pictures(subject: Subject) -> Optional[Section]:
    if subject.judged is None:
        return None
    title = "Worst and best images"
    order = np.argsort(-subject.losses, kind="stable")
    shown = order[subject.places[order] >= 0]
    if not len(shown) or subject.images is None:
        said = (
            "The images are not at hand. They show where they are given to the report, or in the session that trained."
        )
        return Section(title, (note(said),))
    worst = shown[:_WORST]
    best = _varied(subject, [row for row in shown[::-1].tolist() if row not in set(worst.tolist())])
    parts: list[Node] = [tag("h3", "Most wrong"), _told(subject, worst.tolist())]
    if best:
        parts += [tag("h3", "Most right"), _told(subject, best)]
    if len(shown) < len(order):
        parts.append(note(f"Of {len(order)} images {len(shown)} are at hand."))
    return Section(title, tuple(parts))


def _varied(subject: Subject, rows: Sequence[int]) -> list[int]:
    """The first of them, a few, of as many classes as there are."""
    assert subject.judged is not None  # noqa: S101 - who calls has seen to it
    firsts: dict[str, int] = {}
    for row in rows if subject.task.has_classes else ():
        firsts.setdefault(subject.task.text(subject.judged.y[row]), row)
    chosen = set(firsts.values())
    return [*firsts.values(), *(row for row in rows if row not in chosen)][:_BEST]


def _told(subject: Subject, rows: Sequence[int]) -> Markup:
    return gallery(subject, rows, [said_of(subject, row) for row in rows])


def said_of(subject: Subject, row: int) -> list[Node]:
    """Truth and prediction of an image, a line each."""
    assert subject.judged is not None  # noqa: S101 - the same
    probabilities, y, levels = subject.probabilities[row], subject.judged.y[row], subject.task.shown_levels
    if subject.task.name == "classification":
        best = int(probabilities.argmax())
        lines: list[Node] = [[tag("b", named(levels[best], 24)), f" {percent(float(probabilities[best]))}"]]
        return (
            lines
            if best == y
            else [*lines, ["truth ", named(levels[int(y)], 24), f" {percent(float(probabilities[int(y)]))}"]]
        )
    if subject.task.name == "multilabel":
        on, has = probabilities >= 0.5, np.asarray(y) > 0
        missed, extra = np.flatnonzero(has & ~on), np.flatnonzero(on & ~has)
        said = [("missed", missed), ("wrongly", extra)]
        told: list[Node] = [[f"{word}: ", _several([levels[k] for k in which])] for word, which in said if len(which)]
        return told or [["right: ", _several([levels[k] for k in np.flatnonzero(has)])]]
    truth = np.atleast_1d(y)
    names = levels or [""]
    return [[named(name, 16) if name else None, f" {short(float(probabilities[k]))}, truth {short(float(truth[k]))}"]
            for k, name in list(enumerate(names))[:4]]  # fmt: skip


def _several(names: Sequence[str]) -> list[Node]:
    shown: list[Node] = []
    for number, name in enumerate(names[:4]):
        shown += [", " if number else None, named(name, 20)]
    return [*shown, f" and {len(names) - 4} more" if len(names) > 4 else None] if names else ["none"]
