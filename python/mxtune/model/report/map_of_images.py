"""Training images, and new ones among them, in two dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .plot import Plot, shortened, text_style

if TYPE_CHECKING:
    import pandas as pd

_COLOURS = (  # Okabe and Ito (2008), without yellow on white; then Tableau's
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C564B", "#9467BD", "#BCBD22",
    "#17BECF", "#7F7F7F",
)  # fmt: skip
_MARKS = "os^"  # for more classes than colours
MOST = len(_COLOURS) * len(_MARKS)
WAYS = {"pca": "two widest principal axes", "umap": "UMAP"}


def map_of_images(table: pd.DataFrame, method: str, name: str = "label") -> Plot:
    """A figure of `Model.map`: a dot for each training image, in the colour of its class or number; new ones ringed.

    Parameters
    ----------
    table
        ``x, y, label, is_new``.
    method
        How the places were found: a name in `WAYS`.
    name
        Of the numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from mxtune.model import report
    >>> places = {"x": [0.0, 1.0, 2.0], "y": [0.0, 1.0, 0.0], "label": ["cat", "dog", None]}
    >>> table = pd.DataFrame({**places, "is_new": [False, False, True]})
    >>> report.map_of_images(table, "pca").axes[0].get_legend() is not None
    True
    """
    figure = Plot(8.2, 5.6)
    axes = figure.subplots()
    known, new = table[~table["is_new"]], table[table["is_new"]]
    size = float(np.clip(4000 / max(len(known), 1), 6, 36))
    if known["label"].dtype.kind == "f":
        dots = axes.scatter(known["x"], known["y"], s=size, c=known["label"], cmap="viridis", linewidth=0, alpha=0.85)
        figure.colorbar(dots, ax=axes, shrink=0.7).set_label(shortened(name), **text_style())
    else:
        _classes(axes, known, size)
    if len(new):
        axes.scatter(new["x"], new["y"], s=44, facecolor="white", edgecolor="black", linewidth=1.4, label="new image")
    if axes.get_legend_handles_labels()[0]:
        legend = axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=8)
        for text in legend.get_texts():
            text.set(**text_style())
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("0.85")
    images = f"{len(known):,} training images" + (f", {len(new):,} new" if len(new) else "")
    axes.set_title(f"{images}: {WAYS[method]}", fontsize=10, loc="left")
    return figure


def _classes(axes: Any, known: pd.DataFrame, size: float) -> None:
    labels = known["label"].astype(str).to_numpy(dtype=object).astype(str)
    names, counts = np.unique(labels, return_counts=True)
    shown = sorted(names[np.argsort(-counts, kind="stable")][:MOST])
    others = ~np.isin(labels, shown)
    if others.any():
        rest = f"{len(names) - len(shown)} others"
        axes.scatter(known["x"][others], known["y"][others], s=size, color="0.8", linewidth=0, label=rest)
    for number, name in enumerate(shown):
        own = labels == name
        axes.scatter(
            known["x"][own], known["y"][own], s=size, color=_COLOURS[number % len(_COLOURS)], linewidth=0, alpha=0.8,
            marker=_MARKS[number // len(_COLOURS)], label=f" {shortened(name)}",
        )  # fmt: skip
