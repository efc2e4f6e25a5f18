"""`Remembering`: what a model says of images by their place among its training images, and how it forgets them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Optional, TypeVar

from ..arguments import one_of
from ..calls import option, value_text
from ..errors import ArgumentError
from ..images.loader import Loader
from .memory import Memory
from .predictor import Predictor
from .validation import Validation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..images import ImageSet

    Array = NDArray[Any]

_Remembers = TypeVar("_Remembers", bound="Remembering")
PARTS = ("all", "validation", "memory")


class Remembering:
    """What remembers; `Model` adds the rest."""

    memory: Optional[Memory]
    validation: Validation
    settings: dict[str, Any]
    _predictor: Predictor
    _validated: Optional[ImageSet]

    def forget(self: _Remembers, what: str = "all") -> _Remembers:
        """The model without what it remembers of its images: it predicts the same, and its file is smaller.

        A model is forgotten for others: no name of an image, no label and no prediction of one stays. Its metrics stay,
        and 8 bytes of the content of each image that was trained on, by which `evaluate` warns of these.

        Parameters
        ----------
        what
            ``"validation"``: names, labels and predictions of the images that it was validated on. Without them there
            are no prediction sets, suspects, out-of-fold table, intervals, nor figures of each class, but on labelled
            images that are given. ``"memory"``: names, labels and features of training images. Without them it tells
            nothing of what is novel, of the nearest ones and of where all lie, and `explain` measures evidence from
            nothing, not from what is usual. ``"all"``: both.

        Examples
        --------
        >>> from mxtune import mxexample, mxtrain
        >>> photos = mxexample("fashion")
        >>> model = mxtrain(photos, tune="head", image_size=32, verbose=0)
        >>> small = model.forget()
        >>> small.predict(photos, type="prob").equals(model.predict(photos, type="prob"))
        True
        >>> len(small.to_bytes()) < len(model.to_bytes())
        True
        """
        one_of("what", what, PARTS)
        other = copy.copy(self)
        other.__dict__.pop("_measured", None)  # with intervals, which are made of what is forgotten
        if what != "memory":
            other.validation, other._validated = self.validation.forgotten(), None
        if what != "validation":
            other.memory = None
        return other

    @property
    def _by_folds(self) -> bool:
        """Whether `metrics` are those of models that had not seen the fold."""
        pictures = self.settings.get("pictures")
        return len(self.validation.fold) > 0 or (isinstance(pictures, dict) and bool(pictures.get("folds")))

    def features_of(self, loader: Loader) -> tuple[Array, Array]:
        """The features that the head takes, (N, d) float32, NaN for bad images; and which are good, (N,) bool."""
        return self._predictor.outputs(loader, "features", title="Computing features")

    def _novelties(self, kind: str = "class") -> Any:
        """What `Predictor.outputs` makes of features, for `Model.predict`: one column.

        Raises
        ------
        ArgumentError
            The model can't tell what is novel, or what it predicts is not of images as a whole.
        """
        if kind not in ("class", "prob", "logit", "set"):
            text = "`novelty` goes with predictions: classes, probabilities, logits, sets."
            raise ArgumentError(text, [f"`type` is {value_text(kind)}"])
        memory = self.memory
        if memory is None or memory.novelty is None:
            why = "it remembers nothing of its training images" if memory is None else NOT_TOLD
            hint = f"Train it again with this mxtune; with layers, with {option('valid', 0.2)}."
            raise ArgumentError("The model can't tell what is novel to it.", [why], hint)
        return lambda features: memory.novelties(features)[:, None]


NOT_TOLD = "it has seen fewer than 20 images that it was not trained on"


def novelty_columns(values: Array, good: Array) -> dict[str, Any]:
    """Columns of a data frame: ``novelty``, (N,), and ``is_novel``, whether it is above 1; missing for bad images."""
    import pandas as pd

    above = values > 1
    return {"novelty": values, "is_novel": above if good.all() else pd.arrays.BooleanArray(above, ~good)}
