"""Protocol buffers' wire format, read by a table of fields: what files of ONNX and Caffe are written in.

A message is a row of fields: a number and a kind, then a variable-length integer, 4 or 8 bytes, or a length and so many
bytes. Nothing is allocated that the file does not hold: bytes are views of it, and the number of values is bounded.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from .untrusted import FaultError

MAX_VALUES = 2_000_000
MAX_DEPTH = 24
_ELEMENT = {"float": "<f4", "double": "<f8"}
_KIND_OF_WIRE = {0: "int", 1: "double", 5: "float"}
_DEFAULTS: dict[str, Any] = {"int": 0, "float": 0.0, "double": 0.0, "text": "", "bytes": memoryview(b"")}


@dataclass(frozen=True)
class Field:
    """One field of a message.

    Parameters
    ----------
    name
        What its value is called.
    kind
        ``"int"``, ``"float"``, ``"double"``, ``"text"`` or ``"bytes"``; or the fields of a message, by number.
    repeated
        Whether it is a list; one of numbers is an array.
    """

    name: str
    kind: Union[str, Message]
    repeated: bool = False


Message = Mapping[int, Field]


def parse(content: memoryview, message: Message) -> SimpleNamespace:
    """The values of a message by name, those that are not there with their defaults; unknown fields are passed over.

    Raises
    ------
    FaultError
        It is cut short or malformed, or has too many values.

    Examples
    --------
    >>> message = {1: Field("name", "text"), 2: Field("sides", "int", repeated=True)}
    >>> parse(memoryview(b"\\x0a\\x02ab\\x12\\x02\\x03\\x04"), message)
    namespace(name='ab', sides=array([3, 4]))
    """
    return _Parser().message(content, message, 0)


class _Parser:
    """Counts the values read so far."""

    def __init__(self) -> None:
        self.values = 0

    def message(self, content: memoryview, message: Message, depth: int) -> SimpleNamespace:
        if depth > MAX_DEPTH:
            raise FaultError(f"it is nested more than {MAX_DEPTH} levels deep")
        found: dict[int, Any] = {number: [] for number, field in message.items() if field.repeated}
        at = 0
        while at < len(content):
            self.values += 1
            if self.values > MAX_VALUES:
                raise FaultError(f"it has more than {MAX_VALUES:,} values")
            tag, at = _varint(content, at)
            wire, field = tag & 7, message.get(tag >> 3)
            raw, at = _raw(content, at, wire)
            if field is None:
                continue
            value = self._value(field, wire, raw, depth)
            if field.repeated:
                found[tag >> 3].append(value)
            else:
                found[tag >> 3] = value
        return SimpleNamespace(**{field.name: _complete(field, found.get(n)) for n, field in message.items()})

    def _value(self, field: Field, wire: int, raw: Any, depth: int) -> Any:
        if not isinstance(field.kind, str):
            if wire != 2:
                raise FaultError(f"its {field.name} is no message")
            return self.message(raw, field.kind, depth + 1)
        if wire != 2:
            if _KIND_OF_WIRE[wire] != field.kind:
                raise FaultError(f"its {field.name} is of another type")
            return raw
        if field.kind == "bytes":
            return raw
        if field.kind == "text":
            return _text(field.name, raw)
        if not field.repeated:
            raise FaultError(f"its {field.name} is of another type")
        return _packed(field, raw)


def _complete(field: Field, value: Any) -> Any:
    if not field.repeated:
        return value if value is not None else _DEFAULTS.get(field.kind) if isinstance(field.kind, str) else None
    if field.kind not in ("int", "float", "double"):
        return value
    dtype = "<i8" if field.kind == "int" else _ELEMENT[str(field.kind)]
    if len(value) == 1 and isinstance(value[0], np.ndarray):  # packed, as almost always: no copy
        return value[0]
    return np.concatenate([np.asarray(part, dtype).reshape(-1) for part in value]) if value else np.empty(0, dtype)


def _raw(content: memoryview, at: int, wire: int) -> tuple[Any, int]:
    """The value at this position, and where the next one begins."""
    if wire == 0:
        value, at = _varint(content, at)
        return value - (1 << 64) if value >= 1 << 63 else value, at
    if wire in (1, 5):
        code, size = ("<d", 8) if wire == 1 else ("<f", 4)
        if at + size > len(content):
            raise FaultError("it is cut short")
        return struct.unpack_from(code, content, at)[0], at + size
    if wire == 2:
        size, at = _varint(content, at)
        if size > len(content) - at:
            raise FaultError("it is damaged or cut short: a part is longer than what is left of the file")
        return content[at : at + size], at + size
    raise FaultError("it is damaged: a field is of no known kind")


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            raise FaultError("it is cut short")
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & ((1 << 64) - 1), at
    raise FaultError("it is damaged: a number has more than 64 bits")


def _packed(field: Field, raw: memoryview) -> NDArray[Any]:
    if field.kind == "int":
        return _varints(raw)
    dtype = np.dtype(_ELEMENT[str(field.kind)])
    if len(raw) % dtype.itemsize:
        raise FaultError(f"its {field.name} is cut short")
    return np.frombuffer(raw, dtype)


def _varints(raw: memoryview) -> NDArray[np.int64]:
    """Many variable-length integers, of 7 bits in each byte; the last byte of each is below 128."""
    data = np.frombuffer(raw, np.uint8)
    if not len(data):
        return np.empty(0, np.int64)
    if data[-1] >= 128:
        raise FaultError("it is cut short")
    ends = np.flatnonzero(data < 128)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > 10:
        raise FaultError("it is damaged: a number has more than 64 bits")
    shifts = (np.arange(len(data)) - np.repeat(starts, lengths)).astype(np.uint64) * np.uint64(7)
    parts = (data & np.uint8(127)).astype(np.uint64) << shifts
    return np.add.reduceat(parts, starts).view(np.int64)


def _text(name: str, raw: memoryview) -> str:
    try:
        return bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise FaultError(f"its {name} is not valid text") from None


def written(number: int, value: Union[int, float, str, bytes]) -> bytes:
    """One field of a message: a number, a text, or bytes, which may be a message.

    Examples
    --------
    >>> written(1, "ab") + written(2, 300)
    b'\\n\\x02ab\\x10\\xac\\x02'
    """
    if isinstance(value, float):
        return _as_varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return _as_varint(number << 3) + _as_varint(value & (1 << 64) - 1)
    content = value.encode() if isinstance(value, str) else value
    return _as_varint(number << 3 | 2) + _as_varint(len(content)) + content


def _as_varint(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])
