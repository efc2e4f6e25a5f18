"""One number per image, or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Optional

import numpy as np

from ..errors import LabelError
from . import suspicion
from .base import OURS, Task, column_names
from .losses import SquaredError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from .base import Array, Columns


@dataclass(frozen=True)
class Regression(Task):
    """One number per image, or several by name; labels are (N,) or (N, K) float64."""

    name: ClassVar[str] = "regression"
    primary_metric: ClassVar[str] = "rmse"
    best_plot: ClassVar[str] = "calibration"
    has_classes: ClassVar[bool] = False

    @property
    def outputs(self) -> int:
        return len(self.levels) or 1

    def describe(self, y: Array) -> str:
        return f"with numbers from {y.min():.4g} to {y.max():.4g}" if len(y) else "without labels"

    def text(self, label: Any) -> str:
        return ", ".join(f"{value:.4g}" for value in np.atleast_1d(label))

    def user_labels(self, y: Array) -> Any:
        import pandas as pd

        return y if y.ndim == 1 else pd.DataFrame(y, columns=list(self.levels))

    def columns(self, y: Array) -> Columns:
        if y.ndim == 1:
            return {"label": y}
        return {name: y[:, k] for k, name in enumerate(column_names(self.levels, ours=OURS))}

    def strata(self, y: Array, fraction: float) -> Array:
        """Ranges of equal count, so that training and validation see the same spread."""
        values = y.astype(np.float64)
        if values.ndim == 2:
            spread = values.std(axis=0)
            values = ((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)).mean(axis=1)
        ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable")
        bins = int(np.clip(round(len(y) * fraction), 1, 10))
        return np.asarray(ranks * bins // max(1, len(y)), dtype=np.int64)

    def check_learnable(self, y: Array) -> None:
        if len(np.unique(y, axis=0)) < 2:
            raise LabelError("All images have the same target value: there is nothing to learn.")

    def loss(self, y: Optional[Array] = None, class_weights: Optional[Sequence[float]] = None) -> SquaredError:  # noqa: ARG002
        if y is None:
            return SquaredError((0.0,) * self.outputs, (1.0,) * self.outputs)
        return SquaredError.of(y.reshape(len(y), -1))

    def predictions(self, outputs: Array, type: str, good: NDArray[np.bool_]) -> Columns:  # noqa: A002, ARG002
        names = [f"pred_{level}" for level in self.levels] or ["pred"]
        return {name: outputs[:, k] for k, name in enumerate(names)}

    def answers(self, y: Array, outputs: Array) -> Columns:
        truth = y.reshape(len(outputs), -1)
        columns: Columns = {}
        for k, name in enumerate([f"_{level}" for level in self.levels] or [""]):
            columns |= {f"truth{name}": truth[:, k], f"pred{name}": outputs[:, k].astype(np.float64)}
        return columns

    def misfits(self, y: Array, outputs: Array) -> Array:
        """How far each number is off."""
        return np.asarray(np.abs(y.reshape(len(outputs), -1) - outputs))

    def sets(self, outputs: Array, limits: Array, good: NDArray[np.bool_]) -> Columns:  # noqa: ARG002
        columns: Columns = {}
        for k, name in enumerate([f"pred_{level}" for level in self.levels] or ["pred"]):
            numbers = outputs[:, k].astype(np.float64)
            columns |= {name: numbers, f"{name}_lower": numbers - limits[k], f"{name}_upper": numbers + limits[k]}
        return columns

    def size_of_sets(self, outputs: Array, limits: Array) -> str:  # noqa: ARG002
        return ", ".join(f"{name} +- {limit:.3g}" for name, limit in zip(self.levels or ("prediction",), limits))

    def suspicions(self, y: Array, outputs: Array) -> tuple[NDArray[np.int64], Columns]:
        """A row for each number of each image, with its ``level`` where there are several; the ``score`` is how far it
        is from the prediction, in robust standard deviations of that."""
        import pandas as pd

        truth = y.reshape(len(outputs), -1).astype(np.float64)
        rows, levels = np.divmod(np.arange(outputs.size), self.outputs)
        score = suspicion.deviations(truth - outputs).ravel()
        columns: Columns = {}
        if self.levels:
            columns["level"] = pd.Categorical.from_codes(levels, categories=list(self.levels))
        columns |= {"label": truth.ravel(), "suggested": outputs.astype(np.float64).ravel()}
        return rows, {**columns, "score": score, "suspect": suspicion.is_far(score)}

    def remedy(self, row: Mapping[str, Any]) -> str:
        name = f"{row['level']} " if self.levels else ""
        return f"{name}{row['suggested']:.4g}"

    def tolerance(self, y: Array, outputs: Array) -> Array:
        """As much as predictions are usually off."""
        return suspicion.spread(y.reshape(len(outputs), -1) - outputs)

    def calibration(self, y: Array, outputs: Array) -> pd.DataFrame:
        import pandas as pd

        levels = {"level": np.repeat(self.levels, len(outputs))} if self.levels else {}
        observed = y.reshape(len(outputs), -1).ravel(order="F")
        return pd.DataFrame({**levels, "predicted": outputs.astype(np.float64).ravel(order="F"), "observed": observed})

    def __str__(self) -> str:
        return "regression of " + (", ".join(self.levels) or "one number")
