"""Pictures of it all: figures of matplotlib from plain data.

They are made without pyplot: no state, backend or setting of the user's session is touched. Colours are those of
Okabe and Ito (2008), which can be told apart without seeing red and green.
"""

from __future__ import annotations

import io
import math
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from .. import store
from ..errors import ArgumentError, MxtuneError

try:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import fontManager
    from matplotlib.ticker import MaxNLocator
except ImportError as error:
    raise MxtuneError("Plots need matplotlib.", [str(error)], "pip install 'mxtune[report]'") from error

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from PIL.Image import Image

_BLUE, _ORANGE, _GREEN, _GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
_SCRIPTS = (  # fonts for level names that matplotlib's own font can't write, as systems have them
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Source Han Sans", "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei", "Droid Sans Fallback", "IPAexGothic", "Hiragino Sans", "PingFang SC", "Microsoft YaHei",
    "Malgun Gothic", "Noto Sans Devanagari", "Noto Sans Thai", "Arial Unicode MS",
)  # fmt: skip
_LONGEST = 28  # letters of a level's name


class Plot(Figure):
    """A matplotlib figure that a notebook shows by itself, and that is never drawn in a window."""

    def __init__(self, width: float, height: float) -> None:
        super().__init__(figsize=(width, height), dpi=100, layout="constrained", facecolor="white")
        FigureCanvasAgg(self)

    def savefig(self, fname: Any, **settings: Any) -> None:
        """Write the figure, in the format that the name's ending asks for."""
        with _missing_letters_are_boxes():
            super().savefig(fname, **settings)

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        self.savefig(stream, format="png")
        return stream.getvalue()


@contextmanager
def _missing_letters_are_boxes() -> Iterator[None]:
    """Without a warning for each, where no installed font has them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"(?s)Glyph .* missing from font")
        yield


@lru_cache(maxsize=1)
def _fonts() -> tuple[str, ...]:
    installed = set(fontManager.get_font_names())
    return tuple(name for name in _SCRIPTS if name in installed)


def _words() -> dict[str, Any]:
    """How a user's words are written: in any script, and "$" is no formula."""
    return {"family": [*mpl.rcParams["font.family"], *_fonts()], "parse_math": False}


def _short(text: Any) -> str:
    words = " ".join(str(text).split())
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


# History ------------------------------------------------------------------------------------------------------


