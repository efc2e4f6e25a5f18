"""Where the files lie that a list or a table names: paths of another folder, without ending, with other separators."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Optional, Union

from .. import calls
from ..errors import PictureError
from ..words import counted, file_name, listing
from .archive import Archive, Member
from .sniff import is_picture_name

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_LONG = 1024  # characters: no path that anyone writes
_SEARCHED = 50_000  # files looked at for a hint


Place = Union[Path, Archive]
Listings = dict[str, dict[str, list[str]]]


class Located(NamedTuple):
    """The file of each path (as it was given where there is none), and what was done to find them."""

    files: list[Union[str, Member]]
    remarks: tuple[str, ...] = ()


def locate(paths: Sequence[str], folders: Sequence[Place], strict: bool) -> Located:
    """The files that these paths mean, all relative to one of these folders: that with most of them.

    A path that is not there as it stands is tried with ``/`` for ``\\``, without regard to case, and with the
    ending of the only picture of its name.

    Parameters
    ----------
    paths
        As a user wrote them.
    folders
        Where they may start, the likeliest first.
    strict
        Whether it is an error if there are several and none is found.

    Raises
    ------
    PictureError
        None is there; it says where they were looked for.
    """
    best: tuple[int, list[Optional[Union[str, Member]]], Place] = (-1, [], Path())
    for folder in folders:
        find = _finder(folder)
        found = [find(path) for path in paths]
        n = sum(file is not None for file in found)
        if n > best[0]:
            best = (n, found, folder)
        if n == len(paths):
            break
    n, found, folder = best
    if n == 0 and strict and not any(map(what_it_is, paths)):
        raise _none_found(paths, folders)
    files = [path if file is None else file for path, file in zip(paths, found)]
    return Located(files, _remarks(paths, [os.fspath(file) for file in files], folder, n))


def is_there(path: str, folders: Sequence[Place]) -> bool:
    """Whether one of these folders has the file; see `locate`."""
    return any(_finder(folder)(path) is not None for folder in folders)


def what_it_is(text: str) -> Optional[str]:
    """What a text is that can be no path: an address, a picture as text, a long text. None where it may be one."""
    if text.startswith("data:image/") or re.match(r"(iVBORw0KGgo|/9j/4|R0lGOD|UklGR)[A-Za-z0-9+/]{40}", text):
        return "a picture as base64 text, not a path: decode it to bytes first"
    if _ADDRESS.match(text):
        return "an address, not a file: download it first"
    if len(text) > _LONG or "\n" in text:
        return f"a text of {len(text):,} characters, not a path"
    return None


def shortened(text: str) -> str:
    """A text for a message: whole, as a path or an address is, or its beginning."""
    return text if len(text) <= _LONG and "\n" not in text else f"{text[:60].splitlines()[0]}..."


def _finder(folder: Place) -> Callable[[str], Optional[Union[str, Member]]]:
    if isinstance(folder, Path):
        start, listings = "" if folder == Path() else str(folder), Listings()
        return lambda path: _find(start, path, listings)
    members = folder.members()
    names = _keyed(members)

    def found(path: str) -> Optional[Member]:
        name = path.replace("\\", "/")
        candidates = [name] if name in members else names.get(_key(name.removeprefix("./")), [])
        return members[candidates[0]] if len(candidates) == 1 else None

    return found


def _find(folder: str, path: str, listings: Listings) -> Optional[str]:
    if len(path) > _LONG or "\0" in path or _ADDRESS.match(path):
        return None
    whole = os.path.join(folder, path)  # noqa: PTH118 - names may be no text
    if os.path.exists(whole):  # noqa: PTH110
        return whole
    turned = whole.replace("\\", "/")
    if turned != whole and os.path.exists(turned):  # noqa: PTH110
        return turned
    home, name = os.path.split(turned)
    if not name:
        return None
    if home not in listings:
        listings[home] = _listing(home)
    candidates = listings[home].get(_key(name), [])
    return os.path.join(home, candidates[0]) if len(candidates) == 1 else None  # noqa: PTH118


def _listing(folder: str) -> dict[str, list[str]]:
    try:
        return _keyed(os.listdir(folder or os.curdir))  # noqa: PTH208
    except OSError:
        return {}


def _keyed(names: Iterable[str]) -> dict[str, list[str]]:
    """Files by name, and pictures by name without ending; case and Unicode's form do not count."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(_key(name), []).append(name)
        stem = os.path.splitext(name)[0]  # noqa: PTH122
        if is_picture_name(name) and not is_picture_name(stem):
            found.setdefault(_key(stem), []).append(name)
    return found


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _remarks(paths: Sequence[str], files: Sequence[str], folder: Place, n: int) -> tuple[str, ...]:
    if not n:
        return ()
    remarks = []
    if folder != Path() and any(not os.path.isabs(path) for path in paths):  # noqa: PTH117
        remarks.append(f"Paths are relative to {file_name(str(folder))}.")
    other = [(path, file) for path, file in zip(paths, files) if _name(path) != _name(file)]
    if other:
        path, file = other[0]
        example = f"{file_name(path)} to {file_name(_name(file))}"
        remarks.append(f"Matched {counted(len(other), 'path')} to files of a different spelling, such as {example}.")
    return tuple(remarks)


def _name(path: str) -> str:
    return re.split(r"[\\/]", path)[-1]


def _none_found(paths: Sequence[str], folders: Sequence[Place]) -> PictureError:
    looked = listing([file_name(os.path.abspath(str(folder))) for folder in folders])  # noqa: PTH100
    start = _start(paths[0], folders[0]) if isinstance(folders[0], Path) else None
    if start is None:
        hint = f"Give the folder that they start from: {calls.option('root')}."
    else:
        hint = f"They start from another folder: {calls.option('root', file_name(str(start)))}."
    return PictureError(
        f"None of the {len(paths):,} files was found." if len(paths) > 1 else "The file was not found.",
        [f"the first is {file_name(paths[0])}", f"looked in {looked}"],
        hint,
    )


def _start(path: str, folder: Path) -> Optional[Path]:
    """The folder below ``folder`` in which a path is, if there is one."""
    parts = [part for part in re.split(r"[\\/]", path) if part not in ("", ".")]
    wanted = {_key(parts[-1])} if parts else set()
    for home, name in islice(_below(folder), _SEARCHED):
        if {_key(name), _key(Path(name).stem)} & wanted:
            start = Path(home)
            for part in reversed(parts[:-1]):
                if _key(start.name) != _key(part):
                    break
                start = start.parent
            else:
                return start
    return None


def _below(folder: Path) -> Iterator[tuple[str, str]]:
    for home, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            yield home, name
