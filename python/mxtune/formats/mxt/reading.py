"""Reading a model file: every name, size, place and hash is checked before anything in it is trusted."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Union

from ...errors import ModelFileError
from .. import Glimpse, formats
from ..safetensors import arrays_of
from ..untrusted import FaultError, json_of, shown, text_of
from .layout import FORMAT, MANIFEST, MEMBERS, SYMBOL, WEIGHTS, frames, may_be_other, most_bytes, order, seal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Content = tuple[dict[str, Any], str, dict[str, NDArray[Any]], dict[str, bytes]]

NO_MODEL = "Model files are written by model.save() and mxsave()."
NETWORK = "mxnetwork() opens the network or the weights in it; a whole model is a .mxt file."
# What Python's zip reader raises for damaged files; the sizes it trusts are checked against the file first.
_ZIP_FAULTS = (zipfile.BadZipFile, ValueError, EOFError, RuntimeError, struct.error, OverflowError)


def read(source: Union[str, os.PathLike[str], bytes]) -> Content:
    """The manifest, the symbol JSON, the arrays (by name, in bytewise order) and the bytes of other members, by name.

    All of it is checked, but for what is in those others.

    Parameters
    ----------
    source
        A path, or the content of a model file.

    Raises
    ------
    ModelFileError
        There is no such file, or it is damaged, cut short, hostile, of a newer format, or not a model at all.
        Nothing in it was unpacked to disk or run.

    Examples
    --------
    >>> from mxtune.formats import mxt as bundle
    >>> bundle.read(b"not a model")
    Traceback (most recent call last):
    mxtune.errors.ModelFileError: Can't read the model of 11 bytes.
    x it is not a model file
    i Model files are written by model.save() and mxsave().
    """
    if isinstance(source, (str, os.PathLike)):
        name = f'the model file "{os.fspath(source)}"'
    else:
        name = f"the model of {len(source):,} bytes"
    try:
        with _open(source) as stream:
            return _read(stream)
    except FaultError as fault:
        raise ModelFileError(f"Can't read {name}.", [fault.what], fault.hint) from None
    except OSError as error:
        raise ModelFileError(f"Can't read {name}.", [error.strerror or str(error)]) from error


def _open(source: Union[str, os.PathLike[str], bytes]) -> BinaryIO:
    if not isinstance(source, (str, os.PathLike)):
        return io.BytesIO(source)
    path = Path(source)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise FaultError("there is no such file", f"Looked for {path.absolute()}") from None
    except ValueError:  # a null byte
        raise FaultError("it is not a valid file name", NO_MODEL) from None
    if stat.S_ISDIR(mode):
        raise FaultError("it is a folder", NO_MODEL)
    if not stat.S_ISREG(mode):  # reading a pipe would block
        raise FaultError("it is not a regular file", NO_MODEL)
    return path.open("rb")


def _read(stream: BinaryIO) -> Content:
    _check_beginning(stream.read(64))
    length = stream.seek(0, os.SEEK_END)
    try:
        with zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
            manifest = _manifest(archive, entries, length)
            _check_entries(entries, length, manifest["format"])
            _check_frames(stream, entries, length)
            members = {entry.filename: archive.read(entry) for entry in entries[1:]}
    except _ZIP_FAULTS as error:
        why = shown(str(error))  # may quote any part of the file
        raise FaultError(f"it is damaged, or was cut short to {length:,} bytes: {why}") from None
    _check_seals(manifest, members)
    json_of(SYMBOL, members[SYMBOL])
    symbol, arrays = members.pop(SYMBOL), arrays_of(WEIGHTS, members.pop(WEIGHTS))
    return manifest, text_of(SYMBOL, symbol), arrays, members


def _check_beginning(beginning: bytes) -> None:
    if not beginning:
        raise FaultError("it is empty")
    if beginning.startswith(b"PK"):
        return
    for other in formats():
        if other.sniff(Glimpse(beginning)):
            raise FaultError(f"its format is {other.name}", NETWORK if other.read else other.way_round)
    raise FaultError("it is not a model file", NO_MODEL)


def _manifest(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], length: int) -> dict[str, Any]:
    """The manifest, before anything else: a newer format may have other members, and is refused by its number."""
    manifests = [entry for entry in entries if entry.filename == MANIFEST]
    if not manifests:
        names = ", ".join(shown(entry.filename) for entry in entries[:3])
        raise FaultError(f"it is a zip without {MANIFEST} (it contains {names or 'nothing'})", NO_MODEL)
    _check_entry(manifests[0], length)
    manifest = json_of(MANIFEST, archive.read(manifests[0]))
    version = manifest.get("format") if isinstance(manifest, dict) else None
    if not isinstance(manifest, dict) or type(version) is not int or version < 1:
        raise FaultError(f"{MANIFEST} does not state the format of the file", NO_MODEL)
    if version > FORMAT:
        raise FaultError(
            f"a newer mxtune wrote it, in format {version}; this mxtune reads formats up to {FORMAT}",
            "Install a newer version of mxtune.",
        )
    return manifest


def _check_entries(entries: list[zipfile.ZipInfo], length: int, version: int) -> None:
    names = [entry.filename for entry in entries]
    others = set(names) - set(MEMBERS)
    for name in names:
        if name in others and (version == 1 or not may_be_other(others)):
            raise FaultError(f"it contains {shown(name)}, which no model file has", NO_MODEL)
        if names.count(name) > 1:
            raise FaultError(f"it contains {name} more than once", NO_MODEL)
    for name in MEMBERS:
        if name not in names:
            raise FaultError(f"it has no {name}")
    for entry in entries:
        _check_entry(entry, length)


def _check_entry(entry: zipfile.ZipInfo, length: int) -> None:
    name, size = entry.filename, entry.file_size
    if entry.compress_type != zipfile.ZIP_STORED:
        raise FaultError(f"{name} is compressed, which never happens in a model file", NO_MODEL)
    if size != entry.compress_size or size > length:
        raise FaultError(f"{name} claims to have {size:,} bytes, which a file of {length:,} can't hold")
    if size > most_bytes(name):
        raise FaultError(f"{name} has {size:,} bytes, and at most {most_bytes(name):,} are read", NO_MODEL)


def _check_frames(stream: BinaryIO, entries: list[zipfile.ZipInfo], length: int) -> None:
    """Only what writing puts there may lie before, between or after the members."""
    expected = frames((entry.filename, entry.file_size, entry.CRC) for entry in entries)
    same = length == expected[-1][0] + len(expected[-1][1])
    for offset, frame in expected:
        stream.seek(offset)
        same = same and stream.read(len(frame)) == frame
    names = [entry.filename for entry in entries]
    if not same or names != order(names):
        raise FaultError("it is damaged or was packed again: the zip is not laid out as mxtune writes it")


def _check_seals(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    seals = manifest.get("members")
    if not isinstance(seals, dict) or set(seals) != set(members):
        raise FaultError(f"{MANIFEST} does not name the other members")
    for name, content in members.items():
        if seals[name] != seal(content):
            raise FaultError(f"{name} was changed: its size or SHA-256 does not match")
