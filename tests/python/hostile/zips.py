"""Zip archives that are not what they say."""

from __future__ import annotations

import io
import random
import struct
import warnings
import zipfile
import zlib
from functools import cache

from mxtune.formats.mxt.layout import frames, order, seal

from .damage import Change, number

_NAMES = ("../x", "../../etc/x", "/etc/x", "C:\\x", "", ".", "a/../b", "x" * 60_000, "data.pkl", "model/data.pkl/",
          "model/code/x.py", "constants.pkl", "manifest.json", "model/constants.pkl", "é", "a\0b", "con", "arr_0.npy",
          "weights.safetensors")  # fmt: skip


@cache
def _bomb(size: int) -> bytes:
    return bytes(size)


def members_of(content: bytes) -> dict[str, bytes]:
    """The members of a zip by name; of one that is damaged those that can be read."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def zip_of(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED, **facts: object) -> bytes:
    """A zip of these members."""
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", method) as archive:
        warnings.simplefilter("ignore")  # a name twice
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            for key, value in facts.items():
                setattr(info, key, value)
            archive.writestr(info, content)
    return stream.getvalue()


def packed_otherwise(rng: random.Random, content: bytes) -> bytes:
    """Other names, a link, a member twice or missing, a bomb, or another way of packing."""
    members = list(members_of(content).items())
    at = rng.randrange(len(members))
    name, part = members[at]
    what = rng.randrange(9)
    if what == 0:
        members[at] = rng.choice(_NAMES), part
    elif what == 1:
        return zip_of([*members, ("link", b"/etc/passwd"), *members[:1]], external_attr=0o120777 << 16)
    elif what == 2:
        members.append((name, part if rng.random() < 0.5 else b"other"))
    elif what == 3:
        members.pop(at)
    elif what == 4:
        members[at] = name, _bomb(rng.choice([1 << 20, 1 << 25]))
        return zip_of(members, zipfile.ZIP_DEFLATED)
    elif what == 5:
        return zip_of(members, rng.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
    elif what == 6:
        members.insert(at, (rng.choice(_NAMES), rng.randbytes(20)))
    elif what == 7:
        members = [(f"{n}", b"") for n in range(3_000)]
    else:
        members.reverse()
    return zip_of(members)


_LOCAL = {"flags": (6, "<H"), "method": (8, "<H"), "crc": (14, "<I"), "packed": (18, "<I"), "size": (22, "<I"),
          "name": (26, "<H"), "extra": (28, "<H")}  # fmt: skip
_CENTRAL = {"flags": (8, "<H"), "method": (10, "<H"), "crc": (16, "<I"), "packed": (20, "<I"), "size": (24, "<I"),
            "name": (28, "<H"), "extra": (30, "<H"), "comment": (32, "<H"), "disk": (34, "<H"), "attributes": (38,
            "<I"), "offset": (42, "<I")}  # fmt: skip
_END = {"disk": (4, "<H"), "here": (8, "<H"), "count": (10, "<H"), "bytes": (12, "<I"), "offset": (16, "<I"),
        "comment": (20, "<H")}  # fmt: skip


def header_changed(rng: random.Random, content: bytes) -> bytes:
    """A field of a header: sizes, offsets, methods, encryption, in one place or in both."""
    data = bytearray(content)
    local, central = _places(content, b"PK\3\4"), _places(content, b"PK\1\2")
    member = rng.randrange(len(central))
    field = rng.choice(sorted(_CENTRAL))
    value = number(rng, 16 if _CENTRAL[field][1] == "<H" else 32)
    if field in ("flags", "method"):
        value = rng.choice([0, 1, 8, 9, 12, 14, 93, 95, 98, 99, 0x41, 0x800, 0x2000])
    if rng.random() < 0.2:
        at, layout = _END[rng.choice(sorted(_END))]
        struct.pack_into(layout, data, content.rindex(b"PK\5\6") + at, number(rng, 8 * struct.calcsize(layout)))
        return bytes(data)
    places = [(central[member], _CENTRAL)]
    if field in _LOCAL and member < len(local):
        places = rng.choice([places, [(local[member], _LOCAL)], [*places, (local[member], _LOCAL)]])
    for start, table in places:
        at, layout = table[field]
        struct.pack_into(layout, data, start + at, value)
    return bytes(data)


def _places(content: bytes, mark: bytes) -> list[int]:
    found, at = [], content.find(mark)
    while at >= 0:
        found.append(at)
        at = content.find(mark, at + 1)
    return found


def huge_dictionary(rng: random.Random, content: bytes) -> bytes:
    """A member packed by LZMA that asks for 4 GB to be unpacked."""
    members = members_of(content)
    name = rng.choice(list(members))
    del members[name]
    raw = struct.pack("<BBH", 9, 4, 5) + b"\x5d" + struct.pack("<I", 0xFFFFFFFF) + bytes(40)
    data = bytearray(zip_of([(name, raw), *members.items()]))  # it is the first
    for mark, table in ((b"PK\3\4", _LOCAL), (b"PK\1\2", _CENTRAL)):
        struct.pack_into("<H", data, bytes(data).index(mark) + table["method"][0], 14)
        struct.pack_into("<I", data, bytes(data).index(mark) + table["size"][0], 100)
    return bytes(data)


def member_changed(change: Change) -> Change:
    """A zip in which one member was changed, with a checksum that is right."""

    def changed(rng: random.Random, content: bytes) -> bytes:
        members = members_of(content)
        name = rng.choice([one for one in members if members[one]] or list(members))
        members[name] = change(rng, members[name] or b"\0")
        return zip_of(list(members.items()))

    return changed


def resealed(change: Change) -> Change:
    """A model file in which one member was changed, with sizes and hashes that are right."""

    def changed(rng: random.Random, content: bytes) -> bytes:
        import json

        members = members_of(content)
        names = order(members)
        name = rng.choice(names)
        members[name] = change(rng, members[name])
        try:
            manifest = json.loads(members["manifest.json"])
            manifest["members"] = {one: seal(members[one]) for one in names[1:]}
            if name != "manifest.json":
                members["manifest.json"] = json.dumps(manifest).encode()
        except (ValueError, TypeError, KeyError, RecursionError):
            pass
        *before, last = frames((one, len(members[one]), zlib.crc32(members[one])) for one in names)
        return b"".join(frame + members[one] for (_, frame), one in zip(before, names)) + last[1]

    return changed
