"""`Said`: what a verdict says, and sentences that all tasks share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..markup import Node, named
from ..numbers import Ends, of_hundred
from ..subject import GIVEN, OUT_OF_FOLD, Subject

_NAMED = 4  # classes in a sentence


@dataclass(frozen=True)
class Said:
    """What a verdict says.

    Parameters
    ----------
    lead
        The first sentence.
    more
        Those that follow.
    beware
        What the model should not be trusted for.
    numbers
        Numbers to remember: what each is, the number, and a remark.
    """

    lead: Node
    more: Sequence[Node]
    beware: Sequence[Node]
    numbers: Sequence[tuple[Node, Node, Node]]


def measured_on(subject: Subject) -> str:
    """How the numbers came about."""
    assert subject.judged is not None  # noqa: S101 - who calls has seen to it
    count = f"{len(subject.judged.names):,}"
    if subject.judged_on == OUT_OF_FOLD:
        return f"Each of {count} images was predicted by a model trained without it."
    if subject.judged_on == GIVEN:
        return f"It was measured on the {count} images given for this report."
    return f"It was measured on {count} images kept out of training."


def hundred(value: float, ends: Ends) -> str:
    """A share and its interval as people say them: "84 of 100 images (75 to 91)"."""
    within = "" if ends is None else f" ({round(100 * ends[0])} to {round(100 * ends[1])})"
    return f"{of_hundred(value)} images{within}"


def several(parts: Sequence[Node]) -> list[Node]:
    """A few things in a sentence, and how many more there are."""
    listed: list[Node] = []
    for number, part in enumerate(parts[:_NAMED]):
        listed += [", " if number else None, part]
    return [*listed, f" and {len(parts) - _NAMED} more" if len(parts) > _NAMED else None]


def thin(levels: Sequence[str], counts: Sequence[int], least: int = 10) -> list[Node]:
    """Classes that have too few images to tell, as a thing not to trust a model for."""
    few = [named(level, 28) for level, n in zip(levels, counts) if n < least]
    if not few:
        return []
    if len(few) == len(levels) > 1:
        return [f"single classes: there are fewer than {least} images of each to judge by"]
    return [
        [
            "what it says of ",
            several(few),
            f": there are fewer than {least} images of {'each' if len(few) > 1 else 'it'} to judge by",
        ]
    ]


def leaked(subject: Subject) -> list[Node]:
    """That some images for validation resemble training, where they do."""
    resembling = subject.model.validation.resembling
    if subject.judged_on == GIVEN or not resembling.any():
        return []
    return [f"That is too optimistic: {int(resembling.sum())} of the images resemble some it was trained on."]
