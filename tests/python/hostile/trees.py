"""Values in place of others in what has names and values: JSON, protocol buffers, headers, Caffe's text."""

from __future__ import annotations

import json
import random
import re
import struct
from typing import Any, Union

from .damage import ANYWHERE, number

_DEEP = 40_000
_RAW = ("NaN", "-Infinity", "1e999", "9" * 5_000, "-" + "9" * 400, "[" * _DEEP + "]" * _DEEP,
        '{"a":' * 200 + "1" + "}" * 200, '"\\ud800"', '"\\u0000"', "[]", "{}", "null", "true", "-1", "0", "1.5",
        "9223372036854775808", '""', '"../x"', '"' + "x" * 20_000 + '"', "4294967296", "[1, [2]]", '"999999999999"',
        '"(99999999, 99999999)"', "1e-400")  # fmt: skip


# ---- JSON


def json_changed(rng: random.Random, content: bytes) -> bytes:
    """A value of the document in place of another, gone, or there twice."""
    try:
        document = json.loads(content)
    except ValueError:
        return rng.choice(ANYWHERE)(rng, content)
    holders = list(_holders(document))
    if not holders:
        return rng.choice(_RAW).encode()
    holder = rng.choice(holders)
    key = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    what = rng.randrange(5)
    if what == 0:
        del holder[key]
    elif what == 1 and isinstance(holder, list):
        holder += [holder[key]] * rng.choice([1, 1000])
    elif what == 2:
        holder[key] = json.loads(json.dumps(rng.choice(holders)))
    else:
        holder[key] = "@@raw@@"
    text = json.dumps(document, ensure_ascii=False)
    text = text.replace('"@@raw@@"', rng.choice(_RAW), 1)
    if rng.random() < 0.05:
        text = re.sub(r'("\w+": ?)', r"\1null, \1", text, count=1)  # a key twice
    return text.encode("utf-8", "replace")


def _holders(value: Any) -> Any:
    if isinstance(value, (dict, list)) and value:
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _holders(one)


def safetensors_changed(rng: random.Random, content: bytes) -> bytes:
    """Another header, of which the length is right."""
    size = int.from_bytes(content[:8], "little")
    header = json_changed(rng, content[8 : 8 + size])
    return struct.pack("<Q", len(header)) + header + content[8 + size :]


# ---- NumPy's headers


def npy_changed(rng: random.Random, content: bytes) -> bytes:
    """Another type, order or shape in the header of an array, of which the length is right."""
    size = struct.unpack_from("<H", content, 8)[0]
    header = content[10 : 10 + size].decode("latin-1")
    odd = rng.choice(["(-1,)", "(1<<62,)", "(99999999999, 0)", "(1,)*70", "(True,)", "'O'", "'|O8'", "'<f4'", "'<U9'",
                     "'>f8'", "[('a', 'f4', (9999999,))]", "'V999999999'", "'M8[ns]'", "'c16'", "'f2'", "'a5'",
                     "(2L,)", "()", "None", "__import__('os').system('touch canary')", "(" * 5000,
                     "{" * 90 + "}" * 90, "'\\d'", "1e999", "'(2,)f4'", "0x" + "f" * 5000, "(" + "2**" * 500 + "2,)",
                     "1 if 1else 2", "'f4,f4'", "(" + "9" * 4000 + ",)"])  # fmt: skip
    header = re.sub(rng.choice([r"'[<>|]\w+'", r"\(.*?\)", r"False|True", r"'\w+'", r"$"]), lambda _: odd, header,
                    count=1)  # fmt: skip
    raw = header.encode("latin-1")
    return content[:8] + struct.pack("<H", len(raw) % 65536) + raw + content[10 + size :]


# ---- Caffe's text

_WORDS = ("-1", "0", "99999999999", "1e39", "-1e999", "nan", "inf", "0x" + "f" * 9_000, "9" * 9_000, '"x"', '"\\d"',
          '"\\0"', '"\\400"', "'\\N{BULLET}'", '"\\777\\xff"', "true", "{ a: 1 }", "{" * 200, "}", "[", "[1, 2, 3]",
          "MAX", "TEST", '"' + "x" * 5_000 + '"', "")  # fmt: skip


def text_changed(rng: random.Random, content: bytes) -> bytes:
    """Other words of a description."""
    parts = re.split(r'("(?:[^"\\]|\\.)*"|[\w.+-]+)', content.decode("utf-8", "replace"))
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(1, len(parts), 2)
        parts[at] = rng.choice([*_WORDS, parts[rng.randrange(1, len(parts), 2)]])
    return "".join(parts).encode()


# ---- protocol buffers

Fields = list[tuple[int, int, Union[int, bytes]]]
"""Number, wire type and value of each field of a message."""


