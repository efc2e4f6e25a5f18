"""The images in a folder: which files count, and which class folder each lies in."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional, TypeVar

from ..errors import LabelError
from ..words import file_name
from .parts import nested, why_not_classes
from .picture import UnreadableError
from .sniff import holds_picture, ignored, is_picture_name, is_unread_name
from .stored import Stored

Item = TypeVar("Item")


class Folder(NamedTuple):
    """What lies in a folder: names relative to it, what opens each, the class of each (or None), all classes.

    ``passed_over`` are files that are not images; ``refusal`` is why its folders are not classes; ``remark`` is a
    sentence on what may surprise.
    """

    names: list[str]
    items: list[Any]
    labels: Optional[list[Optional[str]]] = None
    levels: Sequence[str] = ()
    passed_over: Sequence[str] = ()
    refusal: Optional[LabelError] = None
    remark: Optional[str] = None


def look_into(root: Path, recursive: bool) -> Folder:
    """The images of a folder, sorted by name; hidden and system files, and files that are not images, are left out.

    Folders directly inside ``root`` that hold images are the classes, whatever lies deeper in them; next to
    such folders an image outside them has no class. ``recursive`` takes every file at any
    depth, without classes.
    """
    files, folders = _entries(str(root))
    above = frozenset({_identity(str(root))})
    entries = [(name, str(root / name)) for name in files]
    for name in folders:
        entries += [(f"{name}/{below}", path) for below, path in _walk(str(root / name), above)]
    return _arranged(str(root), sorted(entries), folders, recursive, _is_not_picture)


def of_members(place: str, members: Mapping[str, Stored], recursive: bool) -> Folder:
    """As `look_into`, of what an archive or an address holds, by name."""
    folders = sorted({name.split("/", 1)[0] for name in members if "/" in name})
    return _arranged(place, sorted(members.items()), folders, recursive, _holds_no_picture)


def of_archive(place: str, members: Mapping[str, Stored], recursive: bool) -> Folder:
    """As `of_members`, of a whole archive, in which a folder that holds everything else does not count."""
    while members and all("/" in name for name in members):
        tops = {name.split("/", 1)[0] for name in members}
        if len(tops) > 1 or not any("/" in name.split("/", 1)[1] for name in members):
            break
        place = f"{place}/{tops.pop()}"
        members = {name.split("/", 1)[1]: member for name, member in members.items()}
    return of_members(place, members, recursive)


def _arranged(
    root: str,
    entries: Sequence[tuple[str, Item]],
    folders: Sequence[str],
    recursive: bool,
    is_not_picture: Callable[[Item], bool],
) -> Folder:
    """The files of a folder or an archive, as (relative name, what opens it), sorted: images and their classes."""
    not_pictures = {name for name, item in entries if is_not_picture(item)}
    pictures = [(name, item) for name, item in entries if name not in not_pictures]
    names, items = [file_name(name) for name, _ in pictures], [item for _, item in pictures]
    passed_over = [file_name(name) for name in sorted(not_pictures)]
    if recursive or not any("/" in name for name, _ in pictures):
        return Folder(names, items, passed_over=passed_over)
    classes: dict[str, list[str]] = {name: [] for name in folders}
    for name, _ in pictures:
        top, slash, rest = name.partition("/")
        if slash:
            classes[top].append(rest)
    return Folder(
        names,
        items,
        [_class_name(name.partition("/")[0]) if "/" in name else None for name, _ in pictures],
        sorted({_class_name(name) for name in classes}),
        passed_over,
        why_not_classes(root, classes, [name for name, _ in entries if "/" not in name]),
        nested(classes),
    )


def _class_name(folder: str) -> str:
    return unicodedata.normalize("NFC", file_name(folder))


def _holds_no_picture(stored: Stored) -> bool:
    """Whether neither the name nor the first bytes of what is no file of the disk are an image's."""
    if is_picture_name(os.fspath(stored)) or is_unread_name(os.fspath(stored)):
        return False
    try:
        return not holds_picture(stored.read(512))
    except UnreadableError:
        return True


def _is_not_picture(path: str) -> bool:
    """Whether neither the name nor the first bytes of a file are an image's; what can't be opened may be one."""
    if is_picture_name(path) or is_unread_name(path):
        return False
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - a pipe would wait for ever
            return True
        with open(path, "rb") as file:  # noqa: PTH123
            return not holds_picture(file.read(512))
    except (OSError, ValueError):
        return False


def _entries(folder: str) -> tuple[list[str], list[str]]:
    """The names of files and of folders in a folder, links followed."""
    files: list[str] = []
    folders: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if not ignored(entry.name):
                try:
                    is_folder = entry.is_dir()
                except OSError:  # a link to itself; as a file it will be named
                    is_folder = False
                (folders if is_folder else files).append(entry.name)
    return sorted(files), sorted(folders)


def _identity(folder: str) -> tuple[int, int]:
    status = os.stat(folder)  # noqa: PTH116 - os.path throughout: names may be no text
    return status.st_dev, status.st_ino


def _walk(folder: str, ancestors: frozenset[tuple[int, int]]) -> Iterator[tuple[str, str]]:
    """Every file at any depth, as (relative name, path); a link back up is not followed."""
    identity = _identity(folder)
    if identity in ancestors:
        return
    files, folders = _entries(folder)
    for name in files:
        yield name, os.path.join(folder, name)  # noqa: PTH118
    for name in folders:
        for below, path in _walk(os.path.join(folder, name), ancestors | {identity}):  # noqa: PTH118
            yield f"{name}/{below}", path
