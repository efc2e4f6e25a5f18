"""How training images are varied: `Augment`. Prediction does not use it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Union

import numpy as np

from ..arguments import is_number, yes_or_no
from ..calls import value_text
from ..errors import ArgumentError
from ..spec import json_values, settings
from .preprocess import Preprocess, image_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Augment:
    """How training images are varied, differently each time. `none` leaves them alone, `light` suits most.

    Parameters
    ----------
    flip
        Mirror every second image left to right.
    zoom
        Smallest and largest side of the window that is cut out, as a share of the largest one that fits in
        the image; above 1 the image gets a margin.
    ratio
        Narrowest and widest change of the proportions.
    rotate
        Degrees to either side.
    jitter
        Brightness, contrast and (colour) saturation change by up to this share.
    erase
        Probability that a random rectangle is filled with one grey (Zhong et al., 2020).
    shift
        How far, as a share of the view, the window may leave the image; the edge is repeated there.
    """

    flip: bool = False
    zoom: tuple[float, float] = (1.0, 1.0)
    ratio: tuple[float, float] = (1.0, 1.0)
    rotate: float = 0.0
    jitter: float = 0.0
    erase: float = 0.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        yes_or_no("flip", self.flip)
        for name in ("zoom", "ratio"):
            given = getattr(self, name)
            try:
                pair = tuple(float(value) for value in given)
            except (TypeError, ValueError):
                pair = ()
            if len(pair) != 2 or not 0 < pair[0] <= pair[1] <= 4:
                text = f"`{name}` must be two numbers, the smaller first, between 0 and 4."
                raise ArgumentError(text, [f"it is {value_text(given)}"])
            object.__setattr__(self, name, pair)
        for name, top in (("rotate", 180), ("jitter", 1), ("erase", 1), ("shift", 1)):
            value = getattr(self, name)
            if not is_number(value) or not 0 <= value <= top:
                raise ArgumentError(f"`{name}` must be between 0 and {top}.", [f"it is {value_text(value)}"])

    @classmethod
    def none(cls) -> Augment:
        """No variation: every view is the central one."""
        return cls()

    @classmethod
    def light(cls, small: bool = False, grey: bool = False) -> Augment:
        """The default for most sets: ``small`` images (under 64 pixels) are hardly zoomed, ``grey`` keep tone.

        Small grey images are often signs (digits, letters): they are only shifted, by a pixel or so.
        """
        if not small:
            return cls(flip=True, zoom=(0.65, 1.0), ratio=(0.8, 1.25), jitter=0.0 if grey else 0.2)
        if grey:
            return cls(shift=0.05)
        return cls(flip=True, zoom=(0.9, 1.1), ratio=(0.95, 1.05), rotate=5.0, jitter=0.1, shift=0.08)

    @classmethod
    def parse(
        cls, what: Union[str, bool, Mapping[str, Any], Augment, None], small: bool = False, grey: bool = False
    ) -> Augment:
        """An `Augment` from what a user may write: ``"light"``, ``"none"``, a truth value, a dict, itself.

        ``"auto"`` and true are `light`; a dict changes what it names in `light`.
        """
        if isinstance(what, Augment):
            return what
        if isinstance(what, Mapping):
            return replace(cls.light(small, grey), **settings(cls, what))
        if what is None or what is False or what == "none":
            return cls.none()
        if what is True or what in ("light", "auto"):
            return cls.light(small, grey)
        raise ArgumentError(
            f'`augment` must be "auto", "light", "none", {value_text(True)}, {value_text(False)}, or settings by name.',
            [f"it is {value_text(what)}"],
        )

    def to_dict(self) -> dict[str, Any]:
        """The spec as plain JSON values."""
        return json_values(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Augment:
        """The spec that `to_dict` wrote."""
        return cls(**settings(cls, values))

    def view(self, canvas: Pixels, preprocess: Preprocess, rng: np.random.Generator) -> Pixels:
        """One varied view of a canvas, (H, W, C) uint8; the same for the same state of ``rng``.

        Parameters
        ----------
        canvas
            (h, w, C) uint8, from `Preprocess.canvas`.
        preprocess
            Gives the view's size, and the central view where nothing varies.
        rng
            Always asked for the same count of numbers, whatever they decide.
        """
        if self == _UNVARIED:
            return preprocess.centre(canvas)
        draws = rng.random(14)
        view = self._cut(canvas, preprocess, draws[:7])
        if self.jitter:
            view = _jittered(view, self.jitter * (2 * draws[7:10] - 1))
        if self.erase and draws[10] < self.erase:
            view = _erased(view, draws[11:14])
        return view

    def _cut(self, canvas: Pixels, preprocess: Preprocess, draws: NDArray[np.float64]) -> Pixels:
        """The window: its size, proportions, place and turn, brought to the view's size in one step."""
        import PIL.Image

        height, width = preprocess.size
        zoom = self.zoom[0] + (self.zoom[1] - self.zoom[0]) * draws[0]
        low, high = np.log(self.ratio[0]), np.log(self.ratio[1])
        stretch = math.exp((low + (high - low) * draws[1]) / 2)
        fits = min(canvas.shape[0] / height, canvas.shape[1] / width)
        window_h = height * fits * zoom / stretch
        window_w = width * fits * zoom * stretch
        if zoom <= 1:
            window_h, window_w = min(window_h, canvas.shape[0]), min(window_w, canvas.shape[1])
        room_y = max(0.0, canvas.shape[0] - window_h) / 2 + self.shift * window_h
        room_x = max(0.0, canvas.shape[1] - window_w) / 2 + self.shift * window_w
        centre_y = canvas.shape[0] / 2 + room_y * (2 * draws[2] - 1)
        centre_x = canvas.shape[1] / 2 + room_x * (2 * draws[3] - 1)
        mirror = self.flip and draws[5] < 0.5
        angle = math.radians(self.rotate * (2 * draws[4] - 1))
        if angle:
            window = _Window(centre_x, centre_y, -window_w if mirror else window_w, window_h)
            return _turned(canvas, window, angle, width, height)
        left, top = centre_x - window_w / 2, centre_y - window_h / 2
        canvas, margin = _with_margin(canvas, left, top, left + window_w, top + window_h)
        left, top = max(0.0, left + margin), max(0.0, top + margin)
        box = (left, top, min(canvas.shape[1], left + window_w), min(canvas.shape[0], top + window_h))
        view = image_of(canvas).resize((width, height), PIL.Image.Resampling.BILINEAR, box)
        pixels = np.asarray(view).reshape(height, width, -1)
        return pixels[:, ::-1] if mirror else pixels

    def __str__(self) -> str:
        if self == _UNVARIED:
            return "Training images are not varied."
        parts = ["mirrored"] if self.flip else []
        if self.zoom != (1.0, 1.0):
            parts.append(f"zoomed {self.zoom[0]:g} to {self.zoom[1]:g}")
        if self.ratio != (1.0, 1.0):
            parts.append(f"stretched {self.ratio[0]:g} to {self.ratio[1]:g}")
        for name, words in (
            ("shift", "shifted by {:.0%}"),
            ("jitter", "changed in tone by {:.0%}"),
            ("erase", "{:.0%} erased"),
        ):
            if getattr(self, name):
                parts.append(words.format(getattr(self, name)))
        if self.rotate:
            parts.append(f"turned by {self.rotate:g} degrees")
        return f"Training images are {', '.join(parts)}."


