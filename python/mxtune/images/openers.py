"""What opens each format of images: a class of Pillow, or of an optional library."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import PIL.features
import PIL.Image
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

Opener = Callable[[BytesIO], PIL.Image.Image]


class NoOpenerError(Exception):
    """The library for a format is missing; its text is the reason, for a user to read."""


def opener(kind: str) -> Opener:
    """What opens a format that `sniff` names. Not ``PIL.Image.open``, which checks a global limit.

    Raises
    ------
    NoOpenerError
        Its library is not installed.
    """
    if kind in _PILLOW_OPENERS:
        return _PILLOW_OPENERS[kind]
    try:
        return _OPTIONAL_OPENERS[kind]()
    except ImportError as error:
        library, extra = _LIBRARIES[kind]
        text = f'an image in {kind}, which needs {library} (pip install "{library}"; the extra "{extra}")'
        raise NoOpenerError(f"{text}, or save it as PNG") from error


def _avif() -> Opener:
    from PIL import AvifImagePlugin

    if not AvifImagePlugin.SUPPORTED:
        raise ImportError("Pillow was built without it")
    return AvifImagePlugin.AvifImageFile


def _heic() -> Opener:
    from pillow_heif.as_plugin import HeifImageFile

    return HeifImageFile  # type: ignore[no-any-return]


def _jpeg_2000() -> Opener:
    if not PIL.features.check("jpg_2000"):
        raise ImportError("Pillow was built without it")
    return Jpeg2KImagePlugin.Jpeg2KImageFile


def _dicom() -> Opener:
    import pydicom

    def open_stream(stream: BytesIO) -> PIL.Image.Image:
        dataset = pydicom.dcmread(stream)
        pixels = _first_frame(dataset)
        if pixels.ndim == 3:
            return PIL.Image.fromarray(pixels.astype(np.uint8))
        return PIL.Image.fromarray(_shades(dataset, pixels.astype(np.float64)))

    return open_stream


def _first_frame(dataset: Any) -> Any:
    """(H, W) numbers, or (H, W, 3) colours."""
    pixels = dataset.pixel_array
    frames = int(dataset.get("NumberOfFrames") or 1)
    pixels = pixels[0] if frames > 1 else pixels
    if pixels.ndim == 3 and "YBR" in str(dataset.PhotometricInterpretation):
        from pydicom.pixel_data_handlers import convert_color_space

        pixels = convert_color_space(pixels, dataset.PhotometricInterpretation, "RGB")
    return pixels


def _shades(dataset: Any, pixels: Any) -> Any:
    """(H, W): uint8 in the window that the file asks for; without one the values, whose range is decided over the set.

    Both in the file's own units, and black and white as on film.
    """
    slope, intercept = float(dataset.get("RescaleSlope") or 1), float(dataset.get("RescaleIntercept") or 0)
    pixels = pixels * slope + intercept
    centre, width = _single(dataset.get("WindowCenter")), _single(dataset.get("WindowWidth"))
    bits, signed = int(dataset.BitsStored), bool(dataset.PixelRepresentation)
    if centre is None or not width:
        low = (-(2 ** (bits - 1)) if signed else 0) * slope + intercept
        high = low + (2**bits - 1) * slope
    else:
        low, high = centre - width / 2, centre + width / 2
    if str(dataset.PhotometricInterpretation) == "MONOCHROME1":
        pixels = low + high - pixels
    if (centre is None or not width) and (low, high) != (0, 255):
        whole = np.array_equal(pixels, np.rint(pixels)) and pixels.min() >= 0 and pixels.max() <= 65535
        return pixels.astype(np.uint16 if whole else np.float32)
    return np.rint(np.clip((pixels - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def _single(value: Any) -> Any:
    """The first of several windows."""
    if value is None or value == "":
        return None
    return float(value if isinstance(value, (int, float, str)) else next(iter(value)))


_PILLOW_OPENERS: dict[str, Opener] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "PNM": PpmImagePlugin.PpmImageFile,
}
_OPTIONAL_OPENERS: dict[str, Callable[[], Opener]] = {
    "AVIF": _avif,
    "HEIC": _heic,
    "JPEG 2000": _jpeg_2000,
    "DICOM": _dicom,
}
_LIBRARIES = {
    "AVIF": ("pillow>=11.3", "avif"),
    "HEIC": ("pillow-heif", "heic"),
    "JPEG 2000": ("pillow", "jpeg2000"),
    "DICOM": ("pydicom", "dicom"),
}
