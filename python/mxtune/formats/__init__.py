"""Networks and weights in and out: one file per format; each registers itself.

``Format``: how a kind of file is recognised, read and written.  ``contents``: what a file holds.  ``glimpse``: a first
look at one.  ``matching``: which array of a file is which parameter.  ``names``: other frameworks' names of them.
``notes``: what a file says of itself.  ``refused``: formats that are deliberately not read.  ``untrusted``: text and
JSON from untrusted sources.

To add a format: a module in this folder that calls `register`. Files are recognised by their content; a suffix counts
only if that is inconclusive, and for the name of a file to be written.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import pkgutil
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Optional, Union

from ..errors import FormatError, MissingFileError, UnsupportedFormatError, WeightsError
from ..words import listing
from .contents import Contents, Weights
from .glimpse import Glimpse
from .names import NameTable
from .untrusted import naming

__all__ = [
    "Contents",
    "Format",
    "Glimpse",
    "NameTable",
    "Weights",
    "format_of",
    "formats",
    "is_exported_to",
    "read",
    "register",
    "sha256",
    "write",
]

PathLike = Union[str, "os.PathLike[str]"]
_FORMATS: dict[str, Format] = {}


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Parameters
    ----------
    name
        What users call it: ``"PyTorch"``.
    suffixes
        Of its files, in lower case: ``(".pth", ".pt")``.
    sniff
        Whether a file is one, by its content; a yes is certain.
    read
        What a file has, of which a graph may need `limit` times as much as usual; None for a format that is not read,
        on purpose.
    write
        Writes what it can hold of the contents; None where the format is only read.
    way_round
        For a format that is not read: what to do instead.
    """

    name: str
    suffixes: tuple[str, ...]
    sniff: Callable[[Glimpse], bool]
    read: Optional[Callable[[Path, float], Contents]] = None
    write: Optional[Callable[[Path, Contents], None]] = None
    way_round: str = ""


def register(one: Format) -> None:
    """Add a format.

    Raises
    ------
    ValueError
        There is one of this name, or another that writes files of its suffix.
    """
    written = {suffix for other in _FORMATS.values() if other.write for suffix in other.suffixes}
    if one.name in _FORMATS or (one.write and written & set(one.suffixes)):
        raise ValueError(f"there is a format {one.name}, or one of its suffixes, already")
    _FORMATS[one.name] = one


@cache
def formats() -> tuple[Format, ...]:
    """Every format, those that are read first."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return tuple(sorted(_FORMATS.values(), key=lambda one: (one.read is None, one.name)))


def format_of(path: PathLike) -> Format:
    """The format of a file: by its content, or where that is not conclusive, by its suffix.

    Raises
    ------
    MissingFileError
        There is no such file.
    FormatError
        It is not a file, is empty, or is of no known format.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> file = Path(tempfile.mkdtemp()) / "weights.bin"
    >>> _ = file.write_bytes(b"\\x89HDF\\r\\n\\x1a\\n")
    >>> format_of(file).name
    'Keras HDF5'
    """
    file = Path(path)
    if file.is_dir():
        return _of_folder(file)
    glimpse = _glimpse(file)
    by_content = [one for one in formats() if one.sniff(glimpse)]
    matching = by_content or [one for one in formats() if file.name.lower().endswith(one.suffixes)]
    if not matching:
        known = sorted({suffix for one in formats() if one.read for suffix in one.suffixes})
        raise FormatError(f"Can't recognise the format of {file}.", hint=f"Known formats: {', '.join(known)}.")
    return matching[0]


def _of_folder(folder: Path) -> Format:
    """The format that is a folder; each of these is deliberately not read."""
    try:
        names = sorted(one.name for one in folder.iterdir())
    except OSError as fault:
        raise WeightsError(f"Can't read {folder}: {fault.strerror or fault}.") from None
    glimpse = Glimpse(b"", tuple(names))
    for one in formats():
        if one.read is None and (one.sniff(glimpse) or folder.name.lower().endswith(one.suffixes)):
            return one
    suffixes = tuple(suffix for one in formats() if one.read for suffix in one.suffixes)
    readable = [name for name in names if name.lower().endswith(suffixes)]
    hint = f"Name a file in it: {listing(readable, 4)}." if readable else "No file in it has a known suffix."
    raise FormatError(f"{folder} is a folder.", hint=hint)


def _glimpse(file: Path) -> Glimpse:
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # a pipe would be waited for
            raise FormatError(f"{file} is not a regular file.")
        glimpse = Glimpse.of(file)
    except (FileNotFoundError, NotADirectoryError):
        hint = None if file.is_absolute() else f"Looked for {file.absolute()}"
        raise MissingFileError(f"There is no file {file}.", hint=hint) from None
    except OSError as fault:
        raise WeightsError(f"Can't read {file}: {fault.strerror or fault}.") from None
    if not glimpse.head:
        raise FormatError(f"The file {file} is empty.")
    return glimpse


def read(path: PathLike, limit: float = 1.0) -> Contents:
    """What a file holds, whatever its format; nothing in it is run.

    Parameters
    ----------
    limit
        How many times the limits of `mxtune.graph.Limits` a graph in it may need.

    Raises
    ------
    MissingFileError
        There is no such file.
    UnsupportedFormatError
        Its format is deliberately not read; the hint says what to do.
    FormatError
        It is of no known format.
    WeightsError, NetworkError, ModelFileError
        It is damaged, hostile, or asks for code to be run.
    """
    one = format_of(path)
    if one.read is None:
        raise UnsupportedFormatError(f"mxtune does not read {path}.", [f"its format is {one.name}"], one.way_round)
    with naming(Path(path)):
        return one.read(Path(path), limit)


def sha256(path: PathLike) -> str:
    """The SHA-256 of a file, in hexadecimal digits, read in parts."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while part := stream.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def write(path: PathLike, contents: Contents, names: Optional[NameTable] = None) -> None:
    """Write what the format of the file's suffix can hold.

    Parameters
    ----------
    names
        Whose names the weights get: a table of the network's, such as an entry of the zoo has. For weights alone: a
        graph has our names.

    Raises
    ------
    FormatError
        No format of this suffix is written; the error lists those that are.
    StoreError
        The file can't be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from mxtune import mxnetwork
    >>> file = Path(tempfile.mkdtemp()) / "lenet.safetensors"
    >>> write(file, Contents.of(mxnetwork("lenet")))
    >>> read(file).weights["fc1_bias"].shape
    (500,)
    """
    file = Path(path)
    writable = [one for one in formats() if one.write]
    writers = [one.write for one in writable if one.write and file.name.lower().endswith(one.suffixes)]
    if not writers:
        known = sorted(f"{suffix} ({one.name})" for one in writable for suffix in one.suffixes)
        kind = next((f"of {one.name}" for one in formats() if file.name.lower().endswith(one.suffixes)), "of that name")
        text = f"Can't write {file.name}: no files {kind} are written."
        raise FormatError(text, hint=f"Written are {listing(known)}.")
    if names is not None and contents.weights is not None:
        contents = replace(contents, weights=names.to_theirs(contents.weights), graph=None)  # it has our names
    writers[0](file, contents)


def is_exported_to(path: PathLike) -> bool:
    """Whether a file of this name is of another known format than that of models."""
    name = Path(path).name.lower()
    return not name.endswith(".mxt") and any(name.endswith(one.suffixes) for one in formats())
