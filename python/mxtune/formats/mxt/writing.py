"""A model file is written beside its place and renamed, so that a crash leaves the old one whole."""

from __future__ import annotations

import contextlib
import json
import math
import os
import secrets
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Optional, Union

import numpy as np

from ...errors import ArgumentError, ModelFileError
from .layout import DTYPES, FORMAT, MANIFEST, MOST_BYTES, SYMBOL, WEIGHTS, frames, seal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]


def write(
    target: Union[str, os.PathLike[str], BinaryIO],
    manifest: Mapping[str, Any],
    symbol: str,
    arrays: Arrays,
) -> None:
    """Returns nothing; afterwards `target` holds the model. The same content gives the same bytes.

    A file is written under another name beside `target` and renamed when all of it is on the disk: after a
    crash or with a full disk, what was there before is still whole. Its permissions follow the umask.

    Parameters
    ----------
    target
        A path, whose folder exists, or a binary stream.
    manifest
        What JSON can hold, and NumPy's numbers; NaN and infinity become null. ``format`` and ``members`` are
        added.
    symbol
        The graph as MXNet's symbol JSON.
    arrays
        Arrays by name, of numbers or bool, in any shape; together under 3.75 GiB.

    Raises
    ------
    ModelFileError
        The file can't be written.
    ArgumentError
        An array has a type that a model file can't hold, or the arrays are too large for one.

    Examples
    --------
    >>> import io
    >>> import numpy as np
    >>> from mxtune.formats import mxt as bundle
    >>> stream = io.BytesIO()
    >>> bundle.write(stream, {"task": "regression"}, "{}", {"head_bias": np.zeros(2, "float32")})
    >>> manifest, symbol, arrays = bundle.read(stream.getvalue())
    >>> manifest["task"], arrays["head_bias"]
    ('regression', array([0., 0.], dtype=float32))
    """
    pieces = _pieces(_members(manifest, symbol, arrays))
    if not isinstance(target, (str, os.PathLike)):
        for piece in pieces:
            target.write(piece)
        return
    path = Path(os.path.realpath(target))  # a link stays, and the file behind it is replaced
    try:
        _replace(path, pieces)
    except OSError as error:
        what, hint = _why_not(path, error)
        raise ModelFileError(f'Can\'t write the model file "{os.fspath(target)}".', [what], hint) from error


def _members(manifest: Mapping[str, Any], symbol: str, arrays: Arrays) -> dict[str, bytes]:
    members = {SYMBOL: _utf8(symbol), WEIGHTS: _safetensors(arrays)}
    told = {
        **plain(manifest),
        "format": FORMAT,
        "members": {name: seal(content) for name, content in members.items()},
    }
    # Keys stay in their order, which says something: columns of the history, the first of the metrics.
    text = json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    members = {MANIFEST: _utf8(text), **members}
    for name, content in members.items():
        if len(content) > MOST_BYTES[name]:
            raise ArgumentError(
                f"A model file can't hold this model: its {name} would have {len(content):,} bytes.",
                hint=f"At most {MOST_BYTES[name]:,} fit.",
            )
    return members


def _utf8(text: str) -> bytes:
    # A file name that is no valid text has lone surrogates; "\udc80" is also how JSON writes one.
    return text.encode("utf-8", "backslashreplace")


def plain(value: Any) -> Any:
    """The same as JSON has it: NumPy's numbers as Python's, NaN and infinity as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _safetensors(arrays: Arrays) -> bytes:
    from safetensors.numpy import save

    held = {np.dtype(code) for code in DTYPES.values()}
    stored = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    for name, array in stored.items():
        if array.dtype.newbyteorder("<") not in held:
            raise ArgumentError(f'A model file can\'t hold the array "{name}" of type {array.dtype}.')
    return bytes(save(stored))


def _pieces(members: Mapping[str, bytes]) -> list[bytes]:
    """A zip, in the order of the file."""
    *before, last = frames((name, len(content), zlib.crc32(content)) for name, content in members.items())
    pairs = zip(before, members.values())
    return [piece for (_, frame), content in pairs for piece in (frame, content)] + [last[1]]


def _replace(path: Path, pieces: list[bytes]) -> None:
    if path.is_dir():
        raise IsADirectoryError
    aside = path.parent / f".mxt-{secrets.token_hex(8)}.tmp"
    # Not tempfile: its files are for their owner alone, whatever the umask says.
    handle = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.writelines(pieces)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise
    with contextlib.suppress(OSError):  # that the new name lasts too; not every system can
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _why_not(path: Path, error: OSError) -> tuple[str, Optional[str]]:
    if path.is_dir():
        return "it is a folder", 'Add a file name, for example "model.mxt".'
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}", "Make the folder first, or write elsewhere."
    return error.strerror or str(error), None
