"""How an `ImageSet` prints, as text and in a notebook."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple, Optional

import numpy as np

from ..errors import PictureError
from ..words import counted

if TYPE_CHECKING:
    import PIL.Image
    from numpy.typing import NDArray

    from .labels import Labels

_LEVELS = 30
_PROBLEMS = 10


class Facts(NamedTuple):
    """What is shown of a set; ``sizes`` (N, 2) are height and width in pixels, where they are known."""

    pictures: int
    grey: bool
    labels: Labels
    sizes: Optional[NDArray[np.int32]]
    bad: Sequence[tuple[str, str]]
    problems: Sequence[str]


def text(facts: Facts) -> str:
    """The set in words: how many of what, how large, what is odd."""
    lines = [f"ImageSet: {_title(facts)}"]
    counts = facts.labels.counts()
    levels, numbers = list(counts), [f"{n}" for n in counts.values()]
    level_width = max(map(len, levels[:_LEVELS]), default=0)
    number_width = max(map(len, numbers[:_LEVELS]), default=0)
    lines += [f"  {level:<{level_width}}  {n:>{number_width}}" for level, n in list(zip(levels, numbers))[:_LEVELS]]
    if len(levels) > _LEVELS:
        lines.append(f"  and {len(levels) - _LEVELS} more")
    return "\n".join([*lines, *_oddities(facts)])


def page(facts: Facts, sheet: Callable[[], PIL.Image.Image]) -> str:
    """The set as HTML: the same words, and a contact sheet."""
    counts = facts.labels.counts()
    rows = "".join(
        f"<tr><td style='text-align:left'>{escape(level)}</td><td>{n}</td></tr>"
        for level, n in list(counts.items())[:_LEVELS]
    )
    if len(counts) > _LEVELS:
        rows += f"<tr><td style='text-align:left'>and {len(counts) - _LEVELS} more</td><td></td></tr>"
    oddities = "".join(f"<div>{escape(line)}</div>" for line in _oddities(facts))
    return (
        f"<div><strong>ImageSet</strong>: {escape(_title(facts))}</div>"
        f"{f'<table>{rows}</table>' if rows else ''}{oddities}{_picture(sheet) if facts.pictures else ''}"
    )


def _title(facts: Facts) -> str:
    what = counted(facts.pictures, "grey image" if facts.grey else "image")
    return f"{what} {facts.labels.describe()}{_sizes(facts.sizes)}"


def _sizes(sizes: Optional[NDArray[np.int32]]) -> str:
    if sizes is None or not len(sizes):
        return ""
    heights, widths = sizes.T
    if len(np.unique(sizes, axis=0)) == 1:
        return f", {heights[0]} x {widths[0]}"
    small, large = np.argmin(heights * widths.astype(float)), np.argmax(heights * widths.astype(float))
    return f", {heights[small]} x {widths[small]} to {heights[large]} x {widths[large]}"


def _oddities(facts: Facts) -> list[str]:
    lines = [f"x left out: {name}: {reason}" for name, reason in facts.bad[:_PROBLEMS]]
    if len(facts.bad) > _PROBLEMS:
        lines.append(f"x left out: {len(facts.bad) - _PROBLEMS} more, see .bad")
    lines += [f"! {problem}" for problem in facts.problems[:_PROBLEMS]]
    if len(facts.problems) > _PROBLEMS:
        lines.append(f"! {len(facts.problems) - _PROBLEMS} more, see .problems")
    return lines


def _picture(sheet: Callable[[], PIL.Image.Image]) -> str:
    data = BytesIO()
    try:
        sheet().save(data, "PNG")
    except PictureError as error:  # an image that has gone since
        return f"<div>{escape(str(error))}</div>"
    return f"<img alt='contact sheet' src='data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}'>"
