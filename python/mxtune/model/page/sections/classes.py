"""Where it errs: recall and precision of each class or label, the least found first."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from ..charts import strip
from ..elements import folded, note, table
from ..markup import Markup, Node, named
from ..numbers import share, wilson, within
from ..section import Section, section
from ..subject import Subject

_SHOWN = 20  # classes that are not folded away
_HEADS = ("Images", "Recall", "95 % interval", "From 0 to 1", "Precision", "F1")


@section("classes", 20)
def classes(subject: Subject) -> Optional[Section]:
    if subject.judged is None or not subject.task.has_classes:
        return None
    frame = subject.task.per_class(subject.judged.y, subject.judged.outputs)
    of_one = subject.task.name == "classification"
    confused = subject.counts.copy()
    np.fill_diagonal(confused, 0) if confused.size else None
    records = list(enumerate(frame.to_dict("records")))
    records.sort(key=lambda one: (np.inf if np.isnan(one[1]["recall"]) else one[1]["recall"], one[0]))
    levels = subject.task.shown_levels
    rows = [[*_row(one), _taken_for(confused[k], levels) if of_one else None] for k, one in records]
    if not of_one:
        rows = [row[:-1] for row in rows]
    heads = ("Class" if of_one else "Label", *_HEADS, *(["Mostly taken for"] if of_one else []))
    numbers = (1, 2, 3, 5, 6)
    kind = "classes" if of_one else "labels"
    first = f"The {_SHOWN} {kind} that are found least often" if len(rows) > _SHOWN else f"All {kind}"
    parts: list[Node] = [table(first, heads, rows[:_SHOWN], numbers)]
    if len(rows) > _SHOWN:
        parts.append(folded(f"All {len(rows)} {kind}", table(f"All {kind}", heads, rows, numbers)))
    one = "a class" if of_one else "a label"
    parts.append(note(
        f"Recall: of the images of {one}, the share that is found, with the interval of Wilson (1927). Precision: of ",
        f"those that are given {one}, the share that has it. F1: both in one.",
    ))  # fmt: skip
    return Section("Where it errs" if of_one else "Label by label", tuple(parts))


def _row(one: dict[str, Any]) -> list[Node]:
    found, n = float(one["recall"]), int(one["n"])
    ends = wilson(round(found * n), n) if n else None
    return [named(one["level"], 28), n, share(found), within(ends, True), strip(found, ends), share(one["precision"]),
            share(one["f1"])]  # fmt: skip


def _taken_for(confused: Any, levels: list[str]) -> Optional[list[Markup]]:
    """What a class is most often taken for, and how many images are."""
    if not confused.any():
        return None
    most = int(confused.argmax())
    return [named(levels[most], 28), Markup(f" ({confused[most]})")]
