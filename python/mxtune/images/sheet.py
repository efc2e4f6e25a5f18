"""A contact sheet: small pictures in rows, labels beneath, class after class."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image
from PIL import ImageDraw, ImageFont

from ..arguments import whole
from .decode import decode

if TYPE_CHECKING:
    from .imageset import ImageSet

_SIDE, _GAP, _TEXT = 120, 8, 14  # pixels
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


def draw(images: ImageSet, n: int = 24) -> PIL.Image.Image:
    """The sheet (RGB) of up to ``n`` pictures, each class with its share, spread over the whole class."""
    rows = _chosen(images, whole("n", n, 1))
    columns = max(1, min(len(rows), 8 if len(rows) > 12 else 6, math.ceil(math.sqrt(2 * max(1, len(rows))))))
    small = decode(images, rows, _thumbnail, at_least=_SIDE)
    cell_w, cell_h = _SIDE + _GAP, _SIDE + _TEXT + 2 * _GAP
    lines = math.ceil(len(rows) / columns)
    sheet = PIL.Image.new("RGB", (columns * cell_w + _GAP, max(1, lines) * cell_h + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for place, (row, pixels) in enumerate(zip(rows, small)):
        left, top = _GAP + place % columns * cell_w, _GAP + place // columns * cell_h
        picture = PIL.Image.fromarray(pixels)
        sheet.paste(picture, (left + (_SIDE - picture.width) // 2, top + (_SIDE - picture.height) // 2))
        _write(pen, images.label_of(row) or images.names[row], left, top + _SIDE + 2)
    return sheet


def _chosen(images: ImageSet, n: int) -> list[int]:
    """Rows for the sheet, class by class; numbers in ascending order."""
    if images.y is None or images.task != "classification":
        order = np.arange(len(images))
        if images.task == "regression" and images.y is not None and images.y.ndim == 1:
            order = np.argsort(images.y, kind="stable")
        return _spread(order, n)
    classes = [np.flatnonzero(images.y == code) for code in range(len(images.levels))]
    classes = [rows for rows in classes if len(rows)]
    if len(classes) > n:
        return [int(classes[at][0]) for at in _spread(np.arange(len(classes)), n)]
    shares = [0] * len(classes)
    while n > 0 and any(share < len(rows) for share, rows in zip(shares, classes)):
        for at, rows in enumerate(classes):
            if n > 0 and shares[at] < len(rows):
                shares[at] += 1
                n -= 1
    return [row for rows, share in zip(classes, shares) for row in _spread(rows, share)]


def _spread(rows: Any, n: int) -> list[int]:
    count = min(n, len(rows))
    return [int(rows[at * len(rows) // count]) for at in range(count)]


def _thumbnail(picture: PIL.Image.Image) -> Any:
    scale = _SIDE / max(picture.size)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    how = PIL.Image.Resampling.NEAREST if scale >= 2 else PIL.Image.Resampling.BICUBIC
    return np.asarray(picture.convert("RGB").resize(size, how))


def _write(pen: ImageDraw.ImageDraw, words: str, left: int, top: int) -> None:
    font = _font(words.isascii())
    words = words.replace("\n", " ")
    if not isinstance(font, ImageFont.FreeTypeFont):  # the oldest of Pillow's fonts knows Latin letters only
        words = words.encode("latin-1", "replace").decode("latin-1")
    if font.getlength(words) > _SIDE:
        while words and font.getlength(words + "...") > _SIDE:
            words = words[:-1]
        words += "..."
    pen.text((left + (_SIDE - font.getlength(words)) / 2, top), words, fill="#333333", font=font)


@lru_cache(maxsize=2)
def _font(plain: bool) -> Any:
    for name in () if plain else _FONTS:
        try:
            return ImageFont.truetype(name, _TEXT)
        except OSError:
            continue
    try:
        return ImageFont.load_default(_TEXT)
    except TypeError:  # Pillow before 10.1
        return ImageFont.load_default()
