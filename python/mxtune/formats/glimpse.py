"""A look at the first bytes of a file and, where it is a zip, at the names of its members."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

_HEAD = 4096


@dataclass(frozen=True)
class Glimpse:
    """The first bytes of a file, and the names of its members if it is a whole zip; nothing of it is unpacked.

    Examples
    --------
    >>> Glimpse(b"\\x89HDF\\r\\n").begins(rb"\\x89HDF")
    True
    """

    head: bytes
    members: tuple[str, ...] = ()

    @classmethod
    def of(cls, file: Path) -> Glimpse:
        """A look at this file."""
        with file.open("rb") as stream:
            head = stream.read(_HEAD)
            if not head.startswith(b"PK"):
                return cls(head)
            try:
                with zipfile.ZipFile(stream) as archive:
                    return cls(head, tuple(archive.namelist()))
            except Exception:  # noqa: BLE001 - whatever a damaged or hostile zip raises: its format's reader will say
                return cls(head)

    def begins(self, pattern: bytes) -> bool:
        """Whether the first bytes fit this regular expression."""
        return re.match(pattern, self.head, re.DOTALL) is not None

    def holds(self, pattern: str) -> bool:
        """Whether a member's whole name fits this regular expression."""
        return any(re.fullmatch(pattern, name) for name in self.members)
