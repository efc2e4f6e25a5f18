"""One class a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Optional

import numpy as np

from ..errors import ArgumentError, LabelError
from ..words import counted
from . import metrics
from .base import ClassWeights, Task, shown
from .losses import CrossEntropy

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from .base import Array, Columns


@dataclass(frozen=True)
class Classification(Task):
    """One class a picture; labels are (N,) int64 codes into the levels."""

    name: ClassVar[str] = "classification"
    primary_metric: ClassVar[str] = "accuracy"

    def describe(self, y: Array) -> str:  # noqa: ARG002 - levels without pictures count
        return f"of {counted(len(self.levels), 'class', 'classes')}"

    def text(self, label: Any) -> str:
        return self.levels[int(label)]

    def user_labels(self, y: Array) -> list[str]:
        return [self.levels[code] for code in y]

    def columns(self, y: Array) -> Columns:
        return {"label": self._categorical(y)}

    def strata(self, y: Array, fraction: float) -> Array:  # noqa: ARG002 - each class is one
        return np.asarray(y, dtype=np.int64)

    def counts(self, y: Array) -> NDArray[np.int64]:
        return np.bincount(y, minlength=len(self.levels)).astype(np.int64)

    def without_levels(self, y: Array, kept: NDArray[np.bool_]) -> tuple[Task, Array]:
        levels = tuple(level for level, is_kept in zip(self.levels, kept) if is_kept)
        return Classification(levels), (np.cumsum(kept) - 1)[y].astype(np.int64)

    def check_learnable(self, y: Array) -> None:
        if len(np.unique(y)) < 2:
            only = self.levels[int(y[0])]
            raise LabelError(f'All pictures have the same label, "{only}".', hint="At least two classes are needed.")

    def loss(self, y: Optional[Array] = None, class_weights: Optional[Sequence[float]] = None) -> CrossEntropy:  # noqa: ARG002
        return CrossEntropy(len(self.levels), class_weights=tuple(class_weights) if class_weights else None)

    def targets(self, y: Array) -> Array:
        return y

    def class_weights(self, choice: ClassWeights, y: Array) -> Optional[list[float]]:
        if choice is None:
            return None
        if isinstance(choice, str):
            if choice != "balanced":
                raise ArgumentError('`class_weights` must be "balanced" or numbers.', [f"it is {choice!r}"])
            return [len(y) / (len(self.levels) * max(1, count)) for count in self.counts(y).tolist()]
        if isinstance(choice, Mapping):
            unknown = sorted(str(level) for level in choice if level not in self.levels)
            if unknown:
                raise ArgumentError("`class_weights` names classes that do not exist.", unknown)
            choice = [choice.get(level, 1.0) for level in self.levels]
        try:
            weights = [float(weight) for weight in choice]
        except (TypeError, ValueError):
            weights = []
        fits = len(weights) == len(self.levels)
        if not fits or not all(np.isfinite(weight) and weight >= 0 for weight in weights) or not any(weights):
            text = f"`class_weights` must be {len(self.levels)} numbers of at least 0, not all 0."
            raise ArgumentError(text, [f"it is {choice!r}"])
        return weights

    def predictions(self, outputs: Array, type: str, good: NDArray[np.bool_]) -> Columns:  # noqa: A002
        values = outputs if type == "logit" else self.probabilities(outputs)
        columns: Columns = {}
        if type != "logit":
            codes = np.where(good, np.nan_to_num(values).argmax(axis=1), -1)
            columns["pred_class"] = self._categorical(codes)
        if type != "class":
            columns |= {f"pred_{level}": values[:, k] for k, level in enumerate(self.levels)}
        return columns

    def mistakes(self, y: Array, outputs: Array) -> Columns:
        probabilities = self.probabilities(outputs.astype(np.float64))
        return {
            "truth": self._categorical(y),
            "pred_class": self._categorical(probabilities.argmax(axis=1)),
            "prob": probabilities[np.arange(len(y)), y],
        }

    def caption(self, mistake: Mapping[str, Any]) -> str:
        truth = f"{mistake['truth']} ({mistake['prob']:.2f})"
        return f"{super().caption(mistake)}: {truth}, predicted {mistake['pred_class']}"

    def confusion(self, y: Array, outputs: Array) -> pd.DataFrame:
        return metrics.confusion(y, outputs.argmax(axis=1), self.levels)

    def _categorical(self, codes: Array) -> pd.Categorical:
        import pandas as pd

        return pd.Categorical.from_codes(codes, categories=list(self.levels))

    def __str__(self) -> str:
        return f"{counted(len(self.levels), 'class', 'classes')} ({shown(self.levels)})"