def history(frame: pd.DataFrame) -> Plot:
    """Returns a figure of losses, and of the metric on validation pictures where there is one, epoch by epoch.

    Stages are shaded in turn and named; the epoch with the lowest validation loss, whose weights training keeps,
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
    return figure


def _values(frame: pd.DataFrame, name: str) -> NDArray[np.float64]:
    return np.asarray(frame[name].to_numpy(float, na_value=np.nan))


def _known(frame: pd.DataFrame, name: str) -> bool:
    return name in frame and bool(np.isfinite(_values(frame, name)).any())


def _curves(axes: Any, frame: pd.DataFrame, names: Sequence[str], best: Optional[int]) -> None:
    colours = {"train_loss": _BLUE, "valid_loss": _ORANGE}
    labels = {"train_loss": "training", "valid_loss": "validation"}
    for name in names:
        values, colour = _values(frame, name), colours.get(name, _GREEN)
        for number, (_, start, end) in enumerate(_runs(frame["stage"])):  # a line does not cross stages
            axes.plot(
                np.arange(start, end) + 1, values[start:end], color=colour, linewidth=1.8, marker="o",
                markersize=4 if len(frame) <= 40 else 0 if end - start > 1 else 3,
                label=labels.get(name) if number == 0 else None,
            )  # fmt: skip
        if best is not None and name != "train_loss" and np.isfinite(values[best]):
            axes.plot(
                best + 1, values[best], "o", markersize=11, markerfacecolor="none", markeredgecolor="black",
                label=f"at the lowest loss: {values[best]:.3g}",
            )  # fmt: skip
    _stages(axes, frame)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlim(0.5, max(len(frame), 1) + 0.5)
    axes.margins(y=0.12)
    axes.grid(axis="y", color="0.9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:  # below, where it hides no curve
        axes.legend(frameon=False, fontsize=8, ncol=3, loc="upper center", bbox_to_anchor=(0.5, -0.16))


def _runs(stages: Sequence[Any]) -> list[tuple[str, int, int]]:
    """Stages as ``(name, first row, row after the last)``."""
    names = [str(stage) for stage in stages]
    starts = [row for row, name in enumerate(names) if row == 0 or name != names[row - 1]]
    return [(names[start], start, end) for start, end in zip(starts, [*starts[1:], len(names)])]


def _stages(axes: Any, frame: pd.DataFrame) -> None:
    runs = _runs(frame["stage"])
    for number, (name, start, end) in enumerate(runs):
        if number % 2:
            axes.axvspan(start + 0.5, end + 0.5, color="0.95", zorder=0, linewidth=0)
        narrow = (end - start) / len(frame) < 0.09
        axes.text(
            (start + end + 1) / 2, 1.01, name, transform=axes.get_xaxis_transform(), color=_GREY, fontsize=8,
            ha="center" if not narrow else "left", va="bottom", rotation=40 if narrow else 0,
            rotation_mode="anchor", **_words(),
        )  # fmt: skip


# Confusion ----------------------------------------------------------------------------------------------------


def confusion(frame: pd.DataFrame) -> Plot:
    """Returns a figure of a confusion matrix: shades are shares of each row, numbers are counts.

    Up to 12 levels each cell tells its share too; beyond 40 there are shades alone.

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
    counts, names = frame.to_numpy(float), [_short(name) for name in frame.index]
    size = max(len(names), 1)
    cell = float(np.clip(11 / size, 0.3 if size <= 40 else min(0.16, 18 / size), 0.85))  # inches
    letters = float(np.clip(cell * 24, 5.5, 9))  # points
    widest = max((len(name) for name in names), default=1) * letters * 0.6 / 72
    upright = widest < cell
    below = 0.1 if upright else widest
    figure = Plot(max(1.04 * size * cell + widest + 1.5, 3.6), max(size * cell + below + 0.5, 2.6))
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shades = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="equal")
    step = math.ceil(1.2 * letters / 72 / cell)  # of hundreds of levels not each is named
    axes.set_xticks(
        range(0, len(names), step), names[::step], rotation=0 if upright else 90, fontsize=letters, **_words()
    )
    axes.set_yticks(range(0, len(names), step), names[::step], fontsize=letters, **_words())
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
    bar.set_label("share of the true level", fontsize=8)
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


# Pictures -----------------------------------------------------------------------------------------------------


def gallery(pictures: Sequence[Image], titles: Sequence[str]) -> Plot:
    """Returns a figure of pictures in a grid, each under its title.

    Parameters
    ----------
    pictures
        Pillow images of any size and mode.
    titles
        As many texts; long ones are broken into lines.

    Examples
    --------
    >>> from PIL import Image
    >>> from mxtune.model import report
    >>> len(report.gallery([Image.new("L", (28, 28))], ["cat, taken for dog (0.01)"]).axes)
    1
    """
    columns = min(max(math.ceil(math.sqrt(len(pictures))), 1), 6)
    rows = max(math.ceil(len(pictures) / columns), 1)
    figure = Plot(2.3 * max(columns, 2), 2.65 * rows)
    if not pictures:
        figure.text(0.5, 0.5, "no pictures", ha="center", va="center", color=_GREY)
        return figure
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, picture, title in zip(panels, pictures, titles):
        shown = picture.convert("RGB")
        shown.thumbnail((400, 400))
        axes.imshow(np.asarray(shown), interpolation="nearest" if max(shown.size) < 100 else "antialiased")
        axes.set_title("\n".join(textwrap.wrap(title, 33)[:3]), fontsize=8, **_words())
    return figure


def write(figure: Figure, path: Path) -> None:
    """Write a figure to a file, whose name tells the format; without an ending it becomes a PNG.

    Raises
    ------
    ArgumentError
        The folder does not exist, or matplotlib knows no such format.
    StoreError
        The file can't be written.
    """
    if not path.parent.is_dir():
        raise ArgumentError(f"There is no folder {path.parent} to write the plot to.")
    path = path if path.suffix[1:] else path.with_name(f"{path.name.rstrip('.')}.png")
    content = io.BytesIO()
    try:
        figure.savefig(content, format=path.suffix[1:])
    except ValueError as error:
        raise ArgumentError(
            f"A plot can't be written as {path.name}.", [str(error)], "Use .png, .pdf or .svg."
        ) from error
    store.write(path, [content.getvalue()], "the plot")
