"""Which images of those that a model is judged by are shown, and where it sees what speaks for its answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ...errors import MxtuneError
from ...images.findings import kept_back
from .subject import Subject
from .thumbnails import small

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_WORST, _BEST = 6, 6


@dataclass(frozen=True, eq=False)
class Shown:
    """The images that a model is most wrong and most right about.

    Parameters
    ----------
    worst, best
        Their rows, from 0; the best are of as many classes as there are.
    evidence
        (H, W, 3) uint8 of each row: what speaks for the answer, and what against.
    exact
        Whether that is told exactly; None where it can't be told.
    """

    worst: Sequence[int]
    best: Sequence[int]
    evidence: dict[int, Array]
    exact: Optional[bool]


def shown(subject: Subject) -> Shown:
    """Those at hand."""
    if subject.judged is None or subject.images is None:
        return Shown((), (), {}, None)
    order = [int(row) for row in np.argsort(-subject.losses, kind="stable") if subject.places[row] >= 0]
    worst = order[:_WORST]
    best = _varied(subject, [row for row in reversed(order) if row not in set(worst)])
    try:
        with kept_back():  # what can't be read is told beside the others
            evidence, exact = _evidence(subject, [*worst, *best])
    except MxtuneError:  # a network without maps
        return Shown(worst, best, {}, None)
    return Shown(worst, best, evidence, exact)


def _varied(subject: Subject, rows: Sequence[int]) -> list[int]:
    """The first of them, a few, of as many classes as there are."""
    assert subject.judged is not None  # noqa: S101 - who calls has seen to it
    firsts: dict[str, int] = {}
    for row in rows if subject.task.has_classes else ():
        firsts.setdefault(subject.task.text(subject.judged.y[row]), row)
    chosen = set(firsts.values())
    return [*firsts.values(), *(row for row in rows if row not in chosen)][:_BEST]


def answer_of(subject: Subject, row: int) -> int:
    """The output whose evidence is shown: the class that was predicted, or the label or number that is most wrong."""
    assert subject.judged is not None  # noqa: S101 - the same
    probabilities = subject.probabilities[row]
    if subject.task.name == "classification":
        return int(probabilities.argmax())
    return int(np.abs(probabilities - np.asarray(subject.judged.y[row], np.float64)).argmax())


def _evidence(subject: Subject, rows: Sequence[int]) -> tuple[dict[int, Array], bool]:
    if subject.images is None or not rows:
        return {}, False
    levels = subject.task.shown_levels
    asked = [levels[answer_of(subject, row)] if levels else None for row in rows]
    labels = list(dict.fromkeys(asked)) if levels else None
    found = subject.model.explain(subject.images.take([int(subject.places[row]) for row in rows]), label=labels)
    lines = {(place, label): line for line, (place, label) in enumerate(zip(found.rows, found.table["label"]))}
    evidence: dict[int, Array] = {}
    for place, (row, label) in enumerate(zip(rows, asked)):
        overlay = found.overlay(lines[place, label] if levels else list(found.rows).index(place))
        if overlay is not None:
            evidence[row] = small(overlay)
    return evidence, found.exact
