"""The history of a training, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from .plot import BLUE, GREEN, GREY, ORANGE, Plot, text_style

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


_SHARES = ("accuracy", "balanced_accuracy", "macro_f1", "micro_f1", "roc_auc", "average_precision")  # at most 1


def history(frame: pd.DataFrame) -> Plot:
    """A figure of losses, and of the metric on validation images where there is one, epoch by epoch.

    Phases are shaded in turn and named; the epoch with the lowest validation loss, whose weights training keeps,
    is marked.

    Parameters
    ----------
    frame
        A row for each epoch: ``stage``, ``train_loss``, and as far as known ``valid_loss`` and ``valid_<metric>``
        (NaN where unknown).

    Examples
    --------
    >>> import pandas as pd
    >>> from mxtune.model import report
    >>> frame = pd.DataFrame({"stage": ["tail"] * 2, "train_loss": [0.9, 0.5], "valid_loss": [0.8, 0.6]})
    >>> len(report.history(frame).axes)
    1
    """
    losses = [name for name in ("train_loss", "valid_loss") if _known(frame, name)]
    metric = next((n for n in frame if str(n).startswith("valid_") and n != "valid_loss" and _known(frame, n)), None)
    figure = Plot(8.4 if metric else 5, 3.8)
    panels = figure.subplots(1, 2 if metric else 1, squeeze=False)[0]
    best = int(np.nanargmin(_values(frame, "valid_loss"))) if "valid_loss" in losses else None
    _curves(panels[0], frame, losses, best)
    panels[0].set_ylabel("loss")
    highest = max((float(np.nanmax(_values(frame, name))) for name in losses), default=1.0)
    panels[0].set_ylim(0, 1.1 * highest if highest > 0 else 1)
    if metric:
        _curves(panels[1], frame, [metric], best)
        panels[1].set_ylabel(f"{metric[len('valid_') :].replace('_', ' ')} (validation)")
        if metric[len("valid_") :] in _SHARES:
            panels[1].set_ylim(top=1)
    return figure


def _values(frame: pd.DataFrame, name: str) -> NDArray[np.float64]:
    return np.asarray(frame[name].to_numpy(float, na_value=np.nan))


def _known(frame: pd.DataFrame, name: str) -> bool:
    return name in frame and bool(np.isfinite(_values(frame, name)).any())


def _curves(axes: Any, frame: pd.DataFrame, names: Sequence[str], best: Optional[int]) -> None:
    from matplotlib.ticker import MaxNLocator

    colours = {"train_loss": BLUE, "valid_loss": ORANGE}
    labels = {"train_loss": "training", "valid_loss": "validation"}
    for name in names:
        values, colour = _values(frame, name), colours.get(name, GREEN)
        for number, (_, start, end) in enumerate(_runs(frame["stage"])):  # a line does not cross phases
            axes.plot(
                np.arange(start, end) + 1, values[start:end], color=colour, linewidth=1.8, marker="o",
                markersize=4 if len(frame) <= 40 else 0 if end - start > 1 else 3,
                label=labels.get(name) if number == 0 else None, clip_on=False,
            )  # fmt: skip
        if best is not None and name != "train_loss" and np.isfinite(values[best]):
            axes.plot(
                best + 1, values[best], "o", markersize=11, markerfacecolor="none", markeredgecolor="black",
                clip_on=False, label=f"at the lowest loss: {values[best]:.3g}",
            )  # fmt: skip
    _phases(axes, frame)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlim(0.5, max(len(frame), 1) + 0.5)
    axes.margins(y=0.12)
    axes.grid(axis="y", color="0.9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:  # below, where it hides no curve
        axes.legend(frameon=False, fontsize=8, ncol=3, loc="upper center", bbox_to_anchor=(0.5, -0.16))


def _runs(phases: Sequence[Any]) -> list[tuple[str, int, int]]:
    """Phases as ``(name, first row, row after the last)``."""
    names = [str(phase) for phase in phases]
    starts = [row for row, name in enumerate(names) if row == 0 or name != names[row - 1]]
    return [(names[start], start, end) for start, end in zip(starts, [*starts[1:], len(names)])]


def _phases(axes: Any, frame: pd.DataFrame) -> None:
    runs = _runs(frame["stage"])
    for number, (name, start, end) in enumerate(runs):
        if number % 2:
            axes.axvspan(start + 0.5, end + 0.5, color="0.95", zorder=0, linewidth=0)
        narrow = (end - start) / len(frame) < 0.09
        axes.text(
            (start + end + 1) / 2, 1.01, name, transform=axes.get_xaxis_transform(), color=GREY, fontsize=8,
            ha="center" if not narrow else "left", va="bottom", rotation=40 if narrow else 0,
            rotation_mode="anchor", **text_style(),
        )  # fmt: skip
