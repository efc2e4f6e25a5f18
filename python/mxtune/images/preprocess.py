"""How an image becomes numbers: `Preprocess`, always the same and saved with the model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ..arguments import height_and_width, is_number, one_of
from ..calls import value_text
from ..errors import ArgumentError
from ..spec import json_values, settings
from .scale import Percentiles, Range, parse

if TYPE_CHECKING:
    import PIL.Image
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

CHANNELS = (1, 3, 4)  # that a network's images may have
_FITS = ("crop", "pad", "stretch")
_INTERPOLATIONS = ("bicubic", "bilinear", "area")
_LONGEST = 4  # a panorama longer than this is cut before it is resized: its ends are in no view anyway


@dataclass(frozen=True)
class Preprocess:
    """How every image is brought to the network's input. Equal specs give equal numbers.

    Parameters
    ----------
    size
        Height and width (pixels) that the network sees.
    channels
        3 (red, green, blue), 1 (grey), or 4: those of arrays (N, H, W, 4), or a picture's with its transparency (RGBA).
    mean, std
        What is subtracted, then divided by, for each channel, on the scale 0 to 255.
    fit
        ``"crop"``: resize until the crop fits inside, keep the centre. ``"stretch"``: resize each side by
        itself. ``"pad"``: the whole image, with bars of the mean colour.
    crop
        With ``fit="crop"``, the share of the resized image's shorter side that is kept: 224 / 256 = .875.
    interpolation
        ``"bicubic"``, ``"bilinear"`` or ``"area"``; all smooth before they shrink.
    range
        The numbers that become black and white, 0 and 255, in images of more than 8 bits: those of the training images.
        None where they were 8-bit.

    Examples
    --------
    >>> spec = Preprocess(size=(224, 224), mean=(127, 127, 127), std=(128, 128, 128))
    >>> spec == Preprocess.from_dict(spec.to_dict())
    True
    >>> print(spec)
    Images are resized to a shorter side of 256, cropped to 224 x 224, colour, (value - 127) / 128.
    """

    size: tuple[int, int] = (224, 224)
    channels: int = 3
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (255.0, 255.0, 255.0)
    fit: str = "crop"
    crop: float = 0.875
    interpolation: str = "bicubic"
    range: Optional[Range] = None

    def __post_init__(self) -> None:
        def set_field(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        set_field("size", height_and_width("size", self.size))
        if self.channels not in CHANNELS:
            raise ArgumentError("`channels` must be 3 (colour), 1 (grey) or 4.", [f"it is {value_text(self.channels)}"])
        set_field("channels", int(self.channels))
        for name in ("mean", "std"):
            values = _to_floats(name, getattr(self, name))
            if len(set(values)) == 1:
                values = values[:1] * self.channels
            if len(values) != self.channels or not all(map(math.isfinite, values)):
                raise ArgumentError(f"`{name}` must hold {self.channels} numbers.", [f"it is {value_text(values)}"])
            set_field(name, values)
        if min(self.std) <= 0:
            raise ArgumentError("`std` must be above 0.", [f"it is {value_text(self.std)}"])
        if self.range is not None:
            parsed_range = parse(self.range)
            if isinstance(parsed_range, Percentiles):
                raise ArgumentError("`range` must be two numbers.", [f"it is {value_text(self.range)}"])
            set_field("range", parsed_range)
        one_of("fit", self.fit, _FITS)
        one_of("interpolation", self.interpolation, _INTERPOLATIONS)
        if not is_number(self.crop) or not 0 < self.crop <= 1:
            raise ArgumentError("`crop` must be above 0 and at most 1.", [f"it is {value_text(self.crop)}"])

    def to_dict(self) -> dict[str, Any]:
        """The spec as plain JSON values."""
        values = json_values(self)
        if self.range is None:  # 8-bit images: files of older versions don't mention it
            del values["range"]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocess:
        """The spec that `to_dict` wrote."""
        return cls(**settings(cls, values))

    @property
    def canvas_size(self) -> tuple[int, int]:
        """Height and width (pixels) that every canvas has at least; what `ImageSet.open` wants to know."""
        if self.fit != "crop":
            return self.size
        return round(self.size[0] / self.crop), round(self.size[1] / self.crop)

    def canvas(self, image: PIL.Image.Image) -> Pixels:
        """The whole image, small: (h, w, C) uint8 with the network's input size inside.

        With ``fit="crop"`` the image keeps its proportions and covers `canvas_size`; otherwise the canvas
        is the network's input itself. Worth keeping: `centre` and `Augment.view` make every view from it.
        """
        image = self._coloured(image)
        height, width = self.canvas_size
        if self.fit == "pad":
            return self._padded(image)
        if self.fit == "stretch":
            return _array(self._resized(image, width, height))
        scale = max(height / image.height, width / image.width)
        longest = (_LONGEST * width / scale, _LONGEST * height / scale)
        if image.width > longest[0] or image.height > longest[1]:
            image = _middle(image, min(image.width, round(longest[0])), min(image.height, round(longest[1])))
        return _array(
            self._resized(image, max(width, round(image.width * scale)), max(height, round(image.height * scale)))
        )

    def centre(self, canvas: Pixels) -> Pixels:
        """The central view of a canvas, (H, W, C) uint8: what the network sees when it predicts."""
        height, width = self.size
        top, left = round((canvas.shape[0] - height) / 2), round((canvas.shape[1] - width) / 2)
        return canvas[top : top + height, left : left + width]

    def picture(self, image: PIL.Image.Image) -> Pixels:
        """The central view of an image, (H, W, C) uint8; the same as ``centre(canvas(image))``."""
        return self.centre(self.canvas(image))

    def batch(self, pictures: Pixels) -> NDArray[np.float32]:
        """Views (N, H, W, C) uint8 as the network wants them: (N, C, H, W) float32, normalised."""
        count, height, width, channels = pictures.shape
        out = np.empty((count, channels, height, width), dtype=np.float32)
        normalise(pictures, self.mean, self.std, out)
        return out

    def view_in(self, height: int, width: int) -> tuple[tuple[float, float], tuple[float, float]]:
        """Where the network's view lies in an image of this size: ``(top, height), (left, width)``, in its pixels.

        With ``fit="pad"`` the view is larger than the image in one direction.

        Examples
        --------
        >>> Preprocess(size=(224, 224)).view_in(512, 1024)
        ((32.0, 448.0), (288.0, 448.0))
        """
        sides, view, canvas = (height, width), self.size, self.canvas_size
        if self.fit == "stretch":
            return (0.0, float(height)), (0.0, float(width))
        if self.fit == "pad":
            scale = min(view[0] / height, view[1] / width)
            inner = [min(whole, max(1, round(side * scale))) for side, whole in zip(sides, view)]
            down, across = (
                (-((whole - part) // 2) * side / part, whole * side / part)
                for side, whole, part in zip(sides, view, inner)
            )
            return down, across
        scale = max(canvas[0] / height, canvas[1] / width)
        kept = [min(side, max(1, round(_LONGEST * part / scale))) for side, part in zip(sides, canvas)]
        resized = [max(part, round(side * scale)) for side, part in zip(kept, canvas)]
        down, across = (
            ((side - cut) // 2 + round((large - part) / 2) * cut / large, part * cut / large)
            for side, cut, large, part in zip(sides, kept, resized, view)
        )
        return down, across

    def _coloured(self, image: PIL.Image.Image) -> PIL.Image.Image:
        if self.channels == 4:
            return image_of(_array(image if image.mode == "RGBA" else image.convert("RGBA")))
        mode = "RGB" if self.channels == 3 else "L"
        return image if image.mode == mode else image.convert(mode)

    def _resized(self, image: PIL.Image.Image, width: int, height: int) -> PIL.Image.Image:
        from PIL.Image import Resampling

        if image.size == (width, height):
            return image
        filters = {"bicubic": Resampling.BICUBIC, "bilinear": Resampling.BILINEAR, "area": Resampling.BOX}
        return image.resize((width, height), filters[self.interpolation])

    def _padded(self, image: PIL.Image.Image) -> Pixels:
        height, width = self.size
        scale = min(height / image.height, width / image.width)
        inner = _array(
            self._resized(
                image,
                min(width, max(1, round(image.width * scale))),
                min(height, max(1, round(image.height * scale))),
            )
        )
        colour = np.clip(np.rint(self.mean), 0, 255).astype(np.uint8)
        out = np.empty((height, width, self.channels), dtype=np.uint8)
        out[:] = colour
        top, left = (height - inner.shape[0]) // 2, (width - inner.shape[1]) // 2
        out[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
        return out

    def __str__(self) -> str:
        height, width = self.size
        resized = {
            "crop": f"resized to {_sides(self.canvas_size)}, cropped to {height} x {width}",
            "stretch": f"stretched to {height} x {width}",
            "pad": f"fitted into {height} x {width} with bars",
        }[self.fit]
        if self.fit == "crop" and self.canvas_size == self.size:
            resized = f"resized and cropped to {height} x {width}"
        colours = {1: "grey", 3: "colour"}.get(self.channels, f"{self.channels} channels")
        if self.range is not None:
            colours += f", {self.range[0]:g} (black) to {self.range[1]:g} (white) as 0 to 255"
        return f"Images are {resized}, {colours}, (value - {_values(self.mean)}) / {_values(self.std)}."


def normalise(pictures: Pixels, mean: tuple[float, ...], std: tuple[float, ...], out: NDArray[np.float32]) -> None:
    """Write images (N, H, W, C) uint8 to ``out`` (N, C, H, W) as ``(value - mean) / std`` by channel."""
    for channel, (offset, scale) in enumerate(zip(mean, std)):
        np.subtract(pictures[..., channel], np.float32(offset), out=out[:, channel], dtype=np.float32)
        out[:, channel] *= np.float32(1 / scale)


def image_of(pixels: Pixels) -> PIL.Image.Image:
    """Pixels (h, w, C) as an image whose channels are resized each by itself."""
    import PIL.Image

    if pixels.shape[2] == 4:  # as RGBA, Pillow would weight three by the fourth, which need not be transparency
        return PIL.Image.frombytes("CMYK", (pixels.shape[1], pixels.shape[0]), np.ascontiguousarray(pixels).tobytes())
    return PIL.Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])


def _array(image: PIL.Image.Image) -> Pixels:
    pixels = np.asarray(image)
    return pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]


def _middle(image: PIL.Image.Image, width: int, height: int) -> PIL.Image.Image:
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _sides(size: tuple[int, int]) -> str:
    return f"a shorter side of {size[0]}" if size[0] == size[1] else f"at least {size[0]} x {size[1]}"


def _values(values: tuple[float, ...]) -> str:
    return f"{values[0]:g}" if len(set(values)) == 1 else "(" + ", ".join(f"{value:g}" for value in values) + ")"


def _to_floats(name: str, value: Any) -> tuple[float, ...]:
    values = [value] if is_number(value) else list(value) if isinstance(value, Iterable) else []
    if not values or not all(map(is_number, values)):
        raise ArgumentError(f"`{name}` must hold numbers.", [f"it is {value_text(value)}"])
    return tuple(map(float, values))
