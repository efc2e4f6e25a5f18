"""A ``.keras`` file: a zip of the description, the weights as HDF5, and the version."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from ..untrusted import FaultError, json_of, refuse_packing

_CONFIG, _WEIGHTS, _METADATA = "config.json", "model.weights.h5", "metadata.json"
_MOST_TIMES = 8  # that the members may be as large as the file
_SMALL = 2**20  # which they may always have: a description shrinks to a tenth
_MOST_MEMBERS = 1_000  # vocabularies of text layers are members, too
_FAULTS = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError,
           NotImplementedError, OverflowError)  # fmt: skip


class Archive(NamedTuple):
    """What is in a file: its description and its facts as JSON, and its weights as bytes."""

    config: Any
    metadata: Any
    weights: bytes


def read_archive(path: Path) -> Archive:
    """The members of a file, none of which is unpacked to disk.

    Raises
    ------
    FaultError
        It is damaged or hostile, or lacks one.
    """
    try:
        with path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            stream.seek(0)
            if stream.read(2) != b"PK":
                raise FaultError("something stands before its first member")
            entries = archive.infolist()
            for entry in entries:
                refuse_packing(entry)
            names = [entry.filename for entry in entries]
            if len(set(names)) < len(names) or len(names) > _MOST_MEMBERS:
                raise FaultError("its members have one name, or are too many")
            if sum(entry.file_size for entry in entries) > max(_MOST_TIMES * path.stat().st_size, _SMALL):
                raise FaultError("its members would be far larger than the file")
            if "model.weights.json" in names:
                raise FaultError("its weights are in several files", "Save the network again without max_shard_size.")
            if missing := [name for name in (_CONFIG, _WEIGHTS) if name not in names]:
                raise FaultError(f"it has no {missing[0]}")
            metadata = json_of(_METADATA, archive.read(_METADATA)) if _METADATA in names else {}
            return Archive(json_of(_CONFIG, archive.read(_CONFIG)), metadata, archive.read(_WEIGHTS))
    except _FAULTS as fault:
        raise FaultError(f"it is damaged ({str(fault)[:80]})") from None
