"""What stands on top: how good the model is, in a paragraph of plain words, and the numbers to remember."""

from __future__ import annotations

from collections.abc import Sequence

from ..elements import facts
from ..markup import Node, tag
from ..subject import Subject
from . import classification, multilabel, regression
from .said import Said

__all__ = ["Said", "verdict"]

_OF = {one.__name__.rpartition(".")[2]: one.said for one in (classification, multilabel, regression)}


def verdict(subject: Subject) -> list[Node]:
    """The paragraph, and a few numbers."""
    if subject.judged is None:
        return [tag("p", _unknown(subject), class_="verdict")]
    said = _OF[subject.task.name](subject)
    lead = tag("p", tag("strong", said.lead), " ", [[sentence, " "] for sentence in said.more], class_="verdict")
    warning = tag("p", tag("strong", "Do not trust it for "), _listed(said.beware), ".", class_="beware")
    numbers = [(name, [tag("span", value, class_="large"), tag("span", below, class_="small")])
               for name, value, below in said.numbers]  # fmt: skip
    return [lead, warning, tag("div", facts(numbers), class_="numbers")]


def _unknown(subject: Subject) -> str:
    if subject.figures:
        return "It does not remember the images that it was validated on: below is what was measured then."
    return (
        "How good it is, nobody knows: it was trained without validation. Give this report labelled images that the "
        "model was not trained on; or train it with folds."
    )


def _listed(parts: Sequence[Node]) -> list[Node]:
    return [[parts[place], "; " if place < len(parts) - 1 else None] for place in range(len(parts))]
