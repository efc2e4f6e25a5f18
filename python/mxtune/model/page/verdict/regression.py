"""The verdict on a model of numbers."""

from __future__ import annotations

import numpy as np

from ... import conformal
from ..markup import Node, named
from ..numbers import figure, of_hundred, short, within
from ..subject import Subject
from .said import Said, leaked, measured_on, several


def said(subject: Subject) -> Said:
    assert subject.judged is not None  # noqa: S101 - who calls has seen to it
    figures, names = subject.figures, list(subject.task.levels)
    y = np.asarray(subject.judged.y, np.float64).reshape(len(subject.judged.outputs), -1)
    off, ends = float(figures["mae"]), figures.intervals.get("mae")
    naive = float(np.abs(y - y.mean(axis=0)).mean())
    r2 = float(figures["r2"])
    lead: list[Node] = ["Its numbers are off by ", short(off), " on average", f" ({within(ends)})." if ends else "."]
    more: list[Node] = [
        f"Always answering the mean would be off by {short(naive)}.",
        measured_on(subject),
        *leaked(subject),
    ]
    if np.isfinite(r2):
        more.append(f"It explains {of_hundred(max(r2, 0.0)).replace(' of 100', ' %')} of how the numbers vary.")
    more += _sets(subject)
    ranges: list[Node] = [
        [[named(name, 28), " "] if name else None, f"{short(float(low))} to {short(float(high))}"]
        for name, low, high in zip(names or [""], y.min(axis=0), y.max(axis=0))
    ]
    beware: list[Node] = [["numbers beyond those that it was judged by (", several(ranges), ")"],
                          "images of another kind: it gives a number all the same"]  # fmt: skip
    if r2 < 0.2:
        beware.insert(0, "single images: it is hardly better than the mean")
    numbers: list[tuple[Node, Node, Node]] = [
        ("Mean error (MAE)", figure(off), within(ends)),
        ("RMSE", figure(float(figures["rmse"])), within(figures.intervals.get("rmse"))),
        ("R\u00b2", figure(r2), within(figures.intervals.get("r2"))),
        ("Judged by", f"{len(y):,}", "images"),
    ]
    return Said(lead, more, beware, numbers)


def _sets(subject: Subject) -> list[Node]:
    remembered = subject.model.validation
    if not len(remembered):
        return []
    limits = conformal.limits_for(subject.task, remembered, conformal.LEVEL)
    if not np.isfinite(limits).all():
        return []
    return [
        f"For 90 of 100 images the truth lies within: {subject.task.size_of_sets(remembered.outputs, limits)}.".replace(
            "+-", "\u00b1"
        )
    ]
