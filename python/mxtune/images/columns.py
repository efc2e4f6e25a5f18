"""Which columns of a data frame hold the pictures and their labels: one rule, which R asks, too."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Optional, Union

import PIL.Image

from ..calls import option
from ..errors import ArgumentError
from .sniff import is_picture_name

Label = Union[str, Sequence[str], None]
_PATHS = ("path", "file", "filename", "file_name", "filepath", "file_path", ".file", "image", "image_path")
_PATHS_TOO = ("img", "picture", "photo", "files", "images", "pictures", "photos")
_LABELS = ("label", "labels", "class", "class_name", "category", "target", "y", "outcome", "truth")
_ENOUGH = 50  # values looked at


def path_column(frame: Any, label: Label = None, is_there: Optional[Callable[[str], bool]] = None) -> Any:
    """The column of pictures: one with a usual name; or the only one whose values look like paths of pictures, whose
    first ones are files (``is_there``), or that has text beside ``label``.

    Raises
    ------
    ArgumentError
        None is, or several are.
    """
    labels = [label] if isinstance(label, str) else list(label or ())
    columns = [column for column in frame.columns if column not in labels]
    named = _by_name(columns, _PATHS + _PATHS_TOO)
    if named is not None:
        return named
    fits: list[Callable[[Any], bool]] = [_is_picture]
    fits += [] if is_there is None else [lambda cell: _is_text(cell) and is_there(cell)]
    fits += [_is_text] if labels else []
    for one in fits:
        most = _ENOUGH if one in (_is_picture, _is_text) else 3  # each asks the disk
        fitting = [column for column in columns if _all(frame[column], one, most)]
        if len(fitting) == 1:
            return fitting[0]
    bullets = [f"the columns are {_names(frame.columns)}"]
    if len(frame.columns) == 1 and ";" in str(frame.columns[0]):
        bullets = [f'found one column, "{frame.columns[0]}": is the file separated by semicolons?']
    hint = f'Call it "path", or name it: {option("path")}.'
    raise ArgumentError("No column contains image paths.", bullets, hint)


def other_paths(frame: Any, path: Any) -> list[str]:
    """The columns beside ``path`` that hold names of pictures, too."""
    return [str(column) for column in frame.columns if column != path and _all(frame[column], _is_picture, _ENOUGH)]


def label_column(frame: Any, path: Any) -> tuple[Any, Optional[str]]:
    """The column of labels: one with a usual name, or the only one beside ``path`` that holds no pictures; None, and a
    sentence, where it can't be told."""
    others = [column for column in frame.columns if column != path and not _all(frame[column], _is_picture, _ENOUGH)]
    named = _by_name(others, _LABELS)
    if named is not None or len(others) < 2:
        return (named if named is not None else next(iter(others), None)), None
    text = f"Couldn't tell which column holds the labels. Columns: {_names(others)}. "
    return None, text + f'Call it "label", or name it: {option("label")}.'


def require(frame: Any, columns: Iterable[Any]) -> None:
    """Let the data frame have these columns.

    Raises
    ------
    ArgumentError
        It has not.
    """
    unknown = [str(column) for column in columns if column not in list(frame.columns)]
    if unknown:
        raise ArgumentError("The data frame has no such column.", unknown, f"It has {_names(frame.columns)}.")


def _by_name(columns: Sequence[Any], likely: Sequence[str]) -> Any:
    lower = {str(column).lower(): column for column in reversed(columns)}
    return next((lower[name] for name in likely if name in lower), None)


def _names(columns: Iterable[Any]) -> str:
    return ", ".join(map(str, columns))


def _all(column: Any, fits: Callable[[Any], bool], most: int) -> bool:
    values = column.tolist()[:most]
    return bool(values) and all(map(fits, values))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_picture(value: Any) -> bool:
    return is_picture_name(value) if isinstance(value, str) else isinstance(value, (os.PathLike, PIL.Image.Image))
