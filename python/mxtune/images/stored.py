"""What holds an image as a file, but is none of the disk's: a member of an archive, a cell of a table, a file behind an
address."""

from __future__ import annotations

import os
import re
from abc import abstractmethod
from pathlib import PurePosixPath
from typing import Any, Optional

from .picture import UnreadableError
from .sniff import sniff

_SCHEME = "[A-Za-z][A-Za-z0-9+.-]+"
_ADDRESS = re.compile(f"(?:{_SCHEME}::)*{_SCHEME}://")


class Stored(os.PathLike):  # type: ignore[type-arg]
    """A file that lies in something else. Its only property of a path is its name."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The last part of its path."""
        return str(os.fspath(self)).replace(os.sep, "/").rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """The extension of its name."""
        return PurePosixPath(self.name).suffix

    @abstractmethod
    def read(self, first: Optional[int] = None) -> bytes:
        """Its first bytes, or all of them.

        Raises
        ------
        UnreadableError
            It can't be read, or is too large.
        """

    def picture(self) -> bytes:
        """All its bytes, if it is an image.

        Raises
        ------
        UnreadableError
            It is not an image, or can't be read.
        """
        start = self.read(512)
        if start and sniff(start)[0] is None:  # a video is not read to its end
            raise UnreadableError(sniff(start)[1])
        return self.read()


class Absent(Stored):
    """A file that is not where it should be."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return self.path

    def read(self, first: Optional[int] = None) -> bytes:  # noqa: ARG002
        """Nothing.

        Raises
        ------
        UnreadableError
            There is none.
        """
        raise UnreadableError("there is no such file")


def is_address(text: Any) -> bool:
    """Whether a text names what is elsewhere, and not a file.

    Examples
    --------
    >>> is_address("s3://bucket/photos"), is_address("zip::s3://bucket/photos.zip"), is_address("C:/photos")
    (True, True, False)
    """
    return isinstance(text, str) and _ADDRESS.match(text) is not None
