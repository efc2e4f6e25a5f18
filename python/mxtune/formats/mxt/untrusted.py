"""Text, JSON and arrays from bytes that anyone may have made."""

from __future__ import annotations

import itertools
import json
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from .layout import DTYPES

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import TypeGuard

NO_MODEL = "A model file is what model.save() or mxsave() writes."
AGAIN = "Copy the file again from where it was whole, or save the model once more."
_MOST_HEADER = 1 << 24  # bytes; a network of 10,000 arrays has 1 MB
_DEEPEST = 64
_MOST_VALUES = 2_000_000  # in one JSON text, to which a few hundred bytes of memory go each


class FaultError(Exception):
    """What is wrong with a file, and what to do; who knows the file's name makes it a `ModelFileError`."""

    def __init__(self, what: str, hint: str = AGAIN) -> None:
        super().__init__(what)
        self.what, self.hint = what, hint


def shown(name: str) -> str:
    """A name for a message: quoted, not long, without control characters."""
    return json.dumps(name if len(name) <= 80 else name[:77] + "...")


def text_of(name: str, content: bytes) -> str:
    """The text of the member `name`."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FaultError(f"{name} is no valid text at byte {error.start:,}") from None


def json_of(name: str, content: bytes) -> Any:
    """The value of the JSON member `name`: nested no deeper than 64, no key twice, no NaN, two million values."""
    if content.count(b",") + content.count(b"[") + content.count(b"{") > _MOST_VALUES:
        raise FaultError(f"{name} has more than {_MOST_VALUES:,} values", NO_MODEL)
    text = text_of(name, content)
    outside = "".join(re.sub(r"\\.", "", text).split('"')[::2])  # without what is in strings
    steps = (1 if bracket in "[{" else -1 for bracket in re.findall(r"[\[\]{}]", outside))
    if max(itertools.accumulate(steps), default=0) > _DEEPEST:
        raise FaultError(f"{name} is nested more than {_DEEPEST} levels deep", NO_MODEL)
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except ValueError as error:
        raise FaultError(f"{name} is no valid JSON ({error})") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key comes twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def arrays_of(name: str, content: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of the safetensors member `name`, each of its own memory; every offset is checked first."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    shapes = _shapes(name, content)
    try:
        loaded = load(content)
    except (SafetensorError, ValueError) as error:
        raise FaultError(f"{name}: {error}") from None
    if {key: array.shape for key, array in loaded.items()} != shapes:
        raise FaultError(f"{name}: the arrays are not those of the header")
    # Some versions give views of bytes, which can't be trained further.
    return {key: np.require(loaded[key], requirements=["C", "W"]) for key in sorted(loaded)}


def _shapes(name: str, content: bytes) -> dict[str, tuple[int, ...]]:
    """Shapes by name, if header and arrays fill the bytes without gap or overlap."""
    size = int.from_bytes(content[:8], "little")
    if not 2 <= size <= min(len(content) - 8, _MOST_HEADER):
        raise FaultError(f"{name}: the header does not fit into {len(content):,} bytes")
    header = json_of(name, content[8 : 8 + size])
    if not isinstance(header, dict):
        raise FaultError(f"{name}: the header is no table of arrays")
    header.pop("__metadata__", None)
    shapes, place = {}, 0
    for key, told in sorted(header.items(), key=lambda item: _place(name, *item)):
        start, end = _place(name, key, told)
        shapes[key] = _shape(name, key, told, end - start)
        if start != place:
            raise FaultError(f"{name}: {shown(key)} overlaps another array or leaves a gap")
        place = end
    if place != len(content) - 8 - size:
        raise FaultError(f"{name}: the arrays end elsewhere than the file")
    return shapes


def _place(name: str, key: str, told: Any) -> tuple[int, int]:
    place = told.get("data_offsets") if isinstance(told, dict) else None
    if not _whole_numbers(place) or len(place) != 2:
        raise FaultError(f"{name}: {shown(key)} has no valid place")
    return place[0], place[1]


def _shape(name: str, key: str, told: dict[str, Any], size: int) -> tuple[int, ...]:
    dtype, shape = told.get("dtype"), told.get("shape")
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise FaultError(f"{name}: {shown(key)} has an unknown type of number")
    if not _whole_numbers(shape) or len(shape) > 32:
        raise FaultError(f"{name}: {shown(key)} has no valid shape")
    if size != math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize:
        raise FaultError(f"{name}: {shown(key)} does not fill the place it claims")
    return tuple(shape)


def _whole_numbers(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 1 << 48 for item in value)
