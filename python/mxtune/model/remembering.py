"""`Remembering`: what a model says of images by their place among its training images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from ..calls import option, value_text
from ..errors import ArgumentError
from ..images.loader import Loader
from .memory import Memory
from .predictor import Predictor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


class Remembering:
    """What remembers; `Model` adds the rest."""

    memory: Optional[Memory]
    _predictor: Predictor

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
