"""How good models of fewer images are, and what more images would bring, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .plot import BLUE, GREY, ORANGE, Plot, text_style

if TYPE_CHECKING:
    import pandas as pd


def learning_curve(points: pd.DataFrame, line: pd.DataFrame, n: int, metric: str) -> Plot:
    """Each measured point with its interval, the fitted curve with its own, and where twice as many images would be.

    Parameters
    ----------
    points, line
        `LearningCurve.table` and `LearningCurve.line`.
    n
        How many images there are.
    metric
        The name of the column of both.

    Examples
    --------
    >>> import pandas as pd
    >>> from mxtune.model import report
    >>> both = pd.DataFrame({"images": [20, 40], "rmse": [3, 2], "lower": [2.5, 1.5], "upper": [3.5, 2.5]})
    >>> report.learning_curve(both, both, 20, "rmse").axes[0].get_xlabel()
    'images'
    """
    figure = Plot(6.4, 4.2)
    axes = figure.subplots()
    known = line[line["images"] <= n * 1.0001]
    beyond = line[line["images"] >= known["images"].max()]
    axes.fill_between(line["images"], line["lower"], line["upper"], color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(known["images"], known[metric], color=BLUE, linewidth=1.8, label="fitted power law")
    axes.plot(beyond["images"], beyond[metric], color=BLUE, linewidth=1.8, linestyle="--", label="to expect")
    below, above = points[metric] - points["lower"], points["upper"] - points[metric]
    axes.errorbar(
        points["images"], points[metric], [below.clip(lower=0), above.clip(lower=0)], fmt="o", color=ORANGE,
        markersize=5, elinewidth=1, label="measured on images not seen",
    )  # fmt: skip
    _here(axes, line, n, metric)
    axes.set_xscale("log")
    ticks = _ticks(float(line["images"].iloc[0]), float(line["images"].iloc[-1]))
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("images")
    axes.set_ylabel(metric.replace("_", " "))
    axes.grid(axis="y", color="0.9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    return figure


def _here(axes: Any, line: pd.DataFrame, n: int, metric: str) -> None:
    """What there is now, and twice as much."""
    last = line.iloc[-1]
    now = line.iloc[(line["images"] - n).abs().argmin()]
    down = -1 if last[metric] > now[metric] else 1  # away from the curve
    places = ((now, n, (8, 14 * down - 4), "left"), (last, round(last["images"]), (0, -14 * down - 4), "center"))
    for row, images, place, side in places:
        axes.plot(row["images"], row[metric], "o", markersize=10, markerfacecolor="none", markeredgecolor="black")
        axes.annotate(
            f"{images:,}: {row[metric]:.3g}", (row["images"], row[metric]), xytext=place, textcoords="offset points",
            ha=side, fontsize=9, **text_style(),
        )  # fmt: skip
    axes.axvline(n, color=GREY, linewidth=0.8, linestyle=":")
    axes.margins(x=0.08)


def _ticks(low: float, high: float) -> list[int]:
    """1, 2 and 5 times powers of ten."""
    steps = [factor * 10**power for power in range(9) for factor in (1, 2, 5)]
    return [step for step in steps if low <= step <= high] or [round(low), round(high)]
