"""A contact sheet: small images in rows, labels beneath, class after class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageDraw, ImageFont

from .labels import Labels

SIDE = 120  # pixels, the longer one of each small image
_GAP, _TEXT = 8, 14  # pixels
_FONTS = (  # the first that is installed and knows the letters
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "wqy-microhei.ttc",
    "Arial Unicode.ttf",
    "arialuni.ttf",
    "msyh.ttc",
    "PingFang.ttc",
    "Arial.ttf",
)


def draw(thumbnails: Sequence[NDArray[np.uint8]], titles: Sequence[str]) -> PIL.Image.Image:
    """The sheet (RGB) of small images, each with its title beneath."""
    count = len(thumbnails)
    columns = max(1, min(count, 8 if count > 12 else 6, math.ceil(math.sqrt(2 * max(1, count)))))
    texts = [_lines(title) for title in titles]
    cell_w, cell_h = SIDE + _GAP, SIDE + _TEXT * max(map(len, texts), default=1) + 2 * _GAP
    rows = math.ceil(count / columns)
    sheet = PIL.Image.new("RGB", (columns * cell_w + _GAP, max(1, rows) * cell_h + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for place, (pixels, lines) in enumerate(zip(thumbnails, texts)):
        left, top = _GAP + place % columns * cell_w, _GAP + place // columns * cell_h
        picture = PIL.Image.fromarray(pixels)
        sheet.paste(picture, (left + (SIDE - picture.width) // 2, top + (SIDE - picture.height) // 2))
        for number, line in enumerate(lines):
            start = left + (SIDE - _font(line.isascii()).getlength(line)) / 2
            pen.text((start, top + SIDE + 2 + number * _TEXT), line, fill="#333333", font=_font(line.isascii()))
    return sheet


def choose(labels: Labels, pictures: int, n: int) -> list[int]:
    """Up to ``n`` rows for a sheet, each class with its share, spread over it; numbers in ascending order."""
    if labels.task is None or labels.y is None or labels.y.ndim > 1:
        return _spread(np.arange(pictures), n)
    if not labels.task.has_classes:
        return _spread(np.argsort(labels.y, kind="stable"), n)
    classes = [np.flatnonzero(labels.y == code) for code in range(len(labels.levels))]
    classes = [rows for rows in classes if len(rows)]
    if len(classes) > n:
        return [int(classes[place][0]) for place in _spread(np.arange(len(classes)), n)]
    shares = [0] * len(classes)
    while n > 0 and any(share < len(rows) for share, rows in zip(shares, classes)):
        for place, rows in enumerate(classes):
            if n > 0 and shares[place] < len(rows):
                shares[place] += 1
                n -= 1
    return [row for rows, share in zip(classes, shares) for row in _spread(rows, share)]


def _spread(rows: Any, n: int) -> list[int]:
    count = min(n, len(rows))
    return [int(rows[place * len(rows) // count]) for place in range(count)]


def thumbnail(picture: PIL.Image.Image) -> Any:
    """The image (RGB) made so small, or so large, that it fills its place."""
    scale = SIDE / max(picture.size)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    resampling = PIL.Image.Resampling.NEAREST if scale >= 2 else PIL.Image.Resampling.BICUBIC
    return np.asarray(picture.convert("RGB").resize(size, resampling))


def _lines(title: str) -> list[str]:
    """A title in up to two lines; what is longer is cut."""
    title = " ".join(title.split())
    font = _font(title.isascii())
    if not isinstance(font, ImageFont.FreeTypeFont):  # the oldest of Pillow's fonts knows Latin letters only
        title = title.encode("latin-1", "replace").decode("latin-1")
    first = _fitting(title, font)
    if first == len(title):
        return [title]
    first = title.rfind(" ", 0, first + 1) + 1 or first  # between words, where there are several
    rest = title[first:]
    if _fitting(rest, font) < len(rest):
        rest = rest[: _fitting(rest, font, "...")].rstrip() + "..."
    return [title[:first].rstrip(), rest]


def _fitting(text: str, font: Any, end: str = "") -> int:
    """How many letters fit under an image, with an end after them."""
    return next((n for n in range(len(text), 0, -1) if font.getlength(text[:n] + end) <= SIDE), 0)


@lru_cache(maxsize=2)
def _font(ascii_only: bool) -> Any:
    for name in () if ascii_only else _FONTS:
        try:
            return ImageFont.truetype(name, _TEXT)
        except OSError:
            continue
    try:
        return ImageFont.load_default(_TEXT)
    except TypeError:  # Pillow before 10.1
        return ImageFont.load_default()
