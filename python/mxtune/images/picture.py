"""One image: from the bytes of a file, or from what a user holds, to upright 8-bit RGB or grey, or to numbers.

Everything is decided from the image itself: Pillow's global settings are neither used nor changed.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, NamedTuple, Optional, Union

import numpy as np
import PIL.Image

from ..words import counted, file_size
from .budget import PixelBudget
from .deep import grey_as_bytes, join_bytes, join_grey, lower_bytes
from .openers import NoOpenerError, opener
from .scale import Numbers
from .sniff import sniff, webp_size

MAX_PIXELS = 110_000_000  # the largest camera sensors of today have 102 million, phones up to 50 as they come
MAX_BYTES = 500_000_000
BUDGET = PixelBudget(MAX_PIXELS)  # the largest ones are decoded one at a time
SHORTEST_SIDE = 256  # one scale serves every network up to this canvas, so that what the audit kept is of use
_SPARE = 1.5  # a reduced JPEG keeps so many times what is needed: .03 of 255 is then the mean difference

_ORIENTATION = 0x0112
_KIND_OF_FRAME = 0x00FE  # of a TIFF; its lowest bit tells of a smaller copy, which cameras put first
_TURNS = {
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_270,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_90,
}


class UnreadableError(Exception):
    """An image that can't be read; its text is the reason, for a user to read."""


class Read(NamedTuple):
    """What a file held: the image (RGB, L or numbers, upright), its full size, its format, its scale (1 to 8)."""

    image: Union[PIL.Image.Image, Numbers]
    height: int
    width: int
    format: str
    scale: int


