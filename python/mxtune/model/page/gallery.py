"""Images in a row, with words beneath."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Optional

from .markup import Markup, Node, named, tag
from .subject import Subject
from .thumbnails import embedded, thumbnails

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = Optional[NDArray[Any]]

_NONE: Mapping[int, Any] = MappingProxyType({})


def gallery(
    subject: Subject, rows: Sequence[int], words: Sequence[Sequence[Node]], evidence: Mapping[int, NDArray[Any]] = _NONE
) -> Markup:
    """Images that the model is judged by, all of which are at hand, each with lines of words and its file; beneath it
    the evidence for its answer, where there is some."""
    assert subject.images is not None  # noqa: S101 - who calls has seen to it
    small = thumbnails(subject.images, [int(subject.places[row]) for row in rows])
    items = [_shown(subject, row, pixels, lines, evidence.get(row)) for row, pixels, lines in zip(rows, small, words)]
    return tag("ul", items, class_="gallery")


def _shown(subject: Subject, row: int, pixels: Pixels, words: Sequence[Node], evidence: Pixels) -> Markup:
    assert subject.judged is not None  # noqa: S101 - the same
    name = PurePath(subject.judged.names[row]).name
    picture = tag("p", "can't be read now", class_="gone") if pixels is None else embedded(pixels, f"Image {name}")
    lines = [tag("span", line) for line in words]
    why = None if evidence is None else embedded(evidence, f"Evidence in {name}")
    return tag("li", picture, why, tag("p", lines, tag("span", named(name, 24), class_="file")))
