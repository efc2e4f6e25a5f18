"""What the model does not know: images unlike all that it was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ...memory import Memory
from ...novelty import LEVEL
from ..charts import histogram
from ..elements import drawing, note, table
from ..gallery import gallery
from ..markup import Node, tag
from ..numbers import many, percent, share, short
from ..section import Section, section
from ..subject import GIVEN, Subject

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_TITLE = "What it does not know"
_SHOWN, _BINS = 6, 24


@section("novelty", 55)
def novelty(subject: Subject) -> Optional[Section]:
    memory = subject.model.memory
    if memory is None or memory.novelty is None:
        said = "The model can't tell images that are unlike all it was trained on: it remembers too little of those. "
        return Section(_TITLE, (note(said, "Trained again with folds or validation, it can."),))
    usual = memory.novelty.usual / memory.novelty.limit
    given = subject.judged.novelty if subject.judged is not None and subject.judged_on == GIVEN else None
    parts: list[Node] = [tag("p", _said(memory)), _drawn(usual, given)]
    if given is not None:
        parts += _of_given(subject, given)
    return Section(_TITLE, tuple(parts))


def _said(memory: Memory) -> str:
    return (
        "It measures how far an image is from all that it was trained on, and calls it novel beyond the distance "
        f"within which {percent(LEVEL, 0)} of images like those lie: predict with novelty. Nothing it says of a novel "
        f"image is to be relied on. It remembers {many(len(memory), 'image')}."
    )


def _drawn(usual: Array, given: Optional[Array]) -> Node:
    """Distances of images like those for training, or of those given."""
    shown = usual if given is None else given
    what = "images that it had not seen, like those for training" if given is None else "the images given"
    width = max(float(np.quantile(shown, 0.995)) - float(shown.min()), 0.2) / _BINS
    below = int(np.ceil((1 - float(shown.min())) / width)) if shown.min() < 1 else 0
    edges = 1 + width * np.arange(-below, max(_BINS - below, 0) + 2)  # the limit is an edge
    counts = np.histogram(np.minimum(shown, edges[-1]), edges)[0]
    words = [f"Distances of {what}, in units of the limit; on the right of the stroke an image is novel."]
    rows: list[list[Node]] = [
        [f"{short(low)} to {short(end)}", int(n)] for low, end, n in zip(edges, edges[1:], counts) if n
    ]
    behind = table("Distances", ("Distance", "Images"), rows, (1,), False)
    return drawing(histogram("Novelty", edges, counts, ("distance", "images"), 1.0), words, behind)


def _of_given(subject: Subject, given: Array) -> list[Node]:
    usual = f" are novel; of images like those for training {percent(1 - LEVEL, 0)} would be."
    parts: list[Node] = [tag("p", "Of the images given ", share(float((given > 1).mean())), usual)]
    order = np.argsort(-given, kind="stable")
    rows = [int(row) for row in order if given[row] > 1 and subject.places[row] >= 0][:_SHOWN]
    if rows and subject.images is not None:
        words = [[[tag("b", short(float(given[row]))), " times the limit"]] for row in rows]
        parts += [tag("h3", "Most novel"), gallery(subject, rows, words)]
    return parts