_UNVARIED = Augment()


class _Window(NamedTuple):
    """Where a view lies in a canvas, pixels; a negative width mirrors."""

    x: float
    y: float
    width: float
    height: float


def _turned(canvas: Pixels, window: _Window, angle: float, width: int, height: int) -> Pixels:
    """The window turned by an angle (radians), as a view of this size, in one step."""
    import PIL.Image

    # view (x, y) -> canvas (a x + b y + c, d x + e y + f)
    step_x, step_y = window.width / width, window.height / height
    a, b = step_x * math.cos(angle), -step_y * math.sin(angle)
    d, e = step_x * math.sin(angle), step_y * math.cos(angle)
    c = window.x - a * width / 2 - b * height / 2
    f = window.y - d * width / 2 - e * height / 2
    xs = (c, c + a * width, c + b * height, c + a * width + b * height)
    ys = (f, f + d * width, f + e * height, f + d * width + e * height)
    canvas, margin = _with_margin(canvas, min(xs), min(ys), max(xs), max(ys))
    view = image_of(canvas).transform(
        (width, height),
        PIL.Image.Transform.AFFINE,
        (a, b, c + margin, d, e, f + margin),
        resample=PIL.Image.Resampling.BILINEAR,
    )
    return np.asarray(view).reshape(height, width, -1)


def _with_margin(canvas: Pixels, left: float, top: float, right: float, bottom: float) -> tuple[Pixels, int]:
    """The canvas, its edge repeated around it until this box lies inside, and the margin in pixels."""
    height, width = canvas.shape[:2]
    over = max(-left, -top, right - width, bottom - height)
    if over <= 1e-6:
        return canvas, 0
    margin = math.ceil(over) + 1
    rows = np.clip(np.arange(-margin, height + margin), 0, height - 1)
    columns = np.clip(np.arange(-margin, width + margin), 0, width - 1)
    return canvas.take(rows, axis=0).take(columns, axis=1), margin


def _jittered(view: Pixels, amounts: NDArray[np.float64]) -> Pixels:
    """Brightness, contrast and saturation changed by these shares; one table for the first two.

    A fourth channel stays as it is: it is no colour.
    """
    import PIL.Image

    if view.shape[2] == 4:
        return np.dstack([_jittered(view[:, :, :3], amounts), view[:, :, 3:]])
    brightness, contrast, saturation = (1 + float(amount) for amount in amounts)
    middle = float(view[::4, ::4].mean()) * brightness
    values = (np.arange(256) * brightness - middle) * contrast + middle
    table = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    if view.shape[2] == 1:
        toned: Pixels = table[view]
        return toned
    image = PIL.Image.fromarray(view).point(table.tolist() * 3)
    grey = image.convert("L").convert("RGB")
    return np.asarray(PIL.Image.blend(grey, image, saturation))


def _erased(view: Pixels, draws: NDArray[np.float64]) -> Pixels:
    share = math.sqrt(0.02 + 0.18 * float(draws[0]))
    height, width = max(1, round(view.shape[0] * share)), max(1, round(view.shape[1] * share))
    top = int(float(draws[1]) * (view.shape[0] - height + 1))
    left = int(float(draws[2]) * (view.shape[1] - width + 1))
    erased = view.copy()
    erased[top : top + height, left : left + width] = round(float(view.mean()))
    return erased
