"""The verdict on a model of several labels an image."""

from __future__ import annotations

import numpy as np

from ..markup import Node, named
from ..numbers import figure, of_hundred, share, within
from ..subject import Subject
from .said import Said, hundred, leaked, measured_on, several, thin

_WEAK = 0.6


def said(subject: Subject) -> Said:
    assert subject.judged is not None  # noqa: S101 - who calls has seen to it
    figures, levels = subject.figures, subject.task.shown_levels
    has, gives = np.asarray(subject.judged.y) > 0, subject.probabilities >= 0.5
    right, given, there = (int(one.sum()) for one in (has & gives, gives, has))
    exact, ends = float(figures["exact_match"]), figures.intervals.get("exact_match")
    frame = subject.task.per_class(subject.judged.y, subject.judged.outputs)
    more: list[Node] = [measured_on(subject), *leaked(subject)]
    more.append(
        f"Of the labels that it gives, {of_hundred(right / max(given, 1))} are right; "
        f"of those that are there, it finds {of_hundred(right / max(there, 1))}."
    )
    records = sorted(frame.to_dict("records"), key=lambda one: one["f1"] if one["f1"] == one["f1"] else 2)
    weak = [one for one in records if one["n"] >= 10 and one["f1"] < _WEAK]
    worst = records[0]
    more.append(["It is worst at ", named(worst["level"], 28), ": it finds ", of_hundred(_known(worst["recall"])),
                 ", and of 100 that it gives ", f"{round(100 * _known(worst['precision']))} are right."])  # fmt: skip
    beware: list[Node] = []
    if weak:
        beware.append(several([[named(one["level"], 28), f" (F1 {_known(one['f1']):.2f})"] for one in weak]))
    beware += thin(levels, frame["n"].tolist())
    beware.append("labels that it was not taught: it does not know them")
    name = subject.task.primary_metric
    numbers: list[tuple[Node, Node, Node]] = [
        ("F1, mean of labels", share(float(figures[name])), within(figures.intervals.get(name), True)),
        ("All labels right", share(exact), within(ends, True)),
        ("Judged by", f"{len(has):,}", "images"),
        ("Weakest label, F1", figure(_known(worst["f1"])), named(worst["level"], 28)),
    ]
    return Said(["All labels are right for ", hundred(exact, ends), "."], more, beware, numbers)


def _known(value: float) -> float:
    return float(np.nan_to_num(value))
