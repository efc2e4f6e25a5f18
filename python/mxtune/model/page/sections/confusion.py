"""What is taken for what."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from ..charts import heat
from ..charts.heat import level
from ..elements import drawing, note, side, table, wide
from ..markup import Markup, Node, named, tag
from ..numbers import share
from ..section import Section, section
from ..subject import Subject

_BY_NAME, _DRAWN, _PAIRS = 16, 200, 12  # classes in a table, in a plot; pairs


@section("confusion", 25)
def confusion(subject: Subject) -> Optional[Section]:
    counts, levels = subject.counts, subject.task.shown_levels
    if not counts.size:
        return None
    parts: list[Node] = []
    if len(counts) <= _BY_NAME:
        parts.append(_matrix(counts, levels))
    elif len(counts) <= _DRAWN:
        words = "Each point is a pair of classes, the darker, the larger its share of the true class. "
        parts.append(drawing(heat(counts, levels), [words, "What is right lies on the diagonal."]))
    else:
        parts.append(note(f"A matrix of {len(counts)} classes shows nothing: here is what is confused most."))
    pairs = pairs_of(counts)
    if len(counts) > 2 and pairs:
        heads = ("Truth", "Taken for", "Images", "Share")
        rows: list[list[Node]] = [[named(levels[one], 28), named(levels[other], 28), n, share(n / counts[one].sum())]
                for one, other, n in pairs[:_PAIRS]]  # fmt: skip
        parts.append(table("Confused most, and the share of the true class", heads, rows, numbers=(2, 3)))
    return Section("What is taken for what", (side(parts),))


def pairs_of(counts: Any) -> list[tuple[int, int, int]]:
    """True class, predicted class and how many images, of all mistakes, the most frequent first."""
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    pairs = [(int(one), int(other), int(wrong[one, other])) for one, other in zip(*np.nonzero(wrong))]
    return sorted(pairs, key=lambda pair: -pair[2])


def _matrix(counts: Any, levels: list[str]) -> Markup:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [named(name, 24) for name in levels]
    head = tag("tr", tag("th", "Truth \\ predicted", scope="col", class_="corner"),
               [tag("th", tag("span", name), scope="col", class_="up") for name in names])  # fmt: skip
    body = [
        tag("tr", tag("th", names[row], scope="row"), [
            tag("td", f"{counts[row, column]}" if counts[row, column] else "",
                class_=f"h{level(shares[row, column])}{' right' if row == column else ''}")
            for column in range(len(names))
        ])
        for row in range(len(names))
    ]  # fmt: skip
    caption = tag(
        "caption", "Images of each true class (row) by what was predicted (column). Framed: right. Empty: none."
    )
    return wide("Confusion matrix", tag("table", caption, tag("thead", head), tag("tbody", body), class_="matrix"))
