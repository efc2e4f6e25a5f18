"""Which columns of a data frame hold the images and their labels: one rule, which R uses too."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Optional, Union

import PIL.Image

from ..calls import option, value_text
from ..errors import ArgumentError, LabelError
from ..words import listing
from .arrow import Cell
from .roles import tells_parts
from .sniff import is_picture_name

Label = Union[str, Sequence[str], None]
_PATHS = ("path", "file", "filename", "file_name", "filepath", "file_path", ".file", "image", "image_path")
_LESS_LIKELY_PATHS = ("img", "picture", "photo", "files", "images", "pictures", "photos")
_LABELS = ("label", "labels", "class", "class_name", "category", "target", "y", "outcome", "truth")
_SAMPLE_SIZE = 50  # values looked at


@dataclass(frozen=True)
class Unusable:
    """A cell of a column that is neither paths nor labels: R has types that have no counterpart here."""

    column: str
    kind: str
    hint: str


def refuse_unusable(column: Any) -> None:
    """Require that a column can be used.

    Raises
    ------
    LabelError
        It is one of `Unusable` cells.
    """
    cell = column.iloc[0] if len(column) else None
    if isinstance(cell, Unusable):
        raise LabelError(f'The column "{cell.column}" can\'t be used: it is of class {cell.kind}.', hint=cell.hint)


class Remembered(str):
    """The column of paths of the table that a model was trained on: taken wherever a table has it, and no more."""

    __slots__ = ()


def path_column(frame: Any, label: Label = None, is_there: Optional[Callable[[str], bool]] = None) -> Any:
    """The column of images: the only one that holds their bytes, or one with a usual name; or the only one whose
    values look like paths of images, whose first ones are files (``is_there``), or that has text besides ``label``.

    Raises
    ------
    ArgumentError
        No column fits, or several do.
    """
    labels = [label] if isinstance(label, str) else list(label or ())
    columns = [column for column in frame.columns if column not in labels]
    held = [column for column in columns if _all_match(frame[column], _is_cell, _SAMPLE_SIZE)]
    usual_column = held[0] if len(held) == 1 else _by_name(columns, _PATHS + _LESS_LIKELY_PATHS)
    if usual_column is not None:
        return usual_column
    checks: list[Callable[[Any], bool]] = [_is_picture]
    checks += [] if is_there is None else [lambda cell: _is_text(cell) and is_there(cell)]
    checks += [_is_text] if labels else []
    for check in checks:
        sample_size = _SAMPLE_SIZE if check in (_is_picture, _is_text) else 3  # each asks the disk
        matching = [column for column in columns if _all_match(frame[column], check, sample_size)]
        if len(matching) == 1:
            return matching[0]
    bullets = [f"the columns are {_names(frame.columns)}"]
    if len(frame.columns) == 1 and ";" in str(frame.columns[0]):
        bullets = [f'found one column, "{frame.columns[0]}": is the file separated by semicolons?']
    hint = f'Call it "path", or name it: {option("path")}.'
    if _all_match(frame.index, _is_picture, _SAMPLE_SIZE):
        hint = "The index has them: make it a column with .reset_index()."
    raise ArgumentError("No column contains image paths.", bullets, hint)


def other_paths(frame: Any, path: Any) -> list[str]:
    """The other columns that also hold names of images."""
    return [
        str(column)
        for column in frame.columns
        if column != path and _all_match(frame[column], _is_picture, _SAMPLE_SIZE)
    ]


def label_column(frame: Any, path: Any) -> tuple[Any, Optional[str]]:
    """The column of labels: one with a usual name, or the only one besides ``path`` that holds no images and no parts
    of a data set; None, and a sentence, where it is not clear."""
    other_columns = [
        column
        for column in frame.columns
        if column != path and not _all_match(frame[column], _is_picture, _SAMPLE_SIZE)
    ]
    usual_column = _by_name(other_columns, _LABELS)
    if usual_column is None and len(other_columns) > 1:
        other_columns = [column for column in other_columns if not tells_parts(frame[column].tolist())]
    if usual_column is not None or len(other_columns) < 2:
        return (usual_column if usual_column is not None else next(iter(other_columns), None)), None
    text = f"Couldn't tell which column holds the labels. Columns: {_names(other_columns)}. "
    return None, text + f'Call it "label", or name it: {option("label")}.'


def unused_parts(frame: Any, used: Iterable[Any]) -> Optional[str]:
    """A sentence where a column beside those in use says which images are for training, and which for testing."""
    columns = [column for column in frame.columns if column not in list(used)]
    column = next((column for column in columns if tells_parts(frame[column].tolist())), None)
    if column is None:
        return None
    return f'Column "{column}" tells parts of a data set, and is not used. To use it: {option("split", str(column))}.'


def require(frame: Any, columns: Iterable[Any]) -> None:
    """Require that the data frame has these columns.

    Raises
    ------
    ArgumentError
        One is missing.
    """
    there = list(frame.columns)
    unknown = [column if isinstance(column, str) else value_text(column) for column in columns if column not in there]
    if unknown:
        raise ArgumentError("The data frame has no such column.", unknown, f"Its columns are {_names(frame.columns)}.")


def _by_name(columns: Sequence[Any], likely: Sequence[str]) -> Any:
    column_by_name = {str(column).lower(): column for column in reversed(columns)}
    return next((column_by_name[name] for name in likely if name in column_by_name), None)


def _names(columns: Iterable[Any]) -> str:
    return listing([*map(str, columns)], 30)


def _all_match(column: Any, check: Callable[[Any], bool], sample_size: int) -> bool:
    values = column.tolist()[:sample_size]
    return bool(values) and all(map(check, values))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_cell(value: Any) -> bool:
    return isinstance(value, Cell)


def _is_picture(value: Any) -> bool:
    return is_picture_name(value) if isinstance(value, str) else isinstance(value, (os.PathLike, PIL.Image.Image))
