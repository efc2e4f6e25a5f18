"""Files behind an address that fsspec opens, as ``s3://bucket/photos``: nothing is asked for but what a user names."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import PurePosixPath
from typing import Any, Optional

from ..errors import PictureError
from ..words import file_name, file_size
from .picture import MAX_BYTES, UnreadableError
from .sniff import ignored
from .stored import Stored

_MOST = 2_000_000  # files
_AT_ONCE = 1 << 22  # bytes that are not worth a second question


class Remote:
    """A folder or a file behind an address.

    Parameters
    ----------
    address
        As a user writes it.

    Raises
    ------
    PictureError
        fsspec, or what it needs for such addresses, is not installed.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/") if not address.endswith("://") else address
        try:
            self.system, path = importlib.import_module("fsspec.core").url_to_fs(address)
        except ImportError as error:
            raise _missing(address, error) from error
        except Exception as error:  # of whichever library it is
            raise _refused(address, error) from error
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
            raise PictureError(f"There is no file or folder {file_name(self.address)}.") from error
        except ImportError as error:
            raise _missing(self.address, error) from error
        except Exception as error:
            raise _refused(self.address, error) from error
        return None if told.get("type") == "directory" else RemoteFile(self, self.path, self.address, _size(told))

    def beside(self) -> Remote:
        """The folder of a file."""
        return Remote(self.address.rpartition("/")[0])

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
        """The last part of the address."""
        return self.address.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """The extension of its name."""
        return PurePosixPath(self.name).suffix

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


def file_at(address: str) -> RemoteFile:
    """The file behind an address, of which nothing is asked before it is read.

    Raises
    ------
    PictureError
        fsspec, or what it needs for such addresses, is not installed.
    """
    remote = Remote(address)
    return RemoteFile(remote, remote.path, address)


def _size(told: dict[str, Any]) -> Optional[int]:
    return told["size"] if isinstance(told.get("size"), int) else None


def _missing(address: str, error: ImportError) -> PictureError:
    """The error where fsspec is not installed, or what it needs, which it names."""
    has_fsspec = importlib.util.find_spec("fsspec") is not None
    hint = "Install it, or download the images first." if has_fsspec else _INSTALL
    return PictureError(f"Reading {file_name(address)} needs another Python package.", [_words(error)], hint)


_INSTALL = 'Install it (pip install fsspec; the extra "remote"), or download the images first.'


def _refused(address: str, error: Exception) -> PictureError:
    kind = "There is no permission to read" if isinstance(error, PermissionError) else "Can't read"
    return PictureError(f"{kind} {file_name(address)}.", [_words(error)])


def _words(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines and lines[0] else type(error).__name__
