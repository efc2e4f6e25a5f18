"""The bytes of a model file, from its parts."""

from __future__ import annotations

import json
import math
import os
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Optional, Union

import numpy as np

from ... import store
from ...errors import ArgumentError
from ...words import listing
from ..safetensors import bytes_of
from .layout import FORMAT, MANIFEST, SYMBOL, WEIGHTS, frames, may_be_other, most_bytes, seal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]


def write(
    target: Union[str, os.PathLike[str], BinaryIO],
    manifest: Mapping[str, Any],
    symbol: str,
    arrays: Arrays,
    others: Optional[Mapping[str, bytes]] = None,
) -> None:
    """Write the model to `target`. The same content gives the same bytes.

    A file is replaced whole or left as it was, as `store.write` has it.

    Parameters
    ----------
    target
        A path, whose folder exists, or a binary stream.
    manifest
        Values that JSON can hold, and NumPy's numbers; NaN and infinity become null. ``format`` and ``members`` are
        added.
    symbol
        The graph as MXNet's symbol JSON.
    arrays
        Arrays by name, of numbers or bool, in any shape; together under 3.75 GiB.
    others
        The bytes of other members, ``.json`` or ``.safetensors``, by name; with any the format is 2.

    Raises
    ------
    StoreError
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
    >>> manifest, symbol, arrays, others = bundle.read(stream.getvalue())
    >>> manifest["task"], arrays["head_bias"]
    ('regression', array([0., 0.], dtype=float32))
    """
    pieces = _pieces(_members(manifest, symbol, arrays, others or {}))
    if not isinstance(target, (str, os.PathLike)):
        for piece in pieces:
            target.write(piece)
        return
    store.write(target, pieces, "the model file")


def _members(manifest: Mapping[str, Any], symbol: str, arrays: Arrays, others: Mapping[str, bytes]) -> dict[str, bytes]:
    if not may_be_other(others):
        raise ArgumentError(f"A model file can't hold these members: {listing([*others])}.")
    members = {SYMBOL: _utf8(symbol), WEIGHTS: bytes_of(arrays), **{name: others[name] for name in sorted(others)}}
    whole = {
        **as_json(manifest),
        "format": FORMAT if others else 1,
        "members": {name: seal(content) for name, content in members.items()},
    }
    # Keys keep their order, which matters: columns of the history, the first of the metrics.
    text = json.dumps(whole, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    members = {MANIFEST: _utf8(text), **members}
    for name, content in members.items():
        if len(content) > most_bytes(name):
            raise ArgumentError(
                f"A model file can't hold this model: its {name} would have {len(content):,} bytes.",
                hint=f"At most {most_bytes(name):,} fit.",
            )
    return members


def _utf8(text: str) -> bytes:
    # A file name that is not valid text has lone surrogates; "\udc80" is also how JSON writes one.
    return text.encode("utf-8", "backslashreplace")


def as_json(value: Any) -> Any:
    """The same as JSON values: NumPy's numbers as Python's, NaN and infinity as null."""
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, np.ndarray):
        return as_json(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _pieces(members: Mapping[str, bytes]) -> list[bytes]:
    """A zip, in the order of the file."""
    *before, last = frames((name, len(content), zlib.crc32(content)) for name, content in members.items())
    pairs = zip(before, members.values())
    return [piece for (_, frame), content in pairs for piece in (frame, content)] + [last[1]]
