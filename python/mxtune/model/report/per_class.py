"""Precision and recall of each class, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .plot import BLUE, ORANGE, Plot, shortened, text_style

if TYPE_CHECKING:
    import pandas as pd

_MOST = 40  # classes


def per_class(frame: pd.DataFrame) -> Plot:
    """A figure of precision and recall, a line a class: the lowest recall first, up to 40.

    Parameters
    ----------
    frame
        ``level, n, precision, recall``, as `mxtune.tasks.metrics.per_class` gives them.

    Examples
    --------
    >>> import numpy as np
    >>> from mxtune.model import report
    >>> from mxtune.tasks import metrics
    >>> one_hot = np.eye(2, dtype=bool)
    >>> table = metrics.per_class(one_hot[[0, 0, 1]], one_hot[[0, 1, 1]], ["cat", "dog"])
    >>> [label.get_text() for label in report.per_class(table).axes[0].get_yticklabels()]
    ['cat (2)', 'dog (1)']
    """
    worst = frame.sort_values("recall", kind="stable").head(_MOST)
    figure = Plot(6.4, 1.5 + 0.24 * max(len(worst), 2))
    axes = figure.subplots()
    lines = np.arange(len(worst))
    names = [f"{shortened(level)} ({n})" for level, n in zip(worst["level"], worst["n"])]
    axes.hlines(lines, 0, 1, color="0.92", linewidth=0.8, zorder=0)
    axes.plot(worst["precision"], lines, "o", color=ORANGE, markersize=8, markerfacecolor="none", label="precision")
    axes.plot(worst["recall"], lines, "o", color=BLUE, markersize=5, label="recall")
    axes.set_yticks(lines, names, fontsize=8, **text_style())
    axes.set_ylim(len(worst) - 0.4, -0.6)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("share of images")
    if len(frame) > _MOST:
        axes.set_title(f"{_MOST} of {len(frame)} classes, the lowest recall first", fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncol=2, frameon=False, fontsize=8)
    return figure
