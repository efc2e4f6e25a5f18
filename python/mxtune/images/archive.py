"""Zip archives of images, read in place: nothing is unpacked, and no stated size is trusted."""

from __future__ import annotations

import os
import re
import threading
import zipfile
import zlib
from pathlib import Path
from typing import Any, Optional

from ..errors import PictureError
from ..words import bullets, file_name, file_size
from .folder import Folder, of_archive, of_members
from .picture import MAX_BYTES, UnreadableError
from .sniff import ignored
from .stored import Stored

_MOST = 2_000_000  # members
_UNREAD = (".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".rar", ".7z")
_INSIDE = re.compile(r"(.*?\.zip)[/\\]+(.+)", re.DOTALL | re.IGNORECASE)
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError)


class Archive:
    """A zip file, or a folder in one. Its members are read by any thread, and in a process of its own after a fork."""

    def __init__(self, path: Path, folder: str = "") -> None:
        self.path, self.folder = path, folder
        self._lock = threading.Lock()
        self._file: Optional[zipfile.ZipFile] = None
        self._process = 0

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "folder": self.folder}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def __str__(self) -> str:
        return str(self.path / self.folder)

    @property
    def file(self) -> zipfile.ZipFile:
        """The open file; not that of a process that this one was forked from, which would share its position."""
        with self._lock:
            if self._file is None or self._process != os.getpid():
                self._file, self._process = zipfile.ZipFile(self.path), os.getpid()
            return self._file

    def members(self) -> dict[str, Member]:
        """Its files by name, relative to the folder; system and hidden files are left out.

        Raises
        ------
        PictureError
            It is damaged, holds too many files, or contains names that point outside it.
        """
        try:
            infos = self.file.infolist()
        except (*_DAMAGE, NotImplementedError, RuntimeError) as error:
            raise PictureError(f"Can't read the archive {file_name(str(self.path))}.", [str(error)]) from error
        if len(infos) > _MOST:
            raise PictureError(f"The archive {file_name(str(self.path))} holds more than {_MOST:,} files.")
        names = [info.filename.replace("\\", "/") for info in infos]
        outside = [name for name in names if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":"]
        if outside:
            text = f"The archive {file_name(str(self.path))} contains names that point outside it."
            raise PictureError(text, bullets([name[:200] for name in outside]))
        prefix = f"{self.folder}/" if self.folder else ""
        return {
            name[len(prefix) :]: Member(self, info)
            for name, info in zip(names, infos)
            if name.startswith(prefix) and not name.endswith("/") and not any(map(ignored, name.split("/")))
        }


class Member(Stored):
    """A file in an archive."""

    __slots__ = ("archive", "info")

    def __init__(self, archive: Archive, info: zipfile.ZipInfo) -> None:
        self.archive, self.info = archive, info

    def __fspath__(self) -> str:
        return os.path.join(os.path.abspath(self.archive.path), self.info.filename)  # noqa: PTH100, PTH118

    def __lt__(self, other: Member) -> bool:
        return self.info.filename < other.info.filename

    def beside(self) -> Archive:
        """The folder that it is in."""
        return Archive(self.archive.path, self.info.filename.replace("\\", "/").rpartition("/")[0])

    def read(self, first: Optional[int] = None) -> bytes:
        """Its first bytes, or all of them, checked.

        Raises
        ------
        UnreadableError
            It is damaged, encrypted or too large.
        """
        if first is None and self.info.file_size > MAX_BYTES:
            raise UnreadableError(f"too large to be read: {file_size(self.info.file_size)}")
        if self.info.flag_bits & 1:
            raise UnreadableError("it is encrypted")
        try:
            with self.archive.file.open(self.info) as file:
                return file.read(MAX_BYTES if first is None else first)
        except FileNotFoundError as error:
            raise UnreadableError("the archive no longer exists") from error
        except NotImplementedError as error:
            raise UnreadableError("its compression method is not supported") from error
        except (*_DAMAGE, RuntimeError) as error:
            raise UnreadableError(f"damaged in the archive ({error})") from error


def archive_at(where: Path) -> Optional[Archive]:
    """The archive at a path, or the folder in an archive, as in ``photos.zip/train``; None if it is neither.

    Raises
    ------
    PictureError
        It is an archive of an unsupported kind.
    """
    for path in (where, *where.parents):
        if path.suffix.lower() == ".zip" and path.is_file():
            return Archive(path, where.relative_to(path).as_posix() if where != path else "")
    if where.suffix.lower() in _UNREAD and where.is_file():
        hint = "Unpack it, or convert it to .zip."
        raise PictureError(f"{file_name(str(where))} is an archive that can't be read in place.", hint=hint)
    return None


def member_at(path: str, known: Optional[dict[str, dict[str, Member]]] = None) -> Optional[Member]:
    """The file in an archive at a path, as in ``photos.zip/cats/1.jpg``; None if there is none.

    ``known`` keeps what archives hold from one call to the next.

    Raises
    ------
    PictureError
        The archive can't be read.
    """
    found = _INSIDE.fullmatch(path)
    if found is None:
        return None
    archive, inside = found.groups()
    known = {} if known is None else known
    if archive not in known:
        known[archive] = Archive(Path(archive)).members() if os.path.isfile(archive) else {}  # noqa: PTH113
    return known[archive].get(inside.replace("\\", "/"))


def look_into_archive(archive: Archive, recursive: bool) -> Folder:
    """As `look_into`. A folder that holds everything else does not count."""
    return (of_members if archive.folder else of_archive)(str(archive), archive.members(), recursive)
