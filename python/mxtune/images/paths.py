"""Finds the files that a list or a table names: in another folder, without extension, with other separators."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Optional, Union

from .. import calls
from ..errors import PictureError
from ..words import counted, file_name, listing
from .address import Remote
from .archive import Archive, Member, member_at
from .sniff import is_picture_name
from .stored import Absent, Stored, is_address

_LONG = 1024  # characters: no path that anyone writes
_SEARCHED = 50_000  # files looked at for a hint


Place = Union[Path, Archive, Remote]
Found = Union[str, Stored]
Listings = dict[str, dict[str, list[str]]]


class Located(NamedTuple):
    """The file of each path (as it was given where there is none), and what was done to find them."""

    files: list[Found]
    remarks: tuple[str, ...] = ()


def locate(paths: Sequence[str], folders: Sequence[Place], strict: bool) -> Located:
    """The files that these paths mean, all relative to one of these folders: that with most of them.

    A path that is not there as it stands is tried with ``/`` for ``\\``, without regard to case, and with the
    extension of the only image of its name.

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
        None was found (the error names the folders that were searched), or none is a path at all.
    """
    best_match: tuple[int, list[Optional[Found]], Place] = (-1, [], Path())
    for folder in folders:
        find = _finder(folder)
        matches = [find(path) for path in paths]
        match_count = sum(file is not None for file in matches)
        if match_count > best_match[0]:
            best_match = (match_count, matches, folder)
        if match_count == len(paths):
            break
    match_count, matches, folder = best_match
    if match_count == 0 and strict:
        reasons = list(map(why_not_a_path, paths))
        if all(reasons) and paths:
            first = f"the first is {shortened(paths[0])}: {reasons[0]}"
            error = PictureError(f"None of the {len(paths):,} paths leads to a file.", [first])
            error.files = tuple((path, str(reason)) for path, reason in zip(paths, reasons))
            raise error
        if not any(reasons):
            raise _none_found(paths, folders)
    lacking = str if isinstance(folder, Path) else Absent  # what an archive or an address lacks is no file of the disk
    files = [lacking(path) if file is None else file for path, file in zip(paths, matches)]
    return Located(files, _remarks(paths, [os.fspath(file) for file in files], folder, match_count))


def is_there(path: str, folders: Sequence[Place]) -> bool:
    """Whether one of these folders has the file; see `locate`."""
    return any(_finder(folder)(path) is not None for folder in folders)


def as_in_table(file: Optional[str], name: str, folder: Path) -> str:
    """The path of an image as a table in ``folder`` has it: relative to it where the file is within; the image's name
    where there is no file."""
    if file is None:
        return name
    try:
        return Path(file).relative_to(folder.absolute()).as_posix()
    except ValueError:
        return file


def why_not_a_path(text: str) -> Optional[str]:
    """Why a text can't be a path: it is an address, an image as text, a long text. None where it may be one."""
    if text.startswith("data:image/") or re.match(r"(iVBORw0KGgo|/9j/4|R0lGOD|UklGR)[A-Za-z0-9+/]{40}", text):
        return "an image as base64 text, not a path: decode it to bytes first"
    if is_address(text):
        return "an address, not a file: download it first, or name the folder that all are in as `root`"
    if len(text) > _LONG or "\n" in text:
        return f"a text of {len(text):,} characters, not a path"
    return None


def whole_path(file: Union[str, os.PathLike[str]]) -> str:
    """Where a file is, from the root of the disk, with its links; an address as it is."""
    return os.fspath(file) if isinstance(file, Stored) else os.path.abspath(file)  # noqa: PTH100


def shortened(text: str) -> str:
    """A text for a message: whole, as a path or an address is, or its beginning."""
    return text if len(text) <= _LONG and "\n" not in text else f"{text[:60].splitlines()[0]}..."


