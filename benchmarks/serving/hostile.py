"""Requests that nobody should send: damaged images, damaged forms and JSON, and images that claim, or are, too much."""

from __future__ import annotations

import base64
import io
import json
import random
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from ..measure import ROOT
from .service import FORM, form, post

sys.path.insert(0, str(ROOT / "tests" / "python"))
from hostile.damage import ANYWHERE

_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")
_BLANK = (8000, 5000)  # pixels, in a PNG of 40 kB; just within the limit
ANSWERS = {"200", "400", "413", "415", "422"}  # some damage does no harm


def requests(photos: list[Path], count: int) -> Iterator[bytes]:
    """So many, the same ones each time."""
    rng = random.Random(0)  # noqa: S311
    samples = [_saved(Image.open(photo).resize((96, 96)), one) for photo in photos[:10] for one in _FORMATS]
    blank = _saved(Image.new("L", _BLANK), "PNG")
    for place in range(count):
        damaged = rng.choice(ANYWHERE)(rng, rng.choice(samples))
        if place % 100 == 0:
            yield post(blank, "image/png")
        elif place % 20 == 1:
            yield post(_claims(rng), "image/png")
        elif place % 4 == 0:
            yield post(damaged, rng.choice(["image/png", "application/octet-stream"]))
        elif place % 4 == 1:
            yield post(form("a.png", damaged), FORM, "?on_bad=na")
        elif place % 4 == 2:
            yield post(rng.choice(ANYWHERE)(rng, form("a.png", rng.choice(samples))), FORM)
        else:
            sound = json.dumps({"images": [{"data": base64.b64encode(rng.choice(samples)).decode()}]}).encode()
            yield post(rng.choice(ANYWHERE)(rng, sound), "application/json")


def _saved(image: Image.Image, form: str) -> bytes:
    stream = io.BytesIO()
    image.convert("L").save(stream, form)
    return stream.getvalue()


def _claims(rng: random.Random) -> bytes:
    """A PNG whose head claims a size that its body has not."""
    size = rng.choice([(60_000, 60_000), (2**31 - 1, 1), (1, 2**31 - 1), (0, 7), (5_000, 5_000)])
    head = b"IHDR" + b"".join(side.to_bytes(4, "big") for side in size) + bytes([8, 2, 0, 0, 0])
    body = b"IDAT" + zlib.compress(bytes(100_000))
    chunks = [(len(part) - 4).to_bytes(4, "big") + part + zlib.crc32(part).to_bytes(4, "big") for part in (head, body)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
