"""Values that have names -- a dict of files, a series, a table with an index -- in the order of the images."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Optional

from ..calls import in_r
from ..errors import ArgumentError, LabelError, MxtuneError
from ..words import bullets, counted


class Kind(NamedTuple):
    """What the values are called; what is raised where they don't fit; whether the order may decide for other names."""

    one: str
    many: str
    error: type[MxtuneError]
    by_place: bool = False

    @classmethod
    def of(cls, argument: str) -> Kind:
        """The values of an argument beside the labels, such as `groups`: where names don't fit, they are refused."""
        return cls(f"value of `{argument}`", f"values of `{argument}`", ArgumentError)


LABELS = Kind("label", "labels", LabelError, by_place=True)


def matched(
    values: Any, names: Sequence[str], files: Sequence[Optional[str]], index: Any = None, kind: Kind = LABELS
) -> tuple[Any, Optional[str]]:
    """The values, one per image in their order, and a sentence on how they were matched, where that may surprise.

    Parameters
    ----------
    values
        Of any type; those without names are taken as they are.
    names, files
        Those of the images, as in `Source`.
    index
        That of the data frame or series that held the images, or None.

    Raises
    ------
    LabelError, ArgumentError
        Images have no value under their name, or names don't fit: as ``kind`` has it.
    """
    if isinstance(values, Mapping):
        rows = _rows_by_name(list(values), names, files, kind)
        if rows is None:
            text = f"The names of the {kind.many} don't match the images."
            raise kind.error(text, _first_few(values), _first_picture(names))
        in_order = list(values.values())
        return [in_order[row] for row in rows], _unused(len(values), rows, kind)
    if not hasattr(values, "iloc") or len(values) == 0:
        return values, None
    return _of_pandas(values, names, files, index, kind)


def _of_pandas(
    values: Any, names: Sequence[str], files: Sequence[Optional[str]], index: Any, kind: Kind
) -> tuple[Any, Optional[str]]:
    own_index = values.index
    if index is not None and own_index.equals(index):
        return values, None
    if index is not None and own_index.is_unique and index.is_unique and index.isin(own_index).all():
        return values.loc[index], f"The {kind.many} are matched to the images by their index."
    if own_index.is_unique and all(isinstance(name, (str, os.PathLike)) for name in own_index):
        rows = _rows_by_name(list(own_index), names, files, kind)
        if rows is not None:
            by_name = f"The {kind.many} are matched to the images by name."
            in_order = rows == list(range(len(values)))
            return values.iloc[rows], None if in_order else _unused(len(values), rows, kind) or by_name
    uncounted = [each for each in (own_index, index) if each is not None and not _is_count(each)]
    if not uncounted:
        return values, None
    if kind.by_place and (index is None or len(uncounted) == 1):
        text = f"The names or the index of the {kind.many} don't match the images"
        return values, f"{text}: {kind.many} are taken in the order given."
    if not own_index.is_unique:
        twice = list(dict.fromkeys(map(str, own_index[own_index.duplicated()])))
        raise kind.error(f"Several {kind.many} have one name.", bullets(twice, 3))
    unnaming = "unname() takes them in order" if in_r() else ".tolist() takes them in order"
    if index is None:
        text = f"The names or the index of the {kind.many} don't match the images."
        raise kind.error(text, _first_few(own_index), f"{_first_picture(names)} {unnaming}.")
    hint = f"Give them the same index; {unnaming}."
    raise kind.error(f"The {kind.many} and the data frame have different indices.", _first_few(own_index), hint)


def _rows_by_name(
    keys: Sequence[Any], names: Sequence[str], files: Sequence[Optional[str]], kind: Kind
) -> Optional[list[int]]:
    """The row of each image's value; None if no image has one."""
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
    without = [name for name, row in zip(names, rows) if row is None]
    if without:
        verb = "has" if len(without) == 1 else "have"
        text = f"{counted(len(without), 'image')} {verb} no {kind.one}."
        hint = f"The {kind.many} are matched by name: there are none for these."
        raise kind.error(text, bullets(without, 100), hint)
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


def _unused(given: int, rows: Sequence[int], kind: Kind) -> Optional[str]:
    unused = given - len(set(rows))
    subject = counted(unused, f"{kind.one} belongs", f"{kind.many} belong")
    return f"{subject} to no image here." if unused else None


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
