"""A confusion matrix, drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .plot import Plot, shortened, text_style

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


def confusion(frame: pd.DataFrame) -> Plot:
    """A figure of a confusion matrix: shades are shares of each row, numbers are counts.

    Up to 12 classes each cell shows its share too; beyond 40 there are shades alone.

    Parameters
    ----------
    frame
        (K, K) counts, truth in rows, as `mxtune.tasks.metrics.confusion` gives them.

    Examples
    --------
    >>> from mxtune.model import report
    >>> from mxtune.tasks import metrics
    >>> table = metrics.confusion([0, 1, 1], [0, 1, 0], ["cat", "dog"])
    >>> report.confusion(table).axes[0].get_ylabel()
    'truth'
    """
    counts, names = frame.to_numpy(float), [shortened(name) for name in frame.index]
    size = max(len(names), 1)
    cell = float(np.clip(11 / size, 0.3 if size <= 40 else min(0.16, 18 / size), 0.85))  # inches
    letters = float(np.clip(cell * 24, 5.5, 9))  # points
    widest = max((len(name) for name in names), default=1) * letters * 0.6 / 72
    cell = max(cell, min(1.1 * widest, 5 / size))  # few classes have room for long names
    upright = widest < cell
    margin_below = 0.1 if upright else widest
    figure = Plot(max(1.04 * size * cell + widest + 1.5, 3.6), max(size * cell + margin_below + 0.5, 2.6))
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shades = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="equal")
    step = math.ceil(1.2 * letters / 72 / cell)  # of hundreds of classes not each is named
    axes.set_xticks(
        range(0, len(names), step), names[::step], rotation=0 if upright else 90, fontsize=letters, **text_style()
    )
    axes.set_yticks(range(0, len(names), step), names[::step], fontsize=letters, **text_style())
    axes.set_xlabel(str(frame.columns.name or "predicted"))
    axes.set_ylabel(str(frame.index.name or "truth"))
    axes.tick_params(length=0)
    if step == 1:
        axes.set_xticks(np.arange(1, len(names)) - 0.5, minor=True)
        axes.set_yticks(np.arange(1, len(names)) - 0.5, minor=True)
        axes.grid(which="minor", color="0.88", linewidth=0.6)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)
    if len(names) <= 40:
        _numbers(axes, counts, shares, letters, cell)
    bar = figure.colorbar(shades, ax=axes, fraction=0.03, pad=0.02, format=lambda share, _: f"{share:.0%}")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8)
    bar.set_label("share of the true class", fontsize=8)
    return figure


def _numbers(axes: Any, counts: NDArray[np.float64], shares: NDArray[np.float64], letters: float, cell: float) -> None:
    widest = len(f"{np.max(counts):.0f}") if counts.size else 1
    letters = min(letters, cell * 72 / (0.7 * max(widest, 2)))
    for row, column in zip(*np.nonzero(counts)):
        text = f"{counts[row, column]:.0f}"
        if len(counts) <= 12:
            text += f"\n{shares[row, column]:.0%}"
        colour = "white" if shares[row, column] > 0.55 else "black"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=letters, linespacing=1.3)
