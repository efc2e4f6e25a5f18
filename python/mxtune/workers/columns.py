"""Which columns of a table hold images and their names, and what is in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

import numpy as np

from ..errors import ArgumentError
from ..words import listing, near

IMAGES = ("bytes", "content", "image")  # as Ray's readers, Spark's and Hugging Face's data sets call it
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


def columns_of(columns: Sequence[str], image: Optional[str], path: Optional[str]) -> tuple[str, Optional[str]]:
    """The column of images, and that of their names, if there is one.

    Raises
    ------
    ArgumentError
        There is no column of images.
    """
    found = column_of("image", image, IMAGES, columns)
    if found is None:
        text = "No column holds images: the bytes of files, or pixels."
        raise ArgumentError(text, [f"the columns are {listing(columns)}"], 'Say which one: image="photo".')
    return found, column_of("path", path, NAMES, columns)


def images_of(values: Iterable[Any]) -> list[Any]:
    """Each image as `Answering.table` takes it."""
    return [_image(value) for value in values]


def names_of(values: Iterable[Any], images: Iterable[Any]) -> list[Optional[str]]:
    """The name of each image: what its column says, or else the image itself, where it is a record with a path."""
    return [_name(value) or _name(image) for value, image in zip(values, images)]


def _image(value: Any) -> Any:
    if isinstance(value, Mapping):  # a record as Hugging Face keeps images
        return _image(value.get("bytes"))
    if value is None or isinstance(value, np.ndarray):
        return value
    try:
        return bytes(memoryview(value))
    except TypeError:
        text = "The column of images must hold the bytes of files, or pixels."
        raise ArgumentError(
            text, [f"it holds {type(value).__name__}"], "Read the files: read_binary_files()."
        ) from None


def _name(value: Any) -> Optional[str]:
    value = value.get("path") if isinstance(value, Mapping) else value
    return value if isinstance(value, str) and value else None
