"""Text and JSON from untrusted bytes, and the fault of a file that is not as it should be."""

from __future__ import annotations

import itertools
import json
import math
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelFileError, NetworkError, WeightsError
from ..words import bullets, shortened

AGAIN = "Copy the file again from an intact source, or save the model again."
MOST_AXES = 32
"""Of an array, as NumPy has it."""
_DEEPEST = 64
_MOST_VALUES = 500_000  # in one JSON text, each of which takes a few hundred bytes of memory


class FaultError(Exception):
    """What is wrong with a file, and what to do; the caller adds the file's name and raises our error."""

    def __init__(self, what: str, hint: str = AGAIN) -> None:
        what, hint = shortened(what), shortened(hint)  # they may quote the file, whose names have any length
        super().__init__(what)
        self.what, self.hint = what, hint


class RefusedError(FaultError):
    """A file that is whole, of a kind that is deliberately not read."""


@contextmanager
def naming(*files: Path) -> Iterator[None]:
    """Errors of what is opened name one of its files; too little memory is such an error, too."""
    try:
        with np.errstate(all="ignore"):  # numbers that become infinite are refused by name later
            yield
    except MemoryError:
        if not files:
            raise
        raise WeightsError(f"Can't open {files[0]}.", ["this machine has too little memory for it"]) from None
    except (NetworkError, ModelFileError) as error:
        if not files or any(file.name in str(error) for file in files):
            raise
        lines = bullets([error.message, *error.bullets], 8)
        raise type(error)(f"Can't open {files[0]}.", lines, error.hint) from None


def shown(name: str) -> str:
    """A name for a message: quoted, shortened, without control characters."""
    return json.dumps(name if len(name) <= 80 else name[:77] + "...")


def refuse_packing(entry: zipfile.ZipInfo) -> None:
    """Raises FaultError for a member of a zip that is packed otherwise than usual: LZMA takes the memory it names."""
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FaultError(f"{shown(entry.filename)} is packed in a way that is not read")


def is_too_large(shape: Sequence[int]) -> bool:
    """Whether NumPy can't make an array of this shape, even where one side is 0 and it has no elements at all."""
    # the product of a million sides would take hours
    return len(shape) > MOST_AXES or math.prod(max(side, 1) for side in shape) >= 1 << 56


def text_of(name: str, content: bytes) -> str:
    """The text of the member `name`."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FaultError(f"{name} is not valid text at byte {error.start:,}") from None


def json_of(name: str, content: bytes) -> Any:
    """The value of the JSON member `name`: nested no deeper than 64, no key twice, no NaN, half a million values."""
    if content.count(b",") + content.count(b"[") + content.count(b"{") > _MOST_VALUES:
        raise FaultError(f"{name} has more than {_MOST_VALUES:,} values")
    text = text_of(name, content)
    outside = "".join(re.sub(r"\\.", "", text).split('"')[::2])  # without what is in strings
    steps = (1 if bracket in "[{" else -1 for bracket in re.findall(r"[\[\]{}]", outside))
    if max(itertools.accumulate(steps), default=0) > _DEEPEST:
        raise FaultError(f"{name} is nested more than {_DEEPEST} levels deep")
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except ValueError as error:
        raise FaultError(f"{name} is not valid JSON ({error})") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key occurs twice")
    return values


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")
