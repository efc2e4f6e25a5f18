"""The verdict on a classifier."""

from __future__ import annotations

import numpy as np

from ..markup import Markup, Node, named
from ..numbers import of_hundred, share, thousandth, within
from ..sections.confusion import pairs_of
from ..subject import Subject
from .said import Said, hundred, leaked, measured_on, several, thin

_WEAK = 0.6  # found less often than that, a class is not to be relied on
_PAIRS = 3


def said(subject: Subject) -> Said:
    assert subject.judged is not None  # noqa: S101 - who calls has seen to it
    figures, counts, levels = subject.figures, subject.counts, subject.task.shown_levels
    accuracy, ends = float(figures["accuracy"]), figures.intervals.get("accuracy")
    totals, hits = counts.sum(axis=1), counts.diagonal()
    most = int(totals.argmax())
    more: list[Node] = [measured_on(subject), *leaked(subject), _confused(subject)]
    more.append(
        [
            "Always answering ",
            named(levels[most], 28),
            f" would be right for {of_hundred(float(totals[most] / totals.sum()))}.",
        ]
    )
    enough = totals >= 10
    found = np.where(totals > 0, hits / np.maximum(totals, 1), np.nan)
    weak = [int(k) for k in np.argsort(found, kind="stable") if enough[k] and found[k] < _WEAK]
    beware: list[Node] = []
    if weak:
        beware.append([several([[named(levels[k], 28), f" (found {hits[k]} of {totals[k]})"] for k in weak])])
    beware += thin(levels, totals.tolist())
    beware.append(["images that show none of its classes: it names one all the same"])
    error = float(subject.task.calibration(subject.judged.y, subject.judged.outputs)["error"].sum())
    sure = float(subject.probabilities.max(axis=1).mean())
    numbers: list[tuple[Node, Node, Node]] = [
        ("Accuracy", share(accuracy), within(ends, True)),
        ("Judged by", f"{int(totals.sum()):,}", "images"),
    ]
    if np.isfinite(found).any():
        worst = int(np.nanargmin(np.where(totals > 0, found, np.inf)))
        numbers.append(("Found least often", share(float(found[worst])), named(levels[worst], 28)))
    numbers.append(("Calibration error", thousandth(error), ["says ", share(sure), " on average"]))
    return Said(["It is right for ", hundred(accuracy, ends), "."], more, beware, numbers)


def _confused(subject: Subject) -> Node:
    pairs, levels, totals = pairs_of(subject.counts), subject.task.shown_levels, subject.counts.sum(axis=1)
    if not pairs:
        return "It made no mistake on them."
    told = [
        [named(levels[one], 28), " taken for ", named(levels[other], 28), f" ({n} of {totals[one]})"]
        for one, other, n in pairs[:_PAIRS]
    ]
    return ["Most often wrong: ", several(told), Markup(".")]