def read(data: bytes, at_least: Optional[int] = None, alpha: bool = False) -> Read:
    """The first image in the bytes of a file, upright, as RGB, (where it is grey) L, or numbers beyond 8 bits.

    Parameters
    ----------
    data
        The whole file: JPEG, PNG, WebP, BMP, TIFF, GIF or PNM; AVIF, HEIC, JPEG 2000 or DICOM where their library is.
    at_least
        Pixels of the shorter side that are needed: a large JPEG is then decoded at 1/2, 1/4 or 1/8, which
        costs less. It still runs through the whole file, so a truncated one is found.
    alpha
        Keep the channel of transparency: RGBA, or numbers of four channels. Without it the image lies over white.

    Raises
    ------
    UnreadableError
        With the reason in words.
    """
    opened, kind = _open(data)
    width, height = opened.size
    scale = 1
    image: Union[PIL.Image.Image, Numbers]
    if kind == "JPEG":
        scale = scale_for(min(width, height), at_least)
        if scale > 1:
            opened.draft(None, (max(1, width // scale), max(1, height // scale)))
    BUDGET.take(opened.width * opened.height)
    try:
        lower_tiles = lower_bytes(opened) if kind in ("PNG", "TIFF") else None
        grey_tiles = grey_as_bytes(opened) if kind == "PNG" else None
        opened.tile = grey_tiles or opened.tile
        opened.load()
        turn = _orientation(opened)
        if grey_tiles is not None:
            image = join_grey(_turned(opened, turn), alpha)
        elif lower_tiles is None:
            image = _to_picture_or_numbers(opened, turn, alpha)
        else:
            reopened, _ = _open(data)
            reopened.tile = lower_tiles
            reopened.load()
            image = join_bytes(_turned(opened, turn), _turned(reopened, turn), alpha)
    except UnreadableError:
        raise
    except MemoryError as error:
        raise UnreadableError(f"too large for the memory: {width} x {height} pixels") from error
    except Exception as error:  # a damaged file can raise anything
        raise UnreadableError(_why_undecodable(data, kind, error)) from error
    if isinstance(image, Numbers):
        height, width = image.values.shape[:2]
    elif scale == 1:
        width, height = image.size
    elif turn in (5, 6, 7, 8):
        width, height = height, width
    return Read(image, height, width, kind, scale)


def header(data: bytes) -> tuple[int, int]:
    """Height and width (pixels, upright) from the first bytes of a file, without decoding it."""
    opened, kind = _open(data)
    width, height = opened.size
    turn = _orientation(opened)
    if kind == "TIFF":  # some versions of Pillow have turned its size already, some have not
        width, height, turn = (int(opened.tag_v2.get(tag, 1)) for tag in (256, 257, _ORIENTATION))
    if turn in (5, 6, 7, 8):
        width, height = height, width
    return height, width


def scale_for(shorter: int, at_least: Optional[int]) -> int:
    """The scale (1, 2, 4 or 8) at which a JPEG of this shorter side keeps ``at_least`` pixels of it."""
    if at_least is None:
        return 1
    ratio = shorter / (_SPARE * max(at_least, SHORTEST_SIDE))
    return next(scale for scale in (8, 4, 2, 1) if ratio >= scale or scale == 1)


def upright(image: PIL.Image.Image, alpha: bool = False) -> Union[PIL.Image.Image, Numbers]:
    """An image that a user holds, turned according to its EXIF orientation; as what `read` gives."""
    _check_size(*image.size)
    try:
        image.load()
        return _to_picture_or_numbers(image, _orientation(image), alpha)
    except UnreadableError:
        raise
    except Exception as error:  # it may still be an unread, damaged file
        if getattr(image, "fp", error) is None:
            raise UnreadableError("its file was closed before it was read: call its load() before") from error
        raise UnreadableError(f"damaged ({error})") from error


def to_rgb_or_grey(image: PIL.Image.Image) -> PIL.Image.Image:
    """An 8-bit image as RGB, or L where it is grey: over white where it is transparent."""
    if _transparent(image):
        return _over_white(image)
    if image.mode in ("L", "RGB"):
        return image
    if image.mode == "P":
        colours = image.convert("RGB")
        return colours.convert("L") if _grey_palette(image) else colours
    return image.convert("L" if image.mode == "1" else "RGB")


def to_rgba(image: PIL.Image.Image) -> PIL.Image.Image:
    """An 8-bit image with its channel of transparency.

    Raises
    ------
    UnreadableError
        It has none.
    """
    if not _transparent(image):
        channels = 1 if to_rgb_or_grey(image).mode == "L" else 3
        raise UnreadableError(without_alpha(channels))
    return image.convert("RGBA")


def without_alpha(channels: int) -> str:
    """Why an image is of no use for a network of four channels."""
    return f"it has {counted(channels, 'channel')}, and the network takes 4"


def _open(data: bytes) -> tuple[Any, str]:
    if not data:
        raise UnreadableError("the file is empty")
    kind, reason = sniff(data)
    if kind is None:
        raise UnreadableError(reason)
    if kind == "WebP":  # its decoder takes memory for the whole canvas as soon as it is opened
        width, height = webp_size(data)
        _check_size(width, height)
        BUDGET.take(width * height)
    try:
        opened = opener(kind)(BytesIO(data))
    except NoOpenerError as error:
        raise UnreadableError(str(error)) from error
    except Exception as error:  # a damaged file can raise anything
        raise UnreadableError(_why_undecodable(data, kind, error)) from error
    _check_size(*opened.size)
    if kind == "TIFF" and _is_preview(opened):
        raise UnreadableError("only the preview of a larger image, as in a raw file: save it as JPEG or PNG")
    return opened, kind


def _is_preview(tiff: Any) -> bool:
    kind = tiff.tag_v2.get(_KIND_OF_FRAME, 0)
    return isinstance(kind, int) and bool(kind & 1)


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise UnreadableError(
            f"too large: it claims {width} x {height} pixels; {MAX_PIXELS // 10**6} million is the limit"
        )
    if width < 1 or height < 1:
        raise UnreadableError(f"an image without pixels ({width} x {height})")


def _why_undecodable(data: bytes, kind: str, error: Exception) -> str:
    message = str(error).strip() or type(error).__name__
    declared = _declared_length(data, kind)
    if declared > len(data):
        return f"the file ends after {file_size(len(data))} of {file_size(declared)}"
    lowered = message.lower()
    if any(word in lowered for word in ("truncated", "end of file", "not enough", "eof", "unexpected end")) or (
        kind == "GIF" and isinstance(error, (EOFError, IndexError))
    ):
        return f"the file ends after {file_size(len(data))}, before the image does"
    return f"a {kind} that can't be decoded ({message})"


def _declared_length(data: bytes, kind: str) -> int:
    """The file's length in bytes as the file itself states it; 0 where it does not."""
    if kind == "WebP" and len(data) >= 8:
        return int.from_bytes(data[4:8], "little") + 8
    if kind == "BMP" and len(data) >= 6:
        return int.from_bytes(data[2:6], "little")
    return 0


def _orientation(image: PIL.Image.Image) -> int:
    if image.format == "TIFF":  # Pillow turns these itself when it loads them
        return 1
    try:
        turn = int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - nonsense in the EXIF block does not make the pixels worse
        return 1
    return turn if turn in _TURNS else 1


def _to_picture_or_numbers(image: PIL.Image.Image, turn: int, alpha: bool) -> Union[PIL.Image.Image, Numbers]:
    if not image.mode.startswith("I") and image.mode != "F":
        return _turned(to_rgba(image) if alpha else to_rgb_or_grey(image), turn)
    values = np.asarray(_turned(image, turn))  # grey of 16 or 32 bits
    if values.dtype == np.int32 and values.size and values.min() >= 0 and values.max() <= 65535:
        values = values.astype(np.uint16)
    return Numbers(values.astype(values.dtype.newbyteorder("="), copy=False)[:, :, np.newaxis])


def _turned(image: PIL.Image.Image, turn: int) -> PIL.Image.Image:
    return image if turn == 1 else image.transpose(_TURNS[turn])


def _transparent(image: PIL.Image.Image) -> bool:
    if image.mode in ("RGBA", "LA", "La", "PA", "RGBa") or "transparency" in image.info:
        return True
    return image.mode == "P" and image.palette is not None and image.palette.mode.endswith("A")


def _grey_palette(image: PIL.Image.Image) -> bool:
    palette = np.asarray(image.getpalette() or [0, 0, 1]).reshape(-1, 3)
    used = np.asarray([index for _, index in image.getcolors(256) or []], dtype=int)
    used = used[used < len(palette)]
    return bool((palette[used] == palette[used][:, :1]).all()) if len(used) else False


def _over_white(image: PIL.Image.Image) -> PIL.Image.Image:
    is_grey = image.mode in ("1", "L", "LA", "La")
    colours = image.convert("RGBA")
    if colours.getchannel("A").getextrema() != (255, 255):
        white = PIL.Image.new("RGBA", colours.size, (255, 255, 255, 255))
        white.alpha_composite(colours)
        colours = white
    return colours.convert("RGB").convert("L") if is_grey else colours.convert("RGB")
