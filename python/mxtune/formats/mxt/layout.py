"""What a model file is made of, and the bytes around its members, which writing makes and reading expects."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from typing import Any

FORMAT = 1
MANIFEST, SYMBOL, WEIGHTS = MEMBERS = ("manifest.json", "symbol.json", "weights.safetensors")
MOST_BYTES = {MANIFEST: 1 << 26, SYMBOL: 1 << 26, WEIGHTS: 15 << 28}  # a plain zip ends at 16 << 28, 4 GiB


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
