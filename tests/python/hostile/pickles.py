"""Pickles that want to run something, or to take all memory or time."""

from __future__ import annotations

import os
import pickle
import random
import struct

from mxtune.formats.torch import MAGIC, PROTOCOL
from torch_files import MACHINE, pickled

CANARY = "canary"


class _Attack:
    def __init__(self, protocol_of: object, *arguments: object) -> None:
        self.what, self.arguments = protocol_of, arguments

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.what, self.arguments


def _text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def attacks() -> list[bytes]:
    """Whole pickles without their last instruction, each of which would do harm in Python's own reader."""
    touch = f"touch {CANARY}"
    honest = [
        _Attack(os.system, touch),
        _Attack(eval, f"open({CANARY!r}, 'w')"),
        _Attack(exec, f"open({CANARY!r}, 'w')"),
        _Attack(getattr, "x", "upper"),
        {"state_dict": _Attack(os.system, touch)},
        [_Attack(__import__, "antigravity")],
    ]
    found = [pickle.dumps(one, protocol)[:-1] for one in honest for protocol in (0, 2, 4)]
    call = _text(touch) + b"\x85R"
    found += [
        b"\x80\x02cposix\nsystem\n" + call,
        b"\x80\x04" + _text("os") + _text("system") + b"\x93" + call,
        b"\x80\x02(" + _text(touch) + b"iposix\nsystem\n",  # INST
        b"\x80\x02(cposix\nsystem\n" + _text(touch) + b"o",  # OBJ
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)\x81}b",  # NEWOBJ, BUILD
        b"\x80\x02ccollections\nOrderedDict\n)R}" + _text("__reduce__") + _text(touch) + b"sb",
        b"\x80\x02ctorch\nFloatStorage\n" + _text("x") + b"\x85R",
        b"\x80\x02ctorch.nn.modules.linear\nLinear\n)\x81}b",
        b"\x80\x02\x82\x01",  # a registered extension
        b"\x80\x02}(" + _text("a") + _text("../../etc/passwd") + b"Qu",
        b"\x80\x02P../../etc/passwd\n",
        b"\x80\x02}" + _text("a") + b"(" + _text("storage") + b"ctorch\nFloatStorage\n" + _text("../0")
        + _text("cpu") + b"J\xff\xff\xff\x7ftQs",
        # memory and time
        b"\x80\x02" + b"(" * 100_000,
        b"\x80\x02" + b"]" * 20_000 + b"a" * 19_999,
        b"\x80\x02)" + b"\x85" * 200_000,
        b"\x80\x02)" + b"q\x00h\x00h\x00\x86" * 200,
        b"\x80\x02]" + b"q\x00" + b"h\x00a" * 1000,
        b"\x80\x02]q\x00)q\x01" + b"h\x01h\x01\x86q\x01" * 100 + b"a",
        b"\x80\x02\x8b\xff\xff\xff\x7f",
        b"\x80\x02\x8e" + struct.pack("<Q", 1 << 62),
        b"\x80\x02B\xff\xff\xff\x7f",
        b"\x80\x02X\xff\xff\xff\xff",
        b"\x80\x05\x96" + struct.pack("<Q", 1 << 40),
        b"\x80\x02Nr\xff\xff\xff\xff",
        b"\x80\x04\x95" + struct.pack("<Q", 1 << 62) + b"N",
        b"\x80\x02I" + b"9" * 9_000 + b"\n",
        b"\x80\x02\x8a\xff" + b"\x7f" * 255,
        b"\x80\x02](" + b"(" + _text("a") + b"Nt" + b"".join(b"(" + _text(f"k{n}") + b"Nt" for n in range(2_000))
        + b"eq\x00" + b"".join(b"ccollections\nOrderedDict\nh\x00\x85R" for _ in range(2_000)),
    ]  # fmt: skip
    return found


_ATTACKS = attacks()
_PIECES = (
    b"c",
    b"R",
    b"b",
    b"Q",
    b"0",
    b"(",
    b"t",
    b"u",
    b"s",
    b"a",
    b"e",
    b"}",
    b"]",
    b")",
    b"N",
    b"h\0",
    b"q\0",
    b"2",
    b"\x81",
    b"\x93",
    b"P0\n",
    b"\x88",
    b"K\xff",
    b"J\xff\xff\xff\xff",
    b"X\xff\xff\xff\xff",
    b"\x8a\x08" + b"\xff" * 8,
    b"M\xff\xff",
    b"G\x7f\xf0\0\0\0\0\0\0",
    b".",
    b"\x80\x06",
    b"cposix\nsystem\n",
)


def evil(rng: random.Random, content: bytes) -> bytes:
    """Another pickle in place of this one, before it, in the middle of it or as its last value."""
    attack = rng.choice(_ATTACKS)
    at = rng.randrange(len(content))
    return rng.choice([
        attack + b".",
        content[:-1] + attack + b".",
        content[:at] + attack[2:] + b"0" + content[at:],
        content[:-1] + attack[2:] + b".",
        content[:2] + attack[2:] + b"." + content,
    ])  # fmt: skip


def other_instructions(rng: random.Random, content: bytes) -> bytes:
    """The pickle with some of its instructions changed, added or gone."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(2, max(len(data), 3))
        data[at : at + rng.randint(0, 2)] = rng.choice(_PIECES)
    return bytes(data)


def evil_legacy(rng: random.Random, content: bytes) -> bytes:
    """A file of the old layout whose third, fourth or fifth pickle is another."""
    head = [pickled(MAGIC), pickled(PROTOCOL), pickled(MACHINE), pickled({})][: rng.randint(0, 4)]
    return b"".join(head) + rng.choice(_ATTACKS) + b"." + content[-200:]
