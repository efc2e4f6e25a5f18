"""Labels that have names -- a dict of files, a series, a table with an index -- in the order of the images."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from ..errors import LabelError
from ..words import bullets, counted

_BY_INDEX = "The labels are matched to the images by their index."
_BY_NAME = "The labels are matched to the images by name."
_BY_PLACE = "The names or the index of the labels don't match the images: labels are taken in the order given."


def matched(
    y: Any, names: Sequence[str], files: Sequence[Optional[str]], index: Any = None
) -> tuple[Any, Optional[str]]:
    """The labels, one per image in their order, and a sentence on how they were matched, where that may surprise.

    Parameters
    ----------
    y
        Labels of any kind; those without names are taken as they are.
    names, files
        Those of the images, as in `Source`.
    index
        That of the data frame or series that held the images, or None.

    Raises
    ------
    LabelError
        Images have no label under their name, or names don't fit.
    """
    if isinstance(y, Mapping):
        rows = _rows_by_name(list(y), names, files)
        if rows is None:
            raise LabelError("The names of the labels don't match the images.", _first_few(y), _first_picture(names))
        labels = list(y.values())
        return [labels[row] for row in rows], _unused_labels(len(y), rows)
    if not hasattr(y, "iloc") or len(y) == 0:
        return y, None
    return _of_pandas(y, names, files, index)


def _of_pandas(y: Any, names: Sequence[str], files: Sequence[Optional[str]], index: Any) -> tuple[Any, Optional[str]]:
    if index is not None and y.index.equals(index):
        return y, None
    if index is not None and y.index.is_unique and index.is_unique and index.isin(y.index).all():
        return y.loc[index], _BY_INDEX
    if y.index.is_unique and all(isinstance(name, (str, os.PathLike)) for name in y.index):
        rows = _rows_by_name(list(y.index), names, files)
        if rows is not None:
            return (
                (y, None) if rows == list(range(len(y))) else (y.iloc[rows], _unused_labels(len(y), rows) or _BY_NAME)
            )
    if index is None or _is_count(y.index) or _is_count(index):
        return y, None if _is_count(y.index) and (index is None or _is_count(index)) else _BY_PLACE
    hint = "Give them the same index, or the labels as a list to take them in order."
    raise LabelError("The labels and the data frame have different indices.", _first_few(y.index), hint)


def _rows_by_name(keys: Sequence[Any], names: Sequence[str], files: Sequence[Optional[str]]) -> Optional[list[int]]:
    """The row of each image's label; None if no image has one."""
    texts = [_composed(os.fspath(key)) if isinstance(key, (str, os.PathLike)) else str(key) for key in keys]
    lookups = (
        ({text: row for row, text in enumerate(texts)}, map(_composed, names)),
        ({_absolute(text): row for row, text in enumerate(texts)}, (file and _composed(file) for file in files)),
        (_rows_of_unique(map(os.path.basename, texts)), _unique_or_none(map(os.path.basename, map(_composed, names)))),
    )
    rows: list[Optional[int]] = [None] * len(names)
    for row_by_text, picture_texts in lookups:
        for row, name in enumerate(picture_texts):
            if rows[row] is None and name is not None:
                rows[row] = row_by_text.get(name)
    if all(row is None for row in rows):
        return None
    unlabelled = [name for name, row in zip(names, rows) if row is None]
    if unlabelled:
        verb = "has" if len(unlabelled) == 1 else "have"
        text = f"{counted(len(unlabelled), 'image')} {verb} no label."
        raise LabelError(text, bullets(unlabelled, 100), "Labels are matched by name: there are none for these.")
    return [row for row in rows if row is not None]


def _rows_of_unique(texts: Iterable[str]) -> dict[str, int]:
    """The rows of the texts that occur once."""
    return {text: row for row, text in enumerate(_unique_or_none(texts)) if text is not None}


def _unique_or_none(texts: Iterable[str]) -> list[Optional[str]]:
    all_texts = list(texts)
    counts: dict[str, int] = {}
    for text in all_texts:
        counts[text] = counts.get(text, 0) + 1
    return [text if counts[text] == 1 else None for text in all_texts]


def _unused_labels(given: int, rows: Sequence[int]) -> Optional[str]:
    unused = given - len(set(rows))
    return f"{counted(unused, 'label belongs', 'labels belong')} to no image here." if unused else None


def _is_count(index: Any) -> bool:
    """Whether an index is pandas' own count of the rows, which names nothing."""
    return type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1


def _first_few(keys: Iterable[Any]) -> list[str]:
    return bullets([str(key) for key in keys], 3)


def _first_picture(names: Sequence[str]) -> str:
    return f"The first image is {names[0]}."


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _absolute(text: str) -> str:
    return os.path.abspath(os.path.expanduser(text))  # noqa: PTH100, PTH111 - links stay, as in `Source.files`