def fields_of(content: bytes) -> Fields:
    """The fields of a message.

    Raises
    ------
    ValueError
        These bytes are none.
    """
    found: Fields = []
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        wire = tag & 7
        if wire == 0:
            value, at = _varint(content, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            value, at = content[at : at + size], at + size
        elif wire == 2:
            size, at = _varint(content, at)
            value, at = content[at : at + size], at + size
        else:
            raise ValueError("no message")
        if at > len(content) or not tag >> 3:
            raise ValueError("no message")
        found.append((tag >> 3, wire, value))
    return found


def message_of(fields: Fields) -> bytes:
    """The bytes of a message."""
    parts = []
    for key, wire, value in fields:
        if isinstance(value, int):
            parts.append(_as_varint(key << 3) + _as_varint(value))
        else:
            parts.append(_as_varint(key << 3 | wire) + (_as_varint(len(value)) if wire == 2 else b"") + value)
    return b"".join(parts)


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(content) or shift > 63:
            raise ValueError("no message")
        value |= (content[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if content[at - 1] < 128:
            return value, at


def _as_varint(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def message_changed(rng: random.Random, content: bytes) -> bytes:
    """One field of the message, or of one in it, in place of another, gone, or there many times."""
    fields = fields_of(content)
    if not fields:
        return content
    at = rng.randrange(len(fields))
    key, wire, value = fields[at]
    if isinstance(value, bytes) and wire == 2 and value and rng.random() < 0.8:
        try:
            fields[at] = key, wire, message_changed(rng, value)
            return message_of(fields)
        except ValueError:
            pass
    what = rng.randrange(6)
    if what == 0:
        del fields[at]
    elif what == 1:
        fields[at:at] = [fields[at]] * rng.choice([1, 2, 500])
    elif what == 2:
        fields[at] = fields[rng.randrange(len(fields))]
    elif what == 3:
        fields[at] = rng.choice([1, 2, 4, 5, 7, 8, 13, 14, 100, 1 << 28]), wire, value
    elif isinstance(value, int):
        fields[at] = key, 0, number(rng, rng.choice([8, 16, 32, 64]))
    else:
        fields[at] = key, wire, _other(rng, value) if wire == 2 else rng.randbytes(len(value))
    return message_of(fields)


def _other(rng: random.Random, value: bytes) -> bytes:
    nested = b""
    for _ in range(300):
        nested = _as_varint(7 << 3 | 2) + _as_varint(len(nested)) + nested
    other = [b"", b"\xff\xfe", b"If", b"Loop", b"Scan", b"ConstantOfShape", b"Expand", b"Tile", b"Range", b"Reshape",
             b"Pow", b"../x", b"/etc/passwd", b"x" * 5_000, nested, b"\xff" * 9 + b"\x01", value * 50,
             b"".join(_as_varint((1 << 62) + 1) for _ in range(3_000))]  # fmt: skip
    return rng.choice([*other, rng.choice(ANYWHERE)(rng, value) if value else b"\0"])


def with_arrays_elsewhere(content: bytes, name: str) -> tuple[bytes, bytes]:
    """An ONNX model, whose arrays are in another file; and the content of that."""
    model, elsewhere = fields_of(content), b""
    at = next(place for place, field in enumerate(model) if field[0] == 7)
    graph = fields_of(bytes(model[at][2]))  # type: ignore[arg-type]
    for place, (key, wire, value) in enumerate(graph):
        if key == 5 and isinstance(value, bytes):
            array = fields_of(value)
            raw = next((one for number, _, one in array if number == 9), b"")
            assert isinstance(raw, bytes)
            facts = {"location": name, "offset": str(len(elsewhere)), "length": str(len(raw))}
            kept = [one for one in array if one[0] != 9]
            kept += [(13, 2, message_of([(1, 2, k.encode()), (2, 2, v.encode())])) for k, v in facts.items()]
            graph[place] = key, wire, message_of([*kept, (14, 0, 1)])
            elsewhere += raw
    model[at] = 7, 2, message_of(graph)
    return message_of(model), elsewhere


_PLACES = (b"../net.data", b"/etc/passwd", b"/etc/hostname", b"net.data/../net.data", b"C:\\x", b"..\\net.data", b".",
           b"", b"link", b"link/net.data", b"net.data\0", b"http://x/net.data", b"/proc/self/environ", b"/dev/zero",
           b"folder", b"pipe", b"\xff", b"x" * 5000)  # fmt: skip


def place_changed(rng: random.Random, content: bytes) -> bytes:
    """An array of an ONNX model that says it lies elsewhere, or is of another length."""
    model = fields_of(content)
    at = next(place for place, field in enumerate(model) if field[0] == 7)
    graph = fields_of(bytes(model[at][2]))  # type: ignore[arg-type]
    where = rng.choice([place for place, field in enumerate(graph) if field[0] == 5])
    array = fields_of(bytes(graph[where][2]))  # type: ignore[arg-type]
    array = [one for one in array if one[0] not in (9, 13, 14)]
    lies = [str(number(rng, 64)), "-1", "1e3", "x", "9" * 5000, "", "0"]
    facts = {b"location": rng.choice(_PLACES), b"offset": rng.choice(lies).encode(),
             b"length": rng.choice(lies).encode()}  # fmt: skip
    chosen = {b"location": b"net.data"} | {key: facts[key] for key in rng.sample(sorted(facts), rng.randint(1, 3))}
    array += [(13, 2, message_of([(1, 2, key), (2, 2, value)])) for key, value in chosen.items()]
    graph[where] = 5, 2, message_of([*array, (14, 0, 1)])
    model[at] = 7, 2, message_of(graph)
    return message_of(model)
