"""What happens to the bytes of any file."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence

Change = Callable[[random.Random, bytes], bytes]
LAYOUTS = ("B", "<H", "<I", "<Q", ">H", ">I", ">Q")


def place(rng: random.Random, content: bytes) -> int:
    """Somewhere in the file, as often as not near its beginning or end, where sizes and names lie."""
    near = min(len(content), 200)
    return rng.choice([rng.randrange(len(content)), rng.randrange(near), len(content) - 1 - rng.randrange(near)])


def number(rng: random.Random, bits: int) -> int:
    """One that a reader may not have thought of."""
    most = (1 << bits) - 1
    return rng.choice([0, 1, 2, most, most - 1, most >> 1, (most >> 1) + 1, 1 << max(bits - 4, 0), rng.randrange(most)])


def cut(rng: random.Random, content: bytes) -> bytes:
    return content[: place(rng, content)]


def flipped(rng: random.Random, content: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        data[place(rng, content)] ^= 1 << rng.randrange(8)
    return bytes(data)


def other_bytes(rng: random.Random, content: bytes) -> bytes:
    at, size = place(rng, content), rng.randint(1, 8)
    return content[:at] + rng.choice([rng.randbytes(size), bytes(size), b"\xff" * size]) + content[at + size :]


def other_number(rng: random.Random, content: bytes) -> bytes:
    at, layout = place(rng, content), rng.choice(LAYOUTS)
    size = struct.calcsize(layout)
    return content[:at] + struct.pack(layout, number(rng, 8 * size)) + content[at + size :]


def taken_out(rng: random.Random, content: bytes) -> bytes:
    at = place(rng, content)
    return content[:at] + content[at + rng.randint(1, 64) :]


def doubled(rng: random.Random, content: bytes) -> bytes:
    at = place(rng, content)
    part = content[at : at + rng.randint(1, 256)]
    return content[:at] + part * rng.choice([2, 3, 100]) + content[at + len(part) :]


def moved(rng: random.Random, content: bytes) -> bytes:
    here, there = sorted((place(rng, content), place(rng, content)))
    size = rng.randint(1, 64)
    return content[:here] + content[there : there + size] + content[here + size :]


def longer(rng: random.Random, content: bytes) -> bytes:
    more = rng.choice([bytes(1000), rng.randbytes(1000), content])
    return rng.choice([content + more, more + content, content + b"\0"])


def spliced(others: Sequence[bytes]) -> Change:
    """The beginning of a file and the end of another."""

    def change(rng: random.Random, content: bytes) -> bytes:
        other = rng.choice(others)
        return content[: place(rng, content)] + other[place(rng, other) :]

    return change


ANYWHERE: tuple[Change, ...] = (
    cut, flipped, other_bytes, other_number, taken_out, doubled, moved, longer,
)  # fmt: skip
