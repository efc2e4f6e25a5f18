"""The parts of a data set (``train``, ``valid``, ``test``): sibling folders that are not classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import PurePath
from typing import NamedTuple, Optional

from .. import calls
from ..errors import LabelError
from ..words import bullets, file_name, listing
from .roles import FILLERS, ROLE_WORDS, role_in, tells_parts, words_in
from .stored import is_address
from .table import SUFFIXES as TABLES

Files = Sequence[str]  # the images of a folder: names relative to it


class _Part(NamedTuple):
    """A folder named as part of a data set; ``rest`` is the remainder of its name."""

    name: str
    role: str
    rest: tuple[str, ...]


def why_not_classes(root: str, classes: Mapping[str, Files], beside: Sequence[str]) -> Optional[LabelError]:
    """Why the folders inside ``root`` are not classes: they are parts of a data set, or hold the class folders.

    None where they are classes. The hint has the calls that do what was meant.

    Parameters
    ----------
    root
        The folder.
    classes
        The images of each folder in it.
    beside
        Names of the files directly in it.
    """
    non_empty = {name: files for name, files in classes.items() if files}
    parts = _parts(non_empty) or _folds(non_empty)
    tables = sorted(name for name in beside if _may_hold_labels(name))
    if parts:
        return LabelError(
            f"The folders in {file_name(root)} are parts of a data set, not classes.",
            bullets([file_name(part.name) for part in parts]),
            "\n".join(_suggested_calls(root, non_empty, parts, tables)),
        )
    if len(non_empty) != 1:
        return None
    (name,) = non_empty
    subfolders = _subfolders(non_empty[name])
    text = f'All images have the same label, "{file_name(name)}". At least two classes are needed.'
    if len(subfolders) > 1:
        home = _class_home(root, name, non_empty[name])
        inner_reason = why_not_classes(home, _pictures_by_subfolder(non_empty[name]), [])
        if inner_reason is not None:  # the parts of a data set, some folders further down
            return inner_reason
        hint = f"If these are the classes: {calls.written('train', home)}"
        return LabelError(text, [f"{file_name(name)} holds the folders {listing(subfolders)}"], hint)
    if tables:
        return LabelError(text, hint=f"If {file_name(tables[0])} has the labels: {_by_table(root, tables[0], name)}")
    return None


def nested(classes: Mapping[str, Files]) -> Optional[str]:
    """A sentence, if classes hold several folders, which may have been meant as the classes, or as parts."""
    inner = {name: _subfolders(files) for name, files in classes.items() if files}
    names = sorted({folder for folders in inner.values() for folder in folders})
    if len(inner) < 2 or not names:
        return None
    text = f"The outer folders are the classes: {listing(sorted(map(file_name, inner)))}."
    if tells_parts(names):
        return f"{text} What is in {listing(names)} is taken together: `split` keeps it apart."
    return f"{text} The folders inside them are not: {listing(names)}."


def _share_folders(classes: Mapping[str, Files]) -> bool:
    """Whether all hold several folders of the same names."""
    inner = [set(_subfolders(files)) for files in classes.values()]
    return len(inner) > 1 and len(set.intersection(*inner)) > 1


def _parts(non_empty: Mapping[str, Files]) -> list[_Part]:
    """The folders that are parts: two of different roles and one rest; or ``train`` alone that holds the classes."""
    known_parts = [part for part in map(_part, non_empty) if part is not None]
    for part in known_parts:
        siblings = [other for other in known_parts if other.rest == part.rest]
        if len({other.role for other in siblings}) > 1:
            return siblings
    plain_parts = [part for part in known_parts if not part.rest]
    for part in plain_parts:
        nested_folders = [name for name, files in non_empty.items() if all("/" in below for below in files)]
        if nested_folders == [part.name] and len(_subfolders(non_empty[part.name])) > 1:
            return [part]
    return []


def _folds(non_empty: Mapping[str, Files]) -> list[_Part]:
    """Folders such as ``set1`` and ``set2``, ``dev`` and ``eval`` that hold the same classes; ``fold1``, ``fold2``."""
    words = [set(words_in(name)) for name in non_empty]
    are_folds = len(words) > 1 and all("fold" in own and own <= FILLERS for own in words)
    are_parts = all(own and own <= FILLERS | ROLE_WORDS for own in words) and _share_folders(non_empty)
    if not are_folds and not are_parts:
        return []
    return [_Part(name, role, ()) for name, role in zip_longest(non_empty, ("train", "valid"), fillvalue="") if name]


def _part(name: str) -> Optional[_Part]:
    role = role_in(name)
    return None if role is None else _Part(name, *role)


def _subfolders(files: Files) -> list[str]:
    """The folders that hold the images of a class folder: the first level at which there are several."""
    names = list(files)
    while names and all("/" in name for name in names):
        folders = sorted({name.split("/", 1)[0] for name in names})
        if len(folders) > 1:
            return [file_name(name) for name in folders]
        names = [name.split("/", 1)[1] for name in names]
    return []


def _pictures_by_subfolder(files: Files) -> dict[str, list[str]]:
    """The images of each folder at the first level at which there are several."""
    names = list(files)
    while len({name.split("/", 1)[0] for name in names}) == 1:
        names = [name.split("/", 1)[1] for name in names]
    classes: dict[str, list[str]] = {}
    for name in names:
        top, _, rest = name.partition("/")
        classes.setdefault(top, []).append(rest)
    return classes


def _class_home(root: str, name: str, files: Files) -> str:
    """The path of the folder itself, or, where it holds a single one, of that one, and so on."""
    inside, names = [name], list(files)
    while names and all("/" in name for name in names) and len({name.split("/", 1)[0] for name in names}) == 1:
        inside.append(names[0].split("/", 1)[0])
        names = [name.split("/", 1)[1] for name in names]
    return _below(root, *inside)


def _below(root: str, *names: str) -> str:
    """The path of what lies in a folder, or its address."""
    return "/".join([root, *names]) if is_address(root) else file_name(str(PurePath(root, *names)))


def _suggested_calls(
    root: str, non_empty: Mapping[str, Files], parts: Sequence[_Part], tables: Sequence[str]
) -> list[str]:
    """The calls that train on one part and measure on the others."""
    name_of_role = {part.role: part.name for part in reversed(parts)}
    train = name_of_role.pop("train", None) or name_of_role.pop(next(iter(name_of_role)))
    if not _subfolders(non_empty[train]):
        table = next((name for name in tables if "train" in words_in(name)), next(iter(tables), None))
        if table is None:
            return [f"There are no class folders in {file_name(train)}: give the labels as a table."]
        return [f"If {file_name(table)} has the labels: {_by_table(root, table, train)}"]
    home_of_role = {
        role: _class_home(root, name, non_empty[name])
        for role, name in name_of_role.items()
        if _subfolders(non_empty[name])
    }
    validation = {"valid": home_of_role["valid"]} if "valid" in home_of_role else {}
    lines = [calls.written("train", _class_home(root, train, non_empty[train]), **validation)]
    if "test" in home_of_role:
        lines.append(calls.written("evaluate", home_of_role["test"]))
    elif "test" in name_of_role:
        lines.append(calls.written("predict", _below(root, name_of_role["test"])))
    return lines


def _may_hold_labels(name: str) -> bool:
    """Whether it is a table, and none of answers to be handed in; a text file, where its name says so."""
    words, suffix = set(words_in(name)), PurePath(name).suffix.lower()
    if suffix == ".txt":
        return bool({"train", "label", "labels", "annotations"} & words)
    return suffix in TABLES and not {"submission", "test"} & words


def _by_table(root: str, table: str, folder: str) -> str:
    return calls.written("train", _below(root, table), root=_below(root, folder))
