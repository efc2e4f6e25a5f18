"""The parts of a data set (``train``, ``valid``, ``test``): folders beside each other that are no classes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import PurePath
from typing import NamedTuple, Optional

from .. import calls
from ..errors import LabelError
from ..words import bullets, file_name, listing
from .table import SUFFIXES as TABLES

_ROLES = {
    "train": "train training trn",
    "valid": "valid validation validate val dev development holdout eval evaluation",
    "test": "test testing tst",
}
_ROLE = {word: role for role, words in _ROLES.items() for word in words.split()}
_FILLERS = {
    *("set", "sets", "data", "dataset", "split", "splits", "part", "fold", "folder", "x"),
    *("image", "images", "img", "imgs", "picture", "pictures", "pic", "pics", "photo", "photos"),
    *("jpg", "jpeg", "png", "tif", "tiff"),
}
_GLUED = re.compile(rf"({'|'.join(sorted(_ROLE, key=len, reverse=True))})(sets?|data|dataset|images?|imgs?)")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

Files = Sequence[str]  # the pictures of a folder: names relative to it


class _Part(NamedTuple):
    """A folder whose name says which part of a data set it is; ``rest`` is what else the name says."""

    name: str
    role: str
    rest: tuple[str, ...]


def why_no_classes(root: str, classes: Mapping[str, Files], beside: Sequence[str]) -> Optional[LabelError]:
    """Why the folders inside ``root`` are no classes: they are parts of a data set, or hold the class folders.

    None where they are. The hint has the calls that do what was meant.

    Parameters
    ----------
    root
        The folder.
    classes
        The pictures of each folder in it.
    beside
        Names of the files directly in it.
    """
    full = {name: files for name, files in classes.items() if files}
    parts = _parts(full) or _folds(full)
    tables = sorted(name for name in beside if _may_hold_labels(name))
    if parts:
        return LabelError(
            f"The folders in {file_name(root)} are parts of a data set, not classes.",
            bullets([file_name(part.name) for part in parts]),
            "\n".join(_instead(root, full, parts, tables)),
        )
    if len(full) != 1:
        return None
    (name,) = full
    inside = _inside(full[name])
    text = f'All pictures have the same label, "{file_name(name)}". At least two classes are needed.'
    if len(inside) > 1:
        home = _home(root, name, full[name])
        deeper = why_no_classes(home, _within(full[name]), [])
        if deeper is not None:  # the parts of a data set, some folders further down
            return deeper
        hint = f"If these are the classes: {calls.written('train', home)}"
        return LabelError(text, [f"{file_name(name)} holds the folders {listing(inside)}"], hint)
    if tables:
        return LabelError(text, hint=f"If {file_name(tables[0])} has the labels: {_by_table(root, tables[0], name)}")
    return None


def nested(classes: Mapping[str, Files]) -> Optional[str]:
    """A sentence where several classes hold folders of the same names, which may have been meant as the classes."""
    inner = {name: set(_inside(files)) for name, files in classes.items() if files}
    common = set.intersection(*inner.values()) if len(inner) > 1 else set()
    if len(common) < 2:
        return None
    outer, names = listing(sorted(map(file_name, inner))), listing(sorted(map(file_name, common)))
    return f"The outer folders are the classes: {outer}. The folders inside them are not: {names}."


def _parts(full: Mapping[str, Files]) -> list[_Part]:
    """The folders that are parts: two of different roles and one rest; or ``train`` alone that holds the classes."""
    named = [part for part in map(_part, full) if part is not None]
    for part in named:
        alike = [other for other in named if other.rest == part.rest]
        if len({other.role for other in alike}) > 1:
            return alike
    bare = [part for part in named if not part.rest]
    for part in bare:
        deep = [name for name, files in full.items() if all("/" in below for below in files)]
        if deep == [part.name] and len(_inside(full[part.name])) > 1:
            return [part]
    return []


def _folds(full: Mapping[str, Files]) -> list[_Part]:
    """Folders such as ``fold1`` and ``fold2`` that hold the same classes."""
    numbered = all(_words(name) and set(_words(name)) <= _FILLERS for name in full)
    if not numbered or nested(full) is None:
        return []
    return [_Part(name, role, ()) for name, role in zip_longest(full, ("train", "valid"), fillvalue="") if name]


def _part(name: str) -> Optional[_Part]:
    words = [glued.group(1) if (glued := _GLUED.fullmatch(word)) else word for word in _words(name)]
    roles = [_ROLE[word] for word in words if word in _ROLE]
    rest = tuple(word for word in words if word not in _ROLE and word not in _FILLERS)
    return _Part(name, roles[0], rest) if len(set(roles)) == 1 else None


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _inside(files: Files) -> list[str]:
    """The folders that hold the pictures of a class folder: the first level at which there are several."""
    below = list(files)
    while below and all("/" in name for name in below):
        first = sorted({name.split("/", 1)[0] for name in below})
        if len(first) > 1:
            return [file_name(name) for name in first]
        below = [name.split("/", 1)[1] for name in below]
    return []


def _within(files: Files) -> dict[str, list[str]]:
    """The pictures of each folder at the first level at which there are several."""
    below = list(files)
    while len({name.split("/", 1)[0] for name in below}) == 1:
        below = [name.split("/", 1)[1] for name in below]
    classes: dict[str, list[str]] = {}
    for name in below:
        top, _, rest = name.partition("/")
        classes.setdefault(top, []).append(rest)
    return classes


def _home(root: str, name: str, files: Files) -> str:
    """The path of the folder itself, or, where it holds a single one, of that one, and so on."""
    path, below = PurePath(root) / name, list(files)
    while below and all("/" in name for name in below) and len({name.split("/", 1)[0] for name in below}) == 1:
        path /= below[0].split("/", 1)[0]
        below = [name.split("/", 1)[1] for name in below]
    return file_name(str(path))


def _instead(root: str, full: Mapping[str, Files], parts: Sequence[_Part], tables: Sequence[str]) -> list[str]:
    """The calls that train on one part and measure on the others."""
    of = {part.role: part.name for part in reversed(parts)}
    train = of.pop("train", None) or of.pop(next(iter(of)))
    if not _inside(full[train]):
        table = next((name for name in tables if "train" in _words(name)), next(iter(tables), None))
        if table is None:
            return [f"There are no class folders in {file_name(train)}: give the labels as a table."]
        return [f"If {file_name(table)} has the labels: {_by_table(root, table, train)}"]
    where = {role: _home(root, name, full[name]) for role, name in of.items() if _inside(full[name])}
    aside = {"valid": where["valid"]} if "valid" in where else {}
    lines = [calls.written("train", _home(root, train, full[train]), **aside)]
    if "test" in where:
        lines.append(calls.written("evaluate", where["test"]))
    elif "test" in of:
        lines.append(calls.written("predict", file_name(str(PurePath(root) / of["test"]))))
    return lines


def _may_hold_labels(name: str) -> bool:
    """Whether it is a table, and none of answers to be handed in; a text file, where its name says so."""
    words, suffix = set(_words(name)), PurePath(name).suffix.lower()
    if suffix == ".txt":
        return bool({"train", "label", "labels", "annotations"} & words)
    return suffix in TABLES and not {"submission", "test"} & words


def _by_table(root: str, table: str, folder: str) -> str:
    return calls.written("train", file_name(str(PurePath(root) / table)), root=file_name(str(PurePath(root) / folder)))
