"""`Plot`: a figure of matplotlib that needs no pyplot, its colours and letters, and how it is written to a file."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from ... import store
from ...errors import ArgumentError, MxtuneError

try:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import fontManager
except ImportError as error:
    raise MxtuneError("Plots need matplotlib.", [str(error)], "Run: pip install matplotlib") from error

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
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


def text_style() -> dict[str, Any]:
    """How a user's words are written: in any script, and "$" is no formula."""
    return {"family": [*mpl.rcParams["font.family"], *_fonts()], "parse_math": False}


def shortened(text: Any) -> str:
    """The name of a level, in a line and cut where it is long."""
    words = " ".join(str(text).split())
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


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
