"""A confusion matrix of many classes, as shades."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ....words import shortened
from ..markup import Markup, tag
from .svg import letters, line, rect, svg

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIDE, _LEFT = 500, 24  # units


def heat(counts: NDArray[Any], names: Sequence[str]) -> Markup:
    """Truth in rows, predictions in columns, dark where much of the class lies."""
    cell = _SIDE / len(counts)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    short = [shortened(name, 40) for name in names]
    cells = [
        rect(_LEFT + column * cell, row * cell, cell, cell, f"h{level(shares[row, column])}",
             tag("title", f"{short[row]} predicted as {short[column]}: {counts[row, column]}"))
        for row, column in zip(*map(np.ndarray.tolist, np.nonzero(counts)))
    ]  # fmt: skip
    border = rect(_LEFT, 0, _SIDE, _SIDE, "border")
    diagonal = line(_LEFT, 0, _LEFT + _SIDE, _SIDE, "diagonal")
    labels = [
        letters(_LEFT + _SIDE / 2, _SIDE + 18, "predicted", "label middle"),
        letters(0, 0, "truth", "label middle", transform=f"translate(14 {_SIDE / 2}) rotate(-90)"),
    ]
    words = f"{len(counts)} classes in their order; the table of what is confused has the counts."
    return svg(
        _LEFT + _SIDE + 1, _SIDE + 24, "Confusion matrix", words, border, cells, diagonal, labels, class_="matrix"
    )


def level(share: float) -> int:
    """The shade of a share: 1 to 10, the darkest; 0 of nothing."""
    return min(10, max(1, round(10 * float(share)))) if share > 0 else 0
