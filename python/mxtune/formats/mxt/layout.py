"""What a model file is made of, and the bytes around its members, which writing makes and reading expects."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterable
from typing import Any

FORMAT = 2  # that of files with more members than these; without, it is 1, which every mxtune reads
MANIFEST, SYMBOL, WEIGHTS = MEMBERS = ("manifest.json", "symbol.json", "weights.safetensors")
MEMORY, INT8 = "memory.safetensors", "int8.safetensors"  # which a file may lack
_MOST_BYTES = {MANIFEST: 1 << 26, SYMBOL: 1 << 26, WEIGHTS: 15 << 28}  # a plain zip ends at 16 << 28, 4 GiB
_MOST_OF_OTHERS, _MOST_OTHERS = 1 << 25, 3
_OTHER = re.compile(r"[a-z][a-z0-9_]{0,63}\.(json|safetensors)")


def order(names: Iterable[str]) -> list[str]:
    """Members as they lie in the file."""
    return [*MEMBERS, *sorted(set(names) - set(MEMBERS))]


def most_bytes(name: str) -> int:
    """How large a member may be."""
    return _MOST_BYTES.get(name, _MOST_OF_OTHERS)


def may_be_other(names: Iterable[str]) -> bool:
    """Whether these can be members that a file may lack: those of this version, or of one to come."""
    names = list(names)
    return len(names) <= _MOST_OTHERS and all(_OTHER.fullmatch(name) for name in names)


def seal(content: bytes) -> dict[str, Any]:
    """The manifest's entry for another member."""
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def frames(entries: Iterable[tuple[str, int, int]]) -> list[tuple[int, bytes]]:
    """The bytes before each member and after the last, each with its offset.

    It follows from name, size and CRC-32 alone: dates, systems and permissions are always the same. Python's
    own zip writer would choose by version and platform, and could not predict what must be there.
    """
    parts, directory, offset = [], b"", 0
    for name, size, checksum in entries:
        raw = name.encode()
        # version 2.0, no flags, stored, midnight of 1 January 1980
        common = struct.pack("<5H3I2H", 20, 0, 0, 0, 0x21, checksum, size, size, len(raw), 0)
        parts.append((offset, b"PK\3\4" + common + raw))
        # written on Unix; no comment, first disk; a plain file that all may read
        tail = struct.pack("<3H2I", 0, 0, 0, 0o100644 << 16, offset)
        directory += b"PK\1\2" + struct.pack("<H", (3 << 8) | 20) + common + tail + raw
        offset += len(parts[-1][1]) + size
    count = len(parts)
    end = b"PK\5\6" + struct.pack("<4H2IH", 0, 0, count, count, len(directory), offset, 0)
    return [*parts, (offset, directory + end)]
