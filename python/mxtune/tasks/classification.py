"""One class per image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar, Optional

import numpy as np

from ..arguments import in_order
from ..calls import value_text
from ..errors import ArgumentError, LabelError
from ..words import counted, listing
from . import metrics, suspicion
from .base import Task, column_names, shown
from .label_type import label_text
from .losses import CrossEntropy

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from .base import Array, Columns


@dataclass(frozen=True)
class Classification(Task):
    """One class per image; labels are (N,) int64 codes into the levels."""

    name: ClassVar[str] = "classification"
    primary_metric: ClassVar[str] = "accuracy"
    best_plot: ClassVar[str] = "confusion"

    def describe(self, y: Array) -> str:  # noqa: ARG002 - levels without images count
        return f"of {counted(len(self.levels), 'class', 'classes')}"

    def text(self, label: Any) -> str:
        return self.shown_levels[int(label)]

    def user_labels(self, y: Array) -> pd.Categorical:
        return self._categorical(y)

    def columns(self, y: Array) -> Columns:
        return {"label": self._categorical(y)}

    def strata(self, y: Array, fraction: float) -> Array:  # noqa: ARG002 - each class is one
        return np.asarray(y, dtype=np.int64)

    def counts(self, y: Array) -> NDArray[np.int64]:
        return np.bincount(y, minlength=len(self.levels)).astype(np.int64)

    def without_levels(self, y: Array, kept: NDArray[np.bool_]) -> tuple[Task, Array]:
        levels = tuple(level for level, is_kept in zip(self.levels, kept) if is_kept)
        return replace(self, levels=levels), (np.cumsum(kept) - 1)[y].astype(np.int64)

    def check_learnable(self, y: Array) -> None:
        if len(np.unique(y)) < 2:
            only = self.text(y[0])
            raise LabelError(f'All images have the same label, "{only}".', hint="At least two classes are needed.")

    def loss(self, y: Optional[Array] = None, class_weights: Optional[Sequence[float]] = None) -> CrossEntropy:  # noqa: ARG002
        return CrossEntropy(len(self.levels), class_weights=tuple(class_weights) if class_weights else None)

    def targets(self, y: Array) -> Array:
        return y

    def class_weights(self, choice: Any, y: Array) -> Optional[list[float]]:
        if choice is None:
            return None
        if isinstance(choice, str):
            if choice != "balanced":
                raise ArgumentError('`class_weights` must be "balanced" or numbers.', [f"it is {value_text(choice)}"])
            return [len(y) / (len(self.levels) * max(1, count)) for count in self.counts(y).tolist()]
        in_order("class_weights", choice)
        if isinstance(choice, Mapping) or hasattr(choice, "iloc"):
            choice = self._by_name(list(choice.items()))
        try:
            weights = [float(weight) for weight in choice]
        except (TypeError, ValueError):
            weights = []
        fits = len(weights) == len(self.levels)
        if not fits or not all(np.isfinite(weight) and weight >= 0 for weight in weights) or not any(weights):
            text = f"`class_weights` must be {len(self.levels)} non-negative numbers, not all 0."
            raise ArgumentError(text, [f"it is {value_text(choice)}"])
        return weights

    def _by_name(self, choice: Sequence[tuple[Any, float]]) -> list[float]:
        """A factor for each level, 1 where none is named; of a dict or a series, which have the classes' names."""
        places = {label_text(name): place for place, name in enumerate((*self.levels, *self.shown_levels))}
        unknown = sorted(str(name) for name, _ in choice if label_text(name) not in places)
        if unknown:
            hint = f"The classes are {listing(self.shown_levels, 20)}."
            raise ArgumentError("`class_weights` contains unknown classes.", unknown, hint)
        chosen = [places[label_text(name)] % len(self.levels) for name, _ in choice]
        twice = sorted({self.shown_levels[place] for place in chosen if chosen.count(place) > 1})
        if twice:
            raise ArgumentError("`class_weights` contains a class twice.", twice)
        weights = dict(zip(chosen, (weight for _, weight in choice)))
        return [weights.get(place, 1.0) for place in range(len(self.levels))]

    def predictions(self, outputs: Array, type: str, good: NDArray[np.bool_]) -> Columns:  # noqa: A002
        values = outputs if type == "logit" else self.probabilities(outputs)
        columns: Columns = {}
        if type != "logit":
            codes = np.where(good, np.nan_to_num(values).argmax(axis=1), -1)
            columns["pred_class"] = self._categorical(codes)
        if type != "class":
            names = column_names(self.shown_levels, "pred_", ours=["pred_class"])
            columns |= {name: values[:, k] for k, name in enumerate(names)}
        return columns

    def rows(self, top: int) -> int:
        return min(top, len(self.levels))

    def likeliest(self, outputs: Array, rows: int, good: NDArray[np.bool_]) -> Columns:
        values = self.probabilities(outputs)
        order = np.argsort(-np.nan_to_num(values), axis=1, kind="stable")[:, :rows]
        codes = np.where(good[:, None], order, -1)
        return {
            "pred_class": self._categorical(codes.ravel()),
            "pred_prob": np.take_along_axis(values, order, axis=1).ravel(),
        }

    def mistakes(self, y: Array, outputs: Array) -> Columns:
        probabilities = self.probabilities(outputs.astype(np.float64))
        return {
            "truth": self._categorical(y),
            "pred_class": self._categorical(probabilities.argmax(axis=1)),
            "prob": probabilities[np.arange(len(y)), y],
            "pred_prob": probabilities.max(axis=1, initial=0),
        }

    def answers(self, y: Array, outputs: Array) -> Columns:
        return self.mistakes(y, outputs)

    def misfits(self, y: Array, outputs: Array) -> Array:
        """One less the probability of the true class (Sadinle, Lei and Wasserman, 2019): no other has smaller sets."""
        probabilities = self.probabilities(outputs.astype(np.float64))
        return np.asarray(1 - probabilities[np.arange(len(y)), y])[:, np.newaxis]

    def sets(self, outputs: Array, limits: Array, good: NDArray[np.bool_]) -> Columns:
        probabilities = np.nan_to_num(self.probabilities(outputs.astype(np.float64)))
        fits = self._fitting(probabilities, limits)
        values = self.label_type.values(self.levels)
        order = np.argsort(-probabilities, axis=1, kind="stable")
        chosen = [
            [values[k] for k in places if row[k]] if is_good else None
            for row, places, is_good in zip(fits, order.tolist(), good)
        ]
        codes = np.where(good, order[:, 0], -1)
        return {"pred_class": self._categorical(codes), "pred_set": chosen}

    def size_of_sets(self, outputs: Array, limits: Array) -> str:
        sizes = self._fitting(self.probabilities(outputs.astype(np.float64)), limits).sum(axis=1)
        size = f"{sizes.mean():.3g}"
        return f"{size} {'class' if size == '1' else 'classes'}"

    @staticmethod
    def _fitting(probabilities: Array, limits: Array) -> Array:
        """(N, K) bool; the most probable class is always one."""
        fits = 1 - probabilities <= limits
        fits[np.arange(len(fits)), probabilities.argmax(axis=1)] = True
        return np.asarray(fits)

    def suspicions(self, y: Array, outputs: Array) -> tuple[NDArray[np.int64], Columns]:
        probabilities = self.probabilities(outputs.astype(np.float64))
        score, rows = suspicion.log_ratio(probabilities, y), np.arange(len(y))
        return rows, {
            "label": self._categorical(y),
            "suggested": self._categorical(probabilities.argmax(axis=1)),
            "prob": probabilities[rows, y],
            "suggested_prob": probabilities.max(axis=1, initial=0),
            "score": score,
            "suspect": suspicion.is_suspect(score),
        }

    def remedy(self, row: Mapping[str, Any]) -> str:
        return self.label_type.shown(label_text(row["suggested"]))

    def alike(self, y: Array, outputs: Array) -> Sequence[suspicion.Alike]:
        return suspicion.alike(y, outputs.argmax(axis=1), outputs)

    def abstaining(self, columns: Columns, outputs: Array, least: float) -> Columns:
        probabilities = self.probabilities(outputs.astype(np.float64))
        confidence, best = probabilities.max(axis=1), np.nan_to_num(probabilities).argmax(axis=1)
        unsure = confidence < least  # and not what could not be read
        levels = self.shown_levels
        reasons = [
            f"{levels[code]} {confident:.2f}, below {least:g}" if is_unsure else None
            for code, confident, is_unsure in zip(best, confidence, unsure)
        ]
        codes = np.where(unsure, -1, columns["pred_class"].codes)
        return {**columns, "pred_class": self._categorical(codes), "abstained": reasons}

    def caption(self, mistake: Mapping[str, Any]) -> str:
        truth = f"truth: {mistake['truth']} ({mistake['prob']:.2f})"
        guess = f"predicted: {mistake['pred_class']} ({mistake['pred_prob']:.2f})"
        return "\n".join([PurePath(mistake["file"]).name, truth, guess])

    def confusion(self, y: Array, outputs: Array) -> pd.DataFrame:
        return metrics.confusion(y, outputs.argmax(axis=1), self.levels)

    def per_class(self, y: Array, outputs: Array) -> pd.DataFrame:
        return metrics.per_class(*self.carried(y, outputs), self.shown_levels)

    def carried(self, y: Array, outputs: Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        one_hot = np.eye(len(self.levels), dtype=bool)
        return one_hot[y], one_hot[outputs.argmax(axis=1)]

    def calibration(self, y: Array, outputs: Array) -> pd.DataFrame:
        probabilities = self.probabilities(outputs.astype(np.float64))
        return metrics.calibration(probabilities.max(axis=1), outputs.argmax(axis=1) == y)

    def _categorical(self, codes: Array) -> pd.Categorical:
        import pandas as pd

        values = self.label_type.values(self.levels)
        return pd.Categorical.from_codes(codes, categories=values, ordered=self.label_type.ordered)

    def __str__(self) -> str:
        return f"{counted(len(self.levels), 'class', 'classes')} ({shown(self.shown_levels)})"
