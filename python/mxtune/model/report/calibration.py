"""What was predicted against what was observed, drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from .plot import BLUE, GREY, ORANGE, Plot, shortened, text_style

if TYPE_CHECKING:
    import pandas as pd

_MOST = 12  # labels


def calibration(frame: pd.DataFrame) -> Plot:
    """A reliability diagram with the number of images in each bin; for numbers, a point an image.

    Of several labels each has its own, up to 12: those with the largest errors.

    Parameters
    ----------
    frame
        As `mxtune.Model.calibration` gives it.

    Examples
    --------
    >>> from mxtune.model import report
    >>> from mxtune.tasks import metrics
    >>> figure = report.calibration(metrics.calibration([0.95, 0.95, 0.55], [True, False, True]))
    >>> figure.axes[0].get_title()
    'expected calibration error 0.45, 3 images'
    """
    binned = "lower" in frame
    levels: list[Optional[str]] = list(dict.fromkeys(frame["level"])) if "level" in frame else [None]
    tables = {level: frame if level is None else frame[frame["level"] == level] for level in levels}
    if binned:
        levels = sorted(levels, key=lambda level: -float(tables[level]["error"].sum()))
    drawn_levels = levels[:_MOST]
    columns = min(len(drawn_levels), max(2, math.ceil(math.sqrt(len(drawn_levels)))))
    rows = math.ceil(len(drawn_levels) / max(columns, 1))
    side = 5.2 if len(drawn_levels) == 1 else 3.1
    figure = Plot(side * columns, side * rows + 0.4)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    probability, share = ("probability", "share that has it") if "level" in frame else ("confidence", "accuracy")
    for axes, level in zip(panels, drawn_levels):
        if binned:
            _reliability(axes, tables[level], level, probability, share)
        else:
            _agreement(axes, tables[level], level)
    for axes in panels[len(drawn_levels) :]:
        axes.set_axis_off()
    if len(levels) > _MOST:
        figure.suptitle(f"{_MOST} of {len(levels)} {'labels, the largest errors first' if binned else 'numbers'}")
    if binned:
        handles = panels[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncol=3, frameon=False, fontsize=8)
    return figure


def _reliability(axes: Any, table: pd.DataFrame, level: Optional[str], probability: str, share: str) -> None:
    """The share of each bin as a bar, its mean probability as a stroke, and above the number of its images."""
    filled = table[table["n"] > 0]
    width = 1 / len(table)
    middle = (filled["lower"] + filled["upper"]) / 2
    axes.bar(middle, filled["observed"], 0.9 * width, color=BLUE, alpha=0.6, label=share)
    axes.hlines(
        filled["predicted"], middle - 0.45 * width, middle + 0.45 * width, color=ORANGE, linewidth=2.2,
        label=f"mean {probability}",
    )  # fmt: skip
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.9, linestyle="--", label="both equal")
    upright = max((len(str(n)) for n in filled["n"]), default=1) > (4 if level is None else 3)
    letters = 7 if level is None else 5.5
    for x, n in zip(middle, filled["n"]):
        axes.text(x, 1.01, str(n), ha="center", va="bottom", color="0.3", fontsize=letters, rotation=90 * upright)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel(probability, fontsize=9)
    axes.set_ylabel(share, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    error, images = float(table["error"].sum()), int(table["n"].sum())
    text = f"expected calibration error {error:.3g}, {images} images" if level is None else f"error {error:.3g}"
    _title(axes, level, text, pad=letters * (4 if upright else 2))


def _title(axes: Any, level: Optional[str], text: str, pad: float = 6) -> None:
    words = text if level is None else f"{shortened(level)}\n{text}"
    axes.set_title(words, fontsize=9 if level is None else 8, pad=pad, **text_style())


def _agreement(axes: Any, table: pd.DataFrame, level: Optional[str]) -> None:
    """The observed number of each image over the predicted one, and where both are equal."""
    both = table[["predicted", "observed"]].to_numpy(float)
    both = both[np.isfinite(both).all(axis=1)]
    low, high = (float(both.min()), float(both.max())) if len(both) else (0.0, 1.0)
    margin = 0.04 * (high - low) or max(abs(high), 1.0) * 0.04
    ends = low - margin, high + margin
    axes.plot(ends, ends, color=GREY, linewidth=0.9, linestyle="--")
    many = len(both) > 500
    axes.plot(
        both[:, 0], both[:, 1], "o", color=BLUE, alpha=0.25 if many else 0.6, markersize=2 if many else 4,
        markeredgewidth=0, rasterized=many,
    )  # fmt: skip
    axes.set_xlim(ends)
    axes.set_ylim(ends)
    axes.set_aspect("equal")
    axes.set_xlabel("predicted", fontsize=9)
    axes.set_ylabel("observed", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    rmse = float(np.sqrt(np.mean((both[:, 0] - both[:, 1]) ** 2))) if len(both) else float("nan")
    _title(axes, level, f"RMSE {rmse:.3g}, {len(both)} images")
