"""Images in a row, with words beneath."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Optional

from .markup import Markup, Node, named, tag
from .subject import Subject
from .thumbnails import embedded, thumbnails

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = Optional[NDArray[Any]]


def gallery(subject: Subject, rows: Sequence[int], words: Sequence[Sequence[Node]]) -> Markup:
    """Images that the model is judged by, all of which are at hand, each with lines of words and its file."""
    assert subject.images is not None  # noqa: S101 - who calls has seen to it
    small = thumbnails(subject.images, [int(subject.places[row]) for row in rows])
    return tag("ul", [_shown(subject, *one) for one in zip(rows, small, words)], class_="gallery")


def _shown(subject: Subject, row: int, pixels: Pixels, words: Sequence[Node]) -> Markup:
    assert subject.judged is not None  # noqa: S101 - the same
    name = PurePath(subject.judged.names[row]).name
    picture = tag("p", "can't be read now", class_="gone") if pixels is None else embedded(pixels, f"Image {name}")
    lines = [tag("span", line) for line in words]
    return tag("li", picture, tag("p", lines, tag("span", named(name, 24), class_="file")))
