"""Images in a grid."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .plot import GREY, Plot, text_style

if TYPE_CHECKING:
    from PIL.Image import Image

_LETTERS = 33  # of a line of a title


def gallery(images: Sequence[Image], titles: Sequence[str]) -> Plot:
    """A figure of images in a grid, each under its title.

    Parameters
    ----------
    images
        Pillow images of any size and mode.
    titles
        As many texts; long ones are broken into lines.

    Examples
    --------
    >>> from PIL import Image
    >>> from mxtune.model import report
    >>> len(report.gallery([Image.new("L", (28, 28))], ["cat.png\\ntruth: cat (0.01)\\npredicted: dog (0.95)"]).axes)
    1
    """
    columns = min(max(math.ceil(math.sqrt(len(images))), 1), 6)
    rows = max(math.ceil(len(images) / columns), 1)
    figure = Plot(2.3 * max(columns, 2), 2.65 * rows)
    if not images:
        figure.text(0.5, 0.5, "no images", ha="center", va="center", color=GREY)
        return figure
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, image, title in zip(panels, images, titles):
        rgb = image.convert("RGB")
        rgb.thumbnail((400, 400))
        axes.imshow(np.asarray(rgb), interpolation="nearest" if max(rgb.size) < 100 else "antialiased")
        axes.set_title("\n".join(_lines(title)), fontsize=8, **text_style())
    return figure


def _lines(title: str) -> list[str]:
    """A title of one line is broken; of several, long ones lose their middle: probabilities are at the end."""
    lines = title.split("\n")
    if len(lines) == 1:
        return textwrap.wrap(title, _LETTERS)[:3]
    return [line if len(line) <= _LETTERS else f"{line[: _LETTERS - 9]}…{line[-8:]}" for line in lines]
