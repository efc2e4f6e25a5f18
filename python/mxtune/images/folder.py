"""The pictures in a folder: which files count, and which class folder each lies in."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Optional

from ..errors import LabelError
from ..words import file_name

_SYSTEM = {
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "icon\r",
    "__macosx",
    "@eadir",
    "$recycle.bin",
    "lost+found",
}
_SPLITS = {"train", "training", "valid", "validation", "val", "test", "testing", "dev", "holdout"}


class Folder(NamedTuple):
    """What lies in a folder: file names relative to it, the class of each (or no classes), all classes."""

    names: list[str]
    paths: list[str]
    labels: Optional[list[Optional[str]]]
    levels: list[str]


def look_into(root: Path, recursive: bool) -> Folder:
    """The files of a folder, sorted by name; hidden and system files are left out.

    Folders directly inside ``root`` that hold files are the classes, whatever lies deeper in them; beside
    such folders a picture outside of them has no class. ``recursive`` takes every file at any
    depth, without classes.

    Raises
    ------
    LabelError
        The folder holds ``train`` and ``test`` folders rather than classes.
    """
    here, inside = _entries(str(root))
    above = frozenset({_identity(str(root))})
    found = [(name, str(root / name)) for name in here]
    if recursive:
        for name in inside:
            found += [(f"{name}/{below}", path) for below, path in _walk(str(root / name), above)]
        return _sorted(found, None, [])
    classes = {name: list(_walk(str(root / name), above)) for name in inside}
    if not any(classes.values()):
        return _sorted(found, None, [])
    _refuse_splits(root, classes, found)
    from .sniff import is_picture_name

    # Beside class folders, papers such as a licence or a table of labels are no pictures without a class.
    labelled: list[tuple[str, str, Optional[str]]] = [(n, p, None) for n, p in found if is_picture_name(n)]
    for name, files in classes.items():
        labelled += [(f"{name}/{below}", path, unicodedata.normalize("NFC", file_name(name))) for below, path in files]
    labelled.sort()
    return Folder(
        [file_name(name) for name, _, _ in labelled],
        [path for _, path, _ in labelled],
        [label for _, _, label in labelled],
        sorted({unicodedata.normalize("NFC", file_name(name)) for name in classes}),
    )


def ignored(name: str) -> bool:
    """Whether a file or folder belongs to the system or is hidden."""
    return name.startswith(".") or name.lower() in _SYSTEM


def _sorted(found: list[tuple[str, str]], labels: Optional[list[Optional[str]]], levels: list[str]) -> Folder:
    found.sort()
    return Folder([file_name(name) for name, _ in found], [path for _, path in found], labels, levels)


def _entries(folder: str) -> tuple[list[str], list[str]]:
    """The names of files and of folders in a folder, links followed."""
    files: list[str] = []
    folders: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if not ignored(entry.name):
                try:
                    folder_too = entry.is_dir()
                except OSError:  # a link to itself; as a file it will be named
                    folder_too = False
                (folders if folder_too else files).append(entry.name)
    return sorted(files), sorted(folders)


def _identity(folder: str) -> tuple[int, int]:
    status = os.stat(folder)  # noqa: PTH116 - os.path throughout: names may be no text
    return status.st_dev, status.st_ino


def _walk(folder: str, above: frozenset[tuple[int, int]]) -> Iterator[tuple[str, str]]:
    """Every file at any depth, as (relative name, path); a link back up is not followed."""
    identity = _identity(folder)
    if identity in above:
        return
    files, folders = _entries(folder)
    for name in files:
        yield name, os.path.join(folder, name)  # noqa: PTH118
    for name in folders:
        for below, path in _walk(os.path.join(folder, name), above | {identity}):  # noqa: PTH118
            yield f"{name}/{below}", path


def _refuse_splits(root: Path, classes: dict[str, list[tuple[str, str]]], found: list[tuple[str, str]]) -> None:
    splits = [name for name, files in classes.items() if files]
    nested = all("/" in below for files in classes.values() for below, _ in files)
    if len(splits) > 1 and not found and nested and {name.lower() for name in splits} <= _SPLITS:
        first = file_name(str(root / splits[0]))
        raise LabelError(
            "The folders are parts of a data set, not classes.",
            [file_name(name) for name in splits],
            f'Use one part at a time, such as "{first}".',
        )
