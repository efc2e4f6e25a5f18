"""An image made ready: decoded, limited, and brought to what the network sees, before it meets those of others."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import PictureError
from ..images import mximages
from ..images.loader import Loader
from ..images.picture import UnreadableError, header
from ..model.model import Model
from ..model.predictor import Predictor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[Any]


class BadImageError(Exception):
    """An image that can't be read; its text says why."""


class Ready(NamedTuple):
    """An image as the network sees it, (H, W, C) uint8, and the hash of its file, by which a model knows it again."""

    pixels: Pixels
    hash: bytes


def made_ready(model: Model, content: bytes, max_pixels: int) -> Ready:
    """The image, by the way that `Model.predict` goes.

    Raises
    ------
    BadImageError
        It can't be read, or has more pixels.
    """
    check(content, max_pixels)
    spec = model.preprocess
    try:
        images = mximages([io.BytesIO(content)], on_bad="keep", range=spec.range)
        pixels: Pixels = Loader(images, spec, repeated=False).eval_batch([0])[0]
        return Ready(pixels, images.hashes[0])
    except PictureError as error:
        reasons = [reason for _, reason in error.files] or [error.message]
        raise BadImageError(reasons[0]) from error


def check(content: bytes, max_pixels: int) -> None:
    """Look at an image's size alone."""
    try:
        height, width = header(content)
    except UnreadableError as error:
        raise BadImageError(str(error)) from error
    if height * width > max_pixels:
        limit = f"{max_pixels / 1e6:g} million is the limit"
        raise BadImageError(f"too large: it claims {width} x {height} pixels; {limit}")


def of_pixels(model: Model) -> Model:
    """The model for images that are ready: arrays (N, H, W, C) uint8 as the network sees them."""
    other = copy.copy(model)
    other._predictor = _OfPixels(model.network, model._predictor.target, model._predictor.quantised)
    return other


class _OfPixels(Predictor):
    """Nothing is decoded and no thread waited for, which takes the longer the busier the others of this process are:
    12 of 80 ms for 16 images, measured with 32 clients on 2 CPUs."""

    def outputs(self, loader: Loader, *what: Any, **more: Any) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        return super().outputs(_Unloaded(loader.images, loader.preprocess, repeated=False), *what, **more)


class _Unloaded(Loader):
    def eval_batches(self, *_: Any, **__: Any) -> Iterator[tuple[Any, Pixels]]:
        yield np.arange(len(self)), np.stack(self.images.items)
