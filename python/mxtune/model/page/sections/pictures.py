"""What it is most wrong about, and what it is most sure of and right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

import numpy as np

from ..elements import note
from ..gallery import gallery
from ..markup import Markup, Node, named, tag
from ..numbers import many, percent, short
from ..section import Section, section
from ..shown import shown
from ..subject import Subject


@section("pictures", 40, slow=True)
def pictures(subject: Subject) -> Optional[Section]:
    if subject.judged is None:
        return None
    title = "Worst and best images"
    chosen = shown(subject)
    if not chosen.worst:
        said = (
            "The images are not at hand. They show where they are given to the report, or in the session that trained."
        )
        return Section(title, (note(said),))
    parts: list[Node] = [tag("h3", "Most wrong"), _told(subject, chosen.worst, chosen.evidence)]
    if chosen.best:
        parts += [tag("h3", "Most right"), _told(subject, chosen.best, chosen.evidence)]
    if chosen.evidence:
        parts.append(note(_how(chosen.exact)))
    here = int((subject.places >= 0).sum())
    if here < len(subject.places):
        parts.append(note(f"Of {many(len(subject.places), 'image')} {here:,} are at hand."))
    return Section(title, tuple(parts))


def _how(exact: Optional[bool]) -> str:
    told = "The share of each place is told exactly" if exact else "Grad-CAM, an estimate"
    return (
        "Beneath each image, where the evidence for its answer lies: orange speaks for it, blue against it. "
        f"{told}; it is the final model that is explained."
    )


def _told(subject: Subject, rows: Sequence[int], evidence: Mapping[int, Any]) -> Markup:
    return gallery(subject, rows, [said_of(subject, row) for row in rows], evidence)


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
