"""Which columns of a table hold images and their names, and what is in them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

import numpy as np

from ..errors import ArgumentError
from ..images.labels import is_missing
from ..words import listing, near

IMAGES = ("bytes", "content", "image")  # as Ray's readers, Spark's and Hugging Face's data sets call it
_TEXTS = ("string", "large_string", "string_view")  # of Arrow, and of Spark
NAMES = ("path", "file", "file_name", "filename")


def column_of(name: str, given: Optional[str], usual: Sequence[str], columns: Sequence[str]) -> Optional[str]:
    """The column that is given, or the first of the usual ones that there is; None without.

    Raises
    ------
    ArgumentError
        There is no column as given.
    """
    if given is not None and given not in columns:
        hint = near(given, columns, most=1) or f"The columns are {listing(columns)}."
        raise ArgumentError(f'There is no column "{given}", which is given as `{name}`.', hint=hint)
    return given or next((one for one in usual if one in columns), None)


def columns_of(kinds: Mapping[str, str], image: Optional[str], path: Optional[str]) -> tuple[str, Optional[str]]:
    """The column of images, and that of their names, if there is one, of columns with their types.

    Of those that are called as images mostly are, one of texts comes last: a caption may be the ``content``.

    Raises
    ------
    ArgumentError
        There is no column of images.
    """
    columns = [*kinds]
    found = column_of("image", image, sorted(IMAGES, key=lambda name: kinds.get(name) in _TEXTS), columns)
    if found is None:
        text = "No column holds images: the bytes of files, or pixels."
        raise ArgumentError(text, [f"the columns are {listing(columns)}"], 'Say which one: image="photo".')
    return found, column_of("path", path, NAMES, columns)


def refuse_text(name: str, kind: str, reader: str) -> None:
    """Refuse a column of images that holds texts: names, mostly, of files that were to be read.

    Raises
    ------
    ArgumentError
        ``kind``, the type of the column, is one of texts; ``reader`` says how files are read.
    """
    if kind in _TEXTS:
        text = f'The column of images must hold the bytes of files, or pixels, and "{name}" holds texts.'
        raise ArgumentError(text, hint=f"Read the files: {reader}")


def images_of(values: Iterable[Any]) -> list[Any]:
    """Each image as `Answering.table` takes it.

    Raises
    ------
    ArgumentError
        They are neither the bytes of files nor pixels.
    """
    return [_image(value) for value in values]


def names_of(values: Iterable[Any], images: Iterable[Any]) -> list[Optional[str]]:
    """The name of each image: what its column says, or else the image itself, where it is a record with a path."""
    return [_name(value) or _path(image) for value, image in zip(values, images)]


def _image(value: Any) -> Any:
    if isinstance(value, Mapping) and "bytes" in value:  # a record as Hugging Face keeps images
        return _image(value["bytes"])
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, np.ndarray):
        return value.tobytes() if value.ndim == 1 and value.dtype == np.uint8 else value  # a list of bytes
    if is_missing(value):
        return None
    what = f"records of {listing([*value])}" if isinstance(value, Mapping) else type(value).__name__
    raise ArgumentError("The column of images must hold the bytes of files, or pixels.", [f"it holds {what}"])


def _path(image: Any) -> Optional[str]:
    return _name(image.get("path")) if isinstance(image, Mapping) else None


def _name(value: Any) -> Optional[str]:
    if isinstance(value, Mapping):
        return _path(value)
    if is_missing(value):
        return None
    # a column of whole numbers, of which some are missing, has them as floating-point numbers
    value = int(value) if isinstance(value, (float, np.floating)) and value.is_integer() else value
    return os.fsdecode(value) if isinstance(value, bytes) else str(value)
