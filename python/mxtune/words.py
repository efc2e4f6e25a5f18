"""Words that many messages need: plurals, shortened lists, shapes, sizes, hints for mistyped names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Optional


def counted(n: int, one: str, many: Optional[str] = None) -> str:
    """A number and its noun; the plural is ``one`` with an s unless ``many`` is given.

    Examples
    --------
    >>> counted(1, "image"), counted(3, "image"), counted(2, "class", "classes")
    ('1 image', '3 images', '2 classes')
    """
    return f"{n} {one if n == 1 else many or one + 's'}"


def a(noun: str) -> str:
    """The noun with its article.

    Examples
    --------
    >>> a("dict"), a("int"), a("AVIF image")
    ('a dict', 'an int', 'an AVIF image')
    """
    return f"{'an' if noun[:1] in 'AEIOaeio' else 'a'} {noun}"


def listing(names: Sequence[str], most: int = 8) -> str:
    """Names in a sentence: the first ones, and how many more there are.

    Examples
    --------
    >>> listing(["a", "b", "c"]), listing(["a", "b", "c"], most=1), listing([])
    ('a, b, c', 'a and 2 more', 'none')
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more or "none"


def shortened(text: str, most: int = 400) -> str:
    """The text, or its beginning and end where it is longer than a message should be.

    Examples
    --------
    >>> shortened("abcdefghijkl", most=9)
    'abc...jkl'
    """
    part = max((most - 3) // 2, 1)
    return text if len(text) <= most else f"{text[:part]}...{text[-part:]}"


def bullets(lines: Sequence[str], most: int = 20) -> list[str]:
    """Lines of an error or a warning: the first ones, and how many more there are; none is longer than 400 characters.

    Examples
    --------
    >>> bullets(["a: empty", "b: empty", "c: empty"], most=2)
    ['a: empty', 'b: empty', 'and 1 more']
    """
    shown = [shortened(line) for line in lines[:most]]
    return shown if len(lines) <= most else [*shown, f"and {len(lines) - most} more"]


def shape_text(sides: Iterable[int]) -> str:
    """The shape of an array.

    Examples
    --------
    >>> shape_text((3, 224, 224)), shape_text(())
    ('3 x 224 x 224', 'a single number')
    """
    return " x ".join(map(str, sides)) or "a single number"


def file_size(n_bytes: int) -> str:
    """A number of bytes in units that people read.

    Examples
    --------
    >>> file_size(12_345), file_size(1_234_567), file_size(80)
    ('12 kB', '1.2 MB', '80 bytes')
    """
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if n_bytes >= size * 0.9995:
            return f"{n_bytes / size:.{0 if n_bytes >= 10 * size else 1}f} {unit}"
    return counted(n_bytes, "byte")


def file_name(name: str) -> str:
    """A file's name as text that can be printed, also where its bytes are no UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def near(name: str, candidates: Iterable[str], most: int = 3, before: str = "") -> Optional[str]:
    """A hint that points from a mistyped name to what was probably meant, or None; ``before`` precedes each name.

    Examples
    --------
    >>> near("steam_conv", ["stem_conv", "head"])
    'Did you mean stem_conv?'
    """
    close = matches(name, candidates, most)
    return f"Did you mean {', '.join(before + one for one in close)}?" if close else None


def matches(name: str, candidates: Iterable[str], most: int = 3) -> list[str]:
    """The candidates that a mistyped name may stand for, the closest first.

    Examples
    --------
    >>> matches("resnet50", ["resnet50_v1", "lenet"])
    ['resnet50_v1', 'lenet']
    """
    return difflib.get_close_matches(str(name)[:100], list(candidates), n=most, cutoff=0.5)
