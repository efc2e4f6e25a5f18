"""What the model says of images that are ready: tables, sliced for each request."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Optional

import numpy as np

from ..errors import ArgumentError, MxtuneWarning, NetworkError
from ..images import mximages
from ..model.model import Model
from .ready import Ready, made_ready, of_pixels
from .tables import Rows, in_json

_NEAREST = 5


@dataclass(frozen=True)
class Question:
    """What is asked of an image; images with equal questions are computed together."""

    type: str = "class"
    level: Optional[float] = None
    abstain: Optional[float] = None
    top: Optional[int] = None
    novelty: bool = False
    nearest: bool = False


class Answer(NamedTuple):
    """What is said of one image: a prediction; and where it was asked its nearest, and whether it was trained on."""

    predictions: Rows
    nearest: Optional[Rows] = None
    trained_on: bool = False


class Answering:
    """A model that answers. It is called in one thread: the one that first ran the network."""

    def __init__(self, model: Model) -> None:
        self.model, self._of_pixels = model, of_pixels(model)

    def warm_up(self, most: int) -> None:
        """Do all once that a request needs, with each size of batch: the first one pays for none of it."""
        from PIL import Image

        png = io.BytesIO()
        Image.new("RGBA", (32, 32)).save(png, "PNG")  # a network may take four channels
        image = made_ready(self.model, png.getvalue(), 32 * 32)
        for size in (1 << power for power in range(most.bit_length())):
            in_json([("image", self.answers([image] * size, Question())[0].predictions)])

    def answers(self, images: Sequence[Ready], question: Question) -> list[Answer]:
        """One for each image.

        Raises
        ------
        ArgumentError
            The model can't answer this: it has no sets, knows nothing of what is novel ...
        """
        pixels = np.stack([image.pixels for image in images])
        together = mximages(pixels, on_bad="keep", range=self.model.preprocess.range)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MxtuneWarning)
            frame = self._of_pixels.predict(together, **_arguments(question))
            predictions = Rows.of_each(frame, together.names)
            if not question.nearest:
                return [Answer(rows) for rows in predictions]
            known = together.with_hashes([image.hash for image in images])
            near = Rows.of_each(self._of_pixels.nearest(known, n=_NEAREST), together.names)
        trained = [self.model.validation.trained_on([image.hash]) > 0 for image in images]
        return list(map(Answer, predictions, near, trained))

    def explanation(self, content: bytes) -> dict[str, Any]:
        """Where the evidence for its answer lies in one image: the answer, and a PNG with the evidence on it.

        Raises
        ------
        ArgumentError
            The model can't tell.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", MxtuneWarning)
                why = self.model.explain([io.BytesIO(content)])
                drawn = why.overlay(0)
        except NetworkError as error:  # it has no maps
            raise ArgumentError(error.message, error.bullets) from error
        png = io.BytesIO()
        if drawn is not None:
            drawn.save(png, "PNG")
        label = why.table["label"].iloc[0]
        return {
            "label": None if label is None or label != label else str(label),  # noqa: PLR0124 - NaN
            "exact": bool(why.exact),
            "png": base64.b64encode(png.getvalue()).decode("ascii"),
        }


def _arguments(question: Question) -> dict[str, Any]:
    asked = {"level": question.level, "abstain": question.abstain, "top": question.top}
    return {"type": question.type, "novelty": question.novelty, **{k: v for k, v in asked.items() if v is not None}}