def _finder(folder: Place) -> Callable[[str], Optional[Found]]:
    if isinstance(folder, Path):
        start, listings = "" if folder == Path() else str(folder), Listings()
        archives: dict[str, dict[str, Member]] = {}
        return lambda path: _find(start, path, listings) or _find_in_archive(start, path, archives)
    members: Mapping[str, Found] = folder.members()
    names = _names_by_key(members)

    def find_member(path: str) -> Optional[Found]:
        name = path.replace("\\", "/").removeprefix(f"{folder}/")
        candidates = [name] if name in members else names.get(_key(name.removeprefix("./")), [])
        return members[candidates[0]] if len(candidates) == 1 else None

    return find_member


def _find(folder: str, path: str, listings: Listings) -> Optional[str]:
    if len(path) > _LONG or "\0" in path or is_address(path):
        return None
    full_path = os.path.join(folder, path)  # noqa: PTH118 - names may be no text
    if os.path.exists(full_path):  # noqa: PTH110
        return full_path
    with_slashes = full_path.replace("\\", "/")
    if with_slashes != full_path and os.path.exists(with_slashes):  # noqa: PTH110
        return with_slashes
    if path != path.strip():
        return _find(folder, path.strip(), listings)
    parent, name = os.path.split(with_slashes)
    if not name:
        return None
    if parent not in listings:
        listings[parent] = _listing(parent)
    candidates = listings[parent].get(_key(name), [])
    return os.path.join(parent, candidates[0]) if len(candidates) == 1 else None  # noqa: PTH118


def _find_in_archive(folder: str, path: str, archives: dict[str, dict[str, Member]]) -> Optional[Member]:
    if len(path) > _LONG or is_address(path):
        return None
    return member_at(os.path.join(folder, path), archives)  # noqa: PTH118 - names may be no text


def _listing(folder: str) -> dict[str, list[str]]:
    try:
        return _names_by_key(os.listdir(folder or os.curdir))  # noqa: PTH208
    except OSError:
        return {}


def _names_by_key(names: Iterable[str]) -> dict[str, list[str]]:
    """Files by name, and images by name without extension; case and Unicode form do not count."""
    by_key: dict[str, list[str]] = {}
    for name in names:
        by_key.setdefault(_key(name), []).append(name)
        stem = os.path.splitext(name)[0]  # noqa: PTH122
        if is_picture_name(name) and not is_picture_name(stem):
            by_key.setdefault(_key(stem), []).append(name)
    return by_key


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _remarks(paths: Sequence[str], files: Sequence[str], folder: Place, match_count: int) -> tuple[str, ...]:
    if not match_count:
        return ()
    remarks = []
    if folder != Path() and any(not os.path.isabs(path) for path in paths):  # noqa: PTH117
        remarks.append(f"Paths are relative to {file_name(str(folder))}.")
    respelled = [(path, file) for path, file in zip(paths, files) if _name(path) != _name(file)]
    if respelled:
        path, file = respelled[0]
        example = f"{file_name(path)} to {file_name(_name(file))}"
        remarks.append(
            f"Matched {counted(len(respelled), 'path')} to files of a different spelling, such as {example}."
        )
    return tuple(remarks)


def _name(path: str) -> str:
    return re.split(r"[\\/]", path)[-1]


def _none_found(paths: Sequence[str], folders: Sequence[Place]) -> PictureError:
    searched = listing([*dict.fromkeys(file_name(_shown(folder)) for folder in folders)])
    start = _start(paths[0], folders[0]) if isinstance(folders[0], Path) else None
    if start is None:
        hint = f"Name the folder that they are relative to: {calls.option('root')}."
    else:
        hint = f"They are relative to another folder: {calls.option('root', file_name(str(start)))}."
    return PictureError(
        f"None of the {len(paths):,} files was found." if len(paths) > 1 else "The file was not found.",
        [f"the first is {file_name(paths[0])}", f"searched in {searched}"],
        hint,
    )


def _shown(folder: Place) -> str:
    return str(folder) if isinstance(folder, Remote) else whole_path(str(folder))


def _start(path: str, folder: Path) -> Optional[Path]:
    """The folder below ``folder`` in which a path is, if there is one."""
    parts = [part for part in re.split(r"[\\/]", path) if part not in ("", ".")]
    wanted_keys = {_key(parts[-1])} if parts else set()
    for home, name in islice(_below(folder), _SEARCHED):
        if {_key(name), _key(Path(name).stem)} & wanted_keys:
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
