"""How an `ImageSet` prints, as text and in a notebook."""

from __future__ import annotations

import base64
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from ..words import counted

if TYPE_CHECKING:
    from .imageset import ImageSet

_LEVELS = 30
_PROBLEMS = 10


def text(images: ImageSet) -> str:
    """The set in words: how many of what, how large, what is odd."""
    lines = [f"ImageSet: {_title(images)}"]
    counts = images.counts()
    levels, numbers = [str(level) for level in counts["level"]], [f"{n}" for n in counts["n"]]
    wide = max(map(len, levels[:_LEVELS]), default=0)
    long = max(map(len, numbers[:_LEVELS]), default=0)
    lines += [f"  {level:<{wide}}  {n:>{long}}" for level, n in list(zip(levels, numbers))[:_LEVELS]]
    if len(levels) > _LEVELS:
        lines.append(f"  ... {len(levels) - _LEVELS} more")
    return "\n".join([*lines, *_odd(images)])


def page(images: ImageSet) -> str:
    """The set as HTML: the same words, and a contact sheet."""
    counts = images.counts()
    rows = "".join(
        f"<tr><td style='text-align:left'>{escape(str(level))}</td><td>{n}</td></tr>"
        for level, n in list(zip(counts["level"], counts["n"]))[:_LEVELS]
    )
    if len(counts) > _LEVELS:
        rows += f"<tr><td style='text-align:left'>... {len(counts) - _LEVELS} more</td><td></td></tr>"
    odd = "".join(f"<div>{escape(line)}</div>" for line in _odd(images))
    return (
        f"<div><strong>ImageSet</strong>: {escape(_title(images))}</div>"
        f"{f'<table>{rows}</table>' if rows else ''}{odd}{_sheet(images)}"
    )


def _title(images: ImageSet) -> str:
    colour = "grey " if images.grey else ""
    what = counted(len(images), f"{colour}picture")
    if images.task == "classification":
        what += f" of {counted(len(images.levels), 'class', 'classes')}"
    elif images.task == "multilabel":
        what += f" with {len(images.levels)} labels"
    elif images.task == "regression" and images.y is not None and len(images):
        what += f" with numbers from {images.y.min():.4g} to {images.y.max():.4g}"
    else:
        what += " without labels"
    return what + _sizes(images)


def _sizes(images: ImageSet) -> str:
    if not len(images) or images._sizes is None:
        return ""
    heights, widths = images.sizes.T
    if len(np.unique(images.sizes, axis=0)) == 1:
        return f", {heights[0]} x {widths[0]}"
    small, large = np.argmin(heights * widths.astype(float)), np.argmax(heights * widths.astype(float))
    return f", {heights[small]} x {widths[small]} to {heights[large]} x {widths[large]}"


def _odd(images: ImageSet) -> list[str]:
    lines = [f"x left out: {bad.name}: {bad.reason}" for bad in images.bad[:_PROBLEMS]]
    if len(images.bad) > _PROBLEMS:
        lines.append(f"x left out: {len(images.bad) - _PROBLEMS} more, see .bad")
    lines += [f"! {problem}" for problem in images.problems[:_PROBLEMS]]
    if len(images.problems) > _PROBLEMS:
        lines.append(f"! {len(images.problems) - _PROBLEMS} more, see .problems")
    return lines


def _sheet(images: ImageSet) -> str:
    if not len(images):
        return ""
    from ..errors import PictureError

    data = BytesIO()
    try:
        images.sheet().save(data, "PNG")
    except PictureError as error:  # a picture that has gone since
        return f"<div>{escape(str(error))}</div>"
    return f"<img alt='contact sheet' src='data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}'>"
