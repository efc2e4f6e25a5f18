"""safetensors: arrays by name behind a JSON header, as Hugging Face's hub and our model files hold them.

Eight bytes give the length of the header, which gives the type, shape and place of each array.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import numpy as np
from numpy.typing import NDArray

from .. import store
from ..errors import ArgumentError, WeightsError
from . import Contents, Format, Glimpse, register
from .notes import levels_of, origin_of, preprocess_of, texts_of
from .untrusted import MOST_AXES, FaultError, is_too_large, json_of, shown

if TYPE_CHECKING:
    from typing_extensions import TypeGuard

BFLOAT16 = "BF16"  # which NumPy lacks: the upper half of a float32
DTYPES = {
    "BOOL": "bool",
    **{f"I{8 * size}": f"<i{size}" for size in (1, 2, 4, 8)},
    **{f"U{8 * size}": f"<u{size}" for size in (1, 2, 4, 8)},
    **{f"F{8 * size}": f"<f{size}" for size in (2, 4, 8)},
    BFLOAT16: "<u2",
}
_MOST_HEADER = 1 << 24  # bytes; a network of 10,000 arrays has 1 MB


def arrays_of(name: str, content: bytes) -> dict[str, NDArray[Any]]:
    """The arrays in the bytes of a safetensors file, each with memory of its own, in the order of their names.

    Types are the file's own, except that bfloat16 becomes float32.

    Parameters
    ----------
    name
        Of the file, for errors.

    Raises
    ------
    FaultError
        Header and arrays do not fill the bytes exactly, without gap or overlap.
    """
    arrays, place = {}, 0
    size, header, _ = _header(name, content)
    for key, dtype, shape, start, end in sorted(_entries(name, header), key=lambda entry: entry[3:]):
        if start != place:
            raise FaultError(f"{name}: {shown(key)} overlaps another array or leaves a gap")
        place = end
        if end > len(content) - 8 - size:
            raise FaultError(f"{name}: the arrays end elsewhere than the file")
        flat = np.frombuffer(content, DTYPES[dtype], count=math.prod(shape), offset=8 + size + start)
        widened = (flat.astype("<u4") << 16).view("<f4") if dtype == BFLOAT16 else flat.copy()
        arrays[key] = widened.reshape(shape)
    if place != len(content) - 8 - size:
        raise FaultError(f"{name}: the arrays end elsewhere than the file")
    return {key: arrays[key] for key in sorted(arrays)}


def bytes_of(arrays: Mapping[str, NDArray[Any]], texts: Optional[Mapping[str, str]] = None) -> bytes:
    """The arrays as the content of a safetensors file; the same arrays in any order give the same bytes.

    Parameters
    ----------
    texts
        Metadata by name.

    Raises
    ------
    ArgumentError
        An array has a type that the format lacks.
    """
    from safetensors.numpy import save

    types = {np.dtype(code) for code in DTYPES.values()}
    stored = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    for name, array in stored.items():
        if array.dtype.newbyteorder("<") not in types:
            raise ArgumentError(f'A file can\'t hold the array "{name}" of type {array.dtype}.')
    content = bytes(save(stored))
    return content if texts is None else _with_texts(content, texts)


def _with_texts(content: bytes, texts: Mapping[str, str]) -> bytes:
    """The content of a file with metadata, in the order of their names: the library's own order is a random one."""
    size = int.from_bytes(content[:8], "little")
    notes = json.dumps(dict(sorted(texts.items())), ensure_ascii=False)
    entries = content[9 : 8 + size].strip()
    header = f'{{"__metadata__":{notes}'.encode() + (b"," if entries != b"}" else b"") + entries
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content[8 + size :]


Entry = tuple[str, str, tuple[int, ...], int, int]
"""For each array its name, type, shape, and where it begins and ends."""


def _header(name: str, content: bytes) -> tuple[int, dict[str, Any], dict[str, str]]:
    """The length of the header, what it says of each array, and the metadata."""
    size = int.from_bytes(content[:8], "little")
    if not 2 <= size <= min(len(content) - 8, _MOST_HEADER):
        raise FaultError(f"{name}: the header does not fit into {len(content):,} bytes")
    header = json_of(name, content[8 : 8 + size])
    if not isinstance(header, dict):
        raise FaultError(f"{name}: the header is not a table of arrays")
    notes = header.pop("__metadata__", {})
    if not isinstance(notes, dict) or not all(isinstance(note, str) for note in notes.values()):
        raise FaultError(f"{name}: the metadata in its header is not text")
    return size, header, notes


def _entries(name: str, header: Mapping[str, Any]) -> Iterator[Entry]:
    for key, facts in header.items():
        place = facts.get("data_offsets") if isinstance(facts, dict) else None
        if not _whole_numbers(place) or len(place) != 2:
            raise FaultError(f"{name}: {shown(key)} has no valid place")
        dtype, shape = facts.get("dtype"), facts.get("shape")
        if not isinstance(dtype, str) or dtype not in DTYPES:
            raise FaultError(f"{name}: {shown(key)} has an unknown type of number")
        if not _whole_numbers(shape) or len(shape) > MOST_AXES:
            raise FaultError(f"{name}: {shown(key)} has no valid shape")
        if place[1] - place[0] != math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize:
            raise FaultError(f"{name}: {shown(key)} does not fill the place it claims")
        if is_too_large(shape):
            raise FaultError(f"{name}: {shown(key)} has no valid shape")
        yield key, dtype, tuple(shape), place[0], place[1]


def _whole_numbers(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 1 << 48 for item in value)


def sniff(glimpse: Glimpse) -> bool:
    """Whether it begins with a length below 16 MB, and JSON."""
    return glimpse.begins(rb".{3}\0{5}\{\s*[\"}]")


def read(path: Path, limit: float = 1.0) -> Contents:  # noqa: ARG001 - weights have no graph
    """The arrays of a safetensors file.

    Raises
    ------
    WeightsError
        It is damaged or hostile.
    """
    try:
        content = path.read_bytes()
        weights, texts = arrays_of(path.name, content), _header(path.name, content)[2]
    except FaultError as fault:
        raise WeightsError(f"Can't read the weights in {path}.", [fault.what], fault.hint) from None
    except OSError as fault:
        raise WeightsError(f"Can't read {path}: {fault.strerror or fault}.") from None
    return Contents(
        weights=weights, preprocess=preprocess_of(texts), levels=levels_of(texts), provenance=origin_of(texts)
    )


def write(path: Path, contents: Contents) -> None:
    """Write the arrays as PyTorch's and Hugging Face's programs read them, by the names of their library where known.

    Raises
    ------
    StoreError
        The file can't be written.
    """
    texts = {"format": "pt", **texts_of(contents)}  # transformers asks for the format
    store.write(path, [bytes_of(contents.theirs or contents.weights or {}, texts)], "the weights")


register(Format("safetensors", (".safetensors",), sniff, read, write))
