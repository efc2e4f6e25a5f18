"""`Subject`: the model that a report is on, the images that it is judged by, and those that can be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ...images import ImageSet
from ...tasks import Task
from ...tasks.intervals import Measured
from ...words import file_name
from ..judged import Judged
from ..meta import kept
from ..reported import Reported
from ..suspects import Suspects
from .numbers import many

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

OUT_OF_FOLD, VALIDATION, GIVEN = "out of fold", "validation", "given"


@dataclass(frozen=True, eq=False)
class Subject:
    """What sections are about.

    Parameters
    ----------
    model
        A model.
    task
        Its task.
    judged
        Images that it was not trained on (or predictions out of fold), their labels and outputs; None without any.
    figures
        The metrics on them; empty without any.
    judged_on
        ``OUT_OF_FOLD``, ``VALIDATION`` or ``GIVEN``.
    images
        Images that can be looked at: given, or of the session that trained; None without any.
    own
        All images that it was made of, as far as they can be read; None where they are not at hand.
    places
        (N,) int64: where each image that it is judged by is among these; -1 where it is not.
    card
        What was stated for the model card.
    """

    model: Reported
    task: Task
    judged: Optional[Judged]
    figures: Measured
    judged_on: str
    images: Optional[ImageSet]
    own: Optional[ImageSet]
    places: Array
    card: Mapping[str, str] = field(default_factory=dict)

    @property
    def described(self) -> str:
        """What the model is judged by: "2000 images, each by a model that had not seen it"."""
        count = 0 if self.judged is None else len(self.judged.names)
        if self.judged_on == GIVEN:
            return f"{many(count, 'image')} given for this report"
        if self.judged_on == OUT_OF_FOLD:
            return f"{many(count, 'image')}, each predicted by a model trained without it"
        return f"{many(count, 'image')} kept for validation"

    @cached_property
    def meta(self) -> dict[str, str]:
        """What was said about the model: title, author, notes, date."""
        return {name: str(text) for name, text in kept(self.model.settings).items()}

    @property
    def told(self) -> Mapping[str, Any]:
        """What the model keeps of its images: ``training`` and ``validation``, how many; ``digest``."""
        known = self.model.settings.get("pictures")
        return known if isinstance(known, Mapping) else {}

    @cached_property
    def probabilities(self) -> Array:
        """What the outputs mean, (N, K)."""
        assert self.judged is not None  # noqa: S101 - sections ask first
        return self.task.probabilities(self.judged.outputs.astype(np.float64))

    @cached_property
    def counts(self) -> Array:
        """(K, K): the true class in rows, the predicted one in columns; (0, 0) where no image has one class."""
        if self.judged is None or self.task.name != "classification":
            return np.zeros((0, 0), np.int64)
        return np.asarray(self.task.confusion(self.judged.y, self.judged.outputs))

    @cached_property
    def suspects(self) -> Suspects:
        """Labels of these images that are probably wrong."""
        assert self.judged is not None  # noqa: S101 - sections ask first
        names, y, outputs = list(map(file_name, self.judged.names)), self.judged.y, self.judged.outputs
        at_hand = self.images is not None and bool((self.places >= 0).all())
        images = self.images.take(self.places) if self.images is not None and at_hand else None
        digests = self.model.validation.digests if images is None else images.hashes
        return Suspects(self.task, names, digests, y, outputs, images)

    @cached_property
    def losses(self) -> Array:
        """(N,): how wrong the model is about each image."""
        assert self.judged is not None  # noqa: S101 - sections ask first
        return np.asarray(self.task.losses(self.judged.y, self.judged.outputs))


def subject(model: Reported, images: Optional[ImageSet], card: Optional[Mapping[str, str]] = None) -> Subject:
    """What a report of a model is on.

    Parameters
    ----------
    images
        Labelled images. Where the model was trained or validated on most of them, they are those to show, and it is
        judged by what it remembers; else it is judged by them. Without any, those of the session that trained show.
    card
        What is stated for the model card.
    """
    remembered, stated = model.validation, dict(card or {})
    if images is not None and not _are_its_own(model, images):
        judged = model._judged(images, None)
        names = {name: place for place, name in enumerate(images.names)}
        places = np.asarray([names[name] for name in judged.names], np.int64)
        return Subject(model, model._task, judged, _measured(model._task, judged), GIVEN, images, None, places, stated)
    shown = model._validated if images is None else images
    figures = model.evaluate() if model.metrics else Measured({}, model._task, np.zeros(0), np.zeros((0, 1)))
    on = OUT_OF_FOLD if len(remembered.fold) else VALIDATION
    own = images if images is not None or on == VALIDATION else shown
    if not len(remembered):
        return Subject(model, model._task, None, figures, on, shown, own, np.zeros(0, np.int64), stated)
    known = {} if shown is None else {digest: place for place, digest in enumerate(shown.hashes)}
    places = np.asarray([known.get(digest, -1) for digest in remembered.digests], np.int64)
    return Subject(model, model._task, model._judged(None, None), figures, on, shown, own, places, stated)


def _are_its_own(model: Reported, images: ImageSet) -> bool:
    """Whether the model was trained or validated on most of the images."""
    known = set(model.validation.digests)
    own = sum(digest in known or model.validation.trained_on([digest]) > 0 for digest in images.hashes)
    return 2 * own > len(images)


def _measured(task: Task, judged: Judged) -> Measured:
    return Measured(task.measure(judged.y, judged.outputs), task, judged.y, judged.outputs, judged.group)
