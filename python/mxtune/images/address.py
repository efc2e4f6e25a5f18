"""Files behind an address that fsspec opens, as ``s3://bucket/photos``: nothing is asked for but what a user names.

What lies in a zip file there is read in place, as in one of the disk: ``s3://bucket/photos.zip`` or
``s3://bucket/photos.zip/train``. As fsspec chains addresses it is ``zip://train::s3://bucket/photos.zip``.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from typing import Any, Optional

from ..errors import PictureError
from ..words import file_name, file_size
from .picture import MAX_BYTES, UnreadableError
from .sniff import ignored
from .stored import Stored

_MOST = 2_000_000  # files
_AT_ONCE = 1 << 22  # bytes that are not worth a second question
_CHAINED = re.compile(r"zip(?:://(?P<inside>.*?))?::(?P<archive>.+)", re.DOTALL)
_NAMED = re.compile(r"(?P<archive>[^:].*?[^/]\.zip)(?:/+(?P<inside>.*))?", re.DOTALL | re.IGNORECASE)


class Remote:
    """A folder or a file behind an address.

    Parameters
    ----------
    address
        As a user writes it.
    inside
        What is meant in the zip file that has this address, ``""`` for all of it; None for what is in none.

    Raises
    ------
    PictureError
        fsspec, or what it needs for such addresses, is not installed; or the zip file can't be read.
    """

    def __init__(self, address: str, inside: Optional[str] = None) -> None:
        self.is_archive = inside == ""
        opened = address if inside is None else f"zip://{inside}::{address}"
        address = address if not inside else f"{address}/{inside}"
        self.address = address.rstrip("/") if not address.endswith("://") else address
        try:
            self.system, path = importlib.import_module("fsspec.core").url_to_fs(opened)
        except ImportError as error:
            raise _missing(address, error) from error
        except FileNotFoundError as error:  # a zip file is opened at once
            raise _not_there(address) from error
        except Exception as error:  # of whichever library it is
            raise _refused(address, error, None if inside is None else f"{_WHOLE}simplecache::{address}") from error
        self.path = str(path).rstrip("/")
        self._members: Optional[dict[str, RemoteFile]] = None

    def __str__(self) -> str:
        return self.address

    def file(self) -> Optional[RemoteFile]:
        """The file that the address names; None for a folder.

        Raises
        ------
        PictureError
            There is neither, or it can't be asked.
        """
        try:
            told = self.system.info(self.path)
        except FileNotFoundError as error:
            raise _not_there(self.address) from error
        except ImportError as error:
            raise _missing(self.address, error) from error
        except Exception as error:
            raise _refused(self.address, error) from error
        return None if told.get("type") == "directory" else RemoteFile(self, self.path, self.address, _size(told))

    def beside(self) -> Remote:
        """The folder of a file."""
        return remote_at(self.address.rpartition("/")[0])

    def members(self) -> dict[str, RemoteFile]:
        """Its files by name, relative to the folder, at any depth; hidden and system files are left out. It is asked
        once.

        Raises
        ------
        PictureError
            It can't be listed, or holds too many files.
        """
        if self._members is not None:
            return self._members
        try:
            found = self.system.find(self.path, detail=True)
        except Exception as error:
            raise _refused(self.address, error) from error
        if len(found) > _MOST:
            raise PictureError(f"{file_name(self.address)} holds more than {_MOST:,} files.")
        self._members = {}
        for path, told in sorted(found.items()):
            name = str(path)[len(self.path) :].lstrip("/")
            if name and not any(map(ignored, name.split("/"))):
                self._members[name] = RemoteFile(self, str(path), f"{self.address}/{name}", _size(told))
        return self._members


class RemoteFile(Stored):
    """A file behind an address, which is its name."""

    __slots__ = ("_path", "_remote", "_size", "address")

    def __init__(self, remote: Remote, path: str, address: str, size: Optional[int] = None) -> None:
        self._remote, self._path, self.address, self._size = remote, path, address, size

    def __fspath__(self) -> str:
        return self.address

    def __str__(self) -> str:
        return self.address

    def __lt__(self, other: RemoteFile) -> bool:
        return self.address < other.address

    @property
    def name(self) -> str:
        """The last part of its path: of a chained address not the last one of that."""
        return self._path.rpartition("/")[2]

    def read(self, first: Optional[int] = None) -> bytes:
        """Its first bytes, or all of them, whatever size it is said to have.

        Raises
        ------
        UnreadableError
            It can't be had, or is too large.
        """
        if self._size == 0:
            return b""
        most = MAX_BYTES + 1 if first is None else first
        try:
            content = bytes(self._remote.system.cat_file(self._path, start=0, end=most))
        except FileNotFoundError as error:
            raise UnreadableError("there is no such file") from error
        except PermissionError as error:
            raise UnreadableError("it can't be read (no permission)") from error
        except Exception as error:  # of whichever library it is
            raise UnreadableError(f"it can't be read ({_words(error)})") from error
        if len(content) > MAX_BYTES:
            raise UnreadableError(f"too large to be read: more than {file_size(MAX_BYTES)}")
        return content[:most]

    def picture(self) -> bytes:
        """All its bytes, if it is an image.

        Raises
        ------
        UnreadableError
            It is not an image, or can't be had.
        """
        return self.read() if self._size is not None and self._size <= _AT_ONCE else super().picture()


def remote_at(address: str) -> Remote:
    """What is behind an address; of a zip file what lies in it.

    Raises
    ------
    PictureError
        fsspec, or what it needs for such addresses, is not installed; or the zip file can't be read.
    """
    chained = _CHAINED.fullmatch(address)
    found = chained or _NAMED.fullmatch(address)
    if found is not None and (chained is not None or _is_file(found["archive"])):  # folders may have such names
        return Remote(found["archive"], (found["inside"] or "").strip("/"))
    return Remote(address)


def _is_file(address: str) -> bool:
    try:
        return Remote(address).file() is not None
    except PictureError:  # which is told of the address as it was written
        return False


def file_at(address: str, archives: dict[str, bool]) -> RemoteFile:
    """The file behind an address, of which nothing is asked before it is read; in a zip file whether there is one.

    ``archives`` keeps that from one call to the next.

    Raises
    ------
    PictureError
        fsspec, or what it needs for such addresses, is not installed.
    """
    found = _NAMED.fullmatch(address)
    archive, inside = (found["archive"], found["inside"]) if found else ("", None)
    if inside and archive not in archives:
        archives[archive] = _is_file(archive)
    remote = Remote(archive, inside) if inside and archives[archive] else Remote(address)
    return RemoteFile(remote, remote.path, address)


def _size(told: dict[str, Any]) -> Optional[int]:
    return told["size"] if isinstance(told.get("size"), int) else None


def _missing(address: str, error: ImportError) -> PictureError:
    """The error where fsspec is not installed, or what it needs, which it names."""
    has_fsspec = importlib.util.find_spec("fsspec") is not None
    hint = "Install it, or download the images first." if has_fsspec else _INSTALL
    return PictureError(f"Reading {file_name(address)} needs another Python package.", [_words(error)], hint)


_INSTALL = 'Install it (pip install fsspec; the extra "remote"), or download the images first.'


def _not_there(address: str) -> PictureError:
    return PictureError(f"There is no file or folder {file_name(address)}.")


_WHOLE = "If its server gives whole files alone, this downloads it first: "


def _refused(address: str, error: Exception, hint: Optional[str] = None) -> PictureError:
    kind = "There is no permission to read" if isinstance(error, PermissionError) else "Can't read"
    return PictureError(f"{kind} {file_name(address)}.", [_words(error)], hint)


def _words(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines and lines[0] else type(error).__name__
