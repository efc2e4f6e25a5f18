"""Any number of labels per image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Optional

import numpy as np

from ..words import counted
from . import metrics, suspicion
from .base import OURS, Task, column_names, shown
from .losses import BinaryCrossEntropy

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from .base import Array, Columns


@dataclass(frozen=True)
class Multilabel(Task):
    """Any number of labels per image; labels are (N, K) float32 of 0 and 1."""

    name: ClassVar[str] = "multilabel"
    primary_metric: ClassVar[str] = "f1"
    best_plot: ClassVar[str] = "per_class"

    def describe(self, y: Array) -> str:  # noqa: ARG002 - labels without images count
        return f"with {counted(len(self.levels), 'label')}"

    def text(self, label: Any) -> str:
        return ", ".join(level for level, on in zip(self.levels, label) if on)

    def user_labels(self, y: Array) -> list[list[str]]:
        return [[level for level, on in zip(self.levels, row) if on] for row in y]

    def columns(self, y: Array) -> Columns:
        return {name: y[:, k].astype(bool) for k, name in enumerate(column_names(self.levels, ours=OURS))}

    def strata(self, y: Array, fraction: float) -> Array:  # noqa: ARG002 - each label is one
        return y > 0

    def counts(self, y: Array) -> NDArray[np.int64]:
        return np.asarray(y.sum(axis=0).astype(np.int64))

    def without_levels(self, y: Array, kept: NDArray[np.bool_]) -> tuple[Task, Array]:
        return Multilabel(tuple(level for level, is_kept in zip(self.levels, kept) if is_kept)), y[:, kept]

    def loss(
        self,
        y: Optional[Array] = None,  # noqa: ARG002 - the levels are enough
        class_weights: Optional[Sequence[float]] = None,  # noqa: ARG002 - refused before
    ) -> BinaryCrossEntropy:
        return BinaryCrossEntropy(len(self.levels))

    def predictions(self, outputs: Array, type: str, good: NDArray[np.bool_]) -> Columns:  # noqa: A002
        import pandas as pd

        values: Any = outputs if type == "logit" else self.probabilities(outputs)
        columns: Columns = {}
        for k, level in enumerate(self.levels):
            column = values[:, k]
            if type == "class":
                column = column >= 0.5
                column = column if good.all() else pd.arrays.BooleanArray(column, ~good)
            columns[f"pred_{level}"] = column
        return columns

    def answers(self, y: Array, outputs: Array) -> Columns:
        probabilities = self.probabilities(outputs.astype(np.float64))
        columns: Columns = {}
        for k, level in enumerate(self.levels):
            columns |= {f"truth_{level}": y[:, k] > 0, f"pred_{level}": probabilities[:, k] >= 0.5}
            columns[f"prob_{level}"] = probabilities[:, k]
        return columns

    def misfits(self, y: Array, outputs: Array) -> Array:
        """How far each probability is from the label."""
        return np.asarray(np.abs((y > 0) - self.probabilities(outputs.astype(np.float64))))

    def sets(self, outputs: Array, limits: Array, good: NDArray[np.bool_]) -> Columns:
        """True or false; missing where it may be either."""
        import pandas as pd

        probabilities = self.probabilities(outputs.astype(np.float64))
        is_open = self._open(probabilities, limits) | ~good[:, np.newaxis]
        has = probabilities >= 0.5
        return {f"pred_{level}": pd.arrays.BooleanArray(has[:, k].copy(), is_open[:, k].copy())
                for k, level in enumerate(self.levels)}  # fmt: skip

    def size_of_sets(self, outputs: Array, limits: Array) -> str:
        share = self._open(self.probabilities(outputs.astype(np.float64)), limits).mean()
        return f"{100 * share:.3g} % of the labels left open"

    @staticmethod
    def _open(probabilities: Array, limits: Array) -> Array:
        return np.asarray((1 - probabilities <= limits) & (probabilities <= limits))

    def suspicions(self, y: Array, outputs: Array) -> tuple[NDArray[np.int64], Columns]:
        """A row for each label of each image, with its ``level``; ``prob`` is that of the label it has not, or has."""
        import pandas as pd

        rows, levels = np.divmod(np.arange(outputs.size), len(self.levels))
        has = (y > 0).ravel()
        yes = self.probabilities(outputs.astype(np.float64)).ravel()
        score = suspicion.log_ratio(np.column_stack([1 - yes, yes]), has.astype(np.int64))
        return rows, {
            "level": pd.Categorical.from_codes(levels, categories=list(self.levels)),
            "label": has,
            "suggested": yes >= 0.5,
            "prob": np.where(has, yes, 1 - yes),
            "suggested_prob": np.maximum(yes, 1 - yes),
            "score": score,
            "suspect": suspicion.is_suspect(score),
        }

    def remedy(self, row: Mapping[str, Any]) -> str:
        return f"{row['level']} {'missing' if row['suggested'] else 'wrong'}"

    def alike(self, y: Array, outputs: Array) -> Sequence[suspicion.Alike]:
        has, yes = y > 0, self.probabilities(outputs.astype(np.float64))
        usual = (yes * has).sum(axis=0) / np.maximum(has.sum(axis=0), 1)  # of images that carry the label
        return suspicion.alike_labels(has, yes >= usual, outputs)

    def per_class(self, y: Array, outputs: Array) -> pd.DataFrame:
        return metrics.per_class(*self.carried(y, outputs), self.levels)

    def carried(self, y: Array, outputs: Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        return y > 0.5, outputs >= 0

    def calibration(self, y: Array, outputs: Array) -> pd.DataFrame:
        import pandas as pd

        probabilities = self.probabilities(outputs.astype(np.float64))
        tables = [metrics.calibration(probabilities[:, k], y[:, k] > 0.5) for k in range(len(self.levels))]
        for level, table in zip(self.levels, tables):
            table.insert(0, "level", level)
        return pd.concat(tables, ignore_index=True)

    def __str__(self) -> str:
        return f"{counted(len(self.levels), 'label')} ({shown(self.levels)})"
