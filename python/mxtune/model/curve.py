"""`LearningCurve`: how good models of fewer images are, and what more images would bring."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

import numpy as np

from ..arguments import is_number, user_path
from ..calls import value_text
from ..errors import ArgumentError
from ..tasks import Task
from ..tasks.intervals import LEVEL, draws
from ..tasks.metrics import metric_of
from ..words import listing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Array = NDArray[Any]

PathLike = Union[str, "os.PathLike[str]"]
_EXPONENTS = np.arange(0.1, 1.01, 0.05)
_USUAL, _WIDTH = 0.4, 0.12  # of the exponents of heads on frozen features
_LINE = 60  # points of the curve that is drawn
_SHORT, _FEW = 0.02, 0.5  # of recall, that twice as many images bring at least; of the usual number of images
_SHOWN = 10  # classes in print
_LARGEST = 3  # numbers of images, whose models tell how models differ


class Point(NamedTuple):
    """Of models on so many images, on average, the outputs (R, N, K) of each for images that it has not seen; NaN where
    none has not."""

    images: float
    outputs: Array


class _Fit(NamedTuple):
    """Power laws ``a + b * images ** -c``: for each of the rows one at each exponent, (rows, exponents), and how likely
    each exponent is."""

    a: Array
    b: Array
    likely: Array

    def at(self, images: float) -> Array:
        """(rows, exponents): the error at so many images."""
        return np.asarray(self.a + self.b * images**-_EXPONENTS)


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """The primary metric by the number of images, and the power law that it follows.

    The error is ``a + b * images ** -c`` with ``a`` and ``b`` not below 0 and ``c`` from 0.1 to 1 (Hestness et al.,
    2017), each point weighted by its spread. Some points do not tell the exponent: the mean over all is taken, each as
    likely as it fits and is usual. Intervals, at 95 %, are of that, of a bootstrap over images, or over groups, and of
    how models on other images of the same number differ.

    Parameters
    ----------
    task
        Of the model.
    y
        The labels of the images, as the task has them.
    group
        (N,) int64: equal for images that belong together.
    points
        At ascending numbers of images.
    n
        How many images there are, where `y` is a sample of them.

    Examples
    --------
    >>> from mxtune import mxexample, mxtrain
    >>> model = mxtrain(mxexample("fashion"), tune="head", image_size=48, verbose=0)
    >>> curve = model.learning_curve()
    >>> list(curve.table.columns)
    ['images', 'per_class', 'accuracy', 'lower', 'upper', 'fitted']
    >>> curve.expected(400) < curve.expected(800) < 1
    True
    """

    task: Task
    y: Array
    group: Array
    points: Sequence[Point]
    n: int

    # ---- what it says

    @property
    def metric(self) -> str:
        """The name of the primary metric."""
        return self.task.primary_metric

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row for each number of ``images``: how many these are ``per_class``, the metric by its name, of images that
        the models had not seen, with its interval, ``lower`` and ``upper``, and the ``fitted`` curve."""
        import pandas as pd

        errors = self._errors
        ends = np.nanquantile(errors[1:], _tails(), axis=0)
        lower, upper = sorted((self._measured(ends[0]), self._measured(ends[1])), key=lambda end: float(end[0]))
        columns = {
            "images": self._images,
            "per_class": self._images / max(len(self.task.levels), 1),
            self.metric: self._measured(errors[0]),
            "lower": lower,
            "upper": upper,
            "fitted": [self.expected(images) for images in self._images],
        }
        return pd.DataFrame(
            columns if self.task.has_classes else {k: v for k, v in columns.items() if k != "per_class"}
        )

    def expected(self, images: float) -> float:
        """The metric to expect of a model of so many images."""
        _check(images)
        fit = self._fit
        return float(self._measured((fit.at(images)[0] * fit.likely[0]).sum()))

    def interval(self, images: float) -> tuple[float, float]:
        """The lower and upper end of what to expect of one model, at 95 %."""
        _check(images)
        ends = self._measured(np.quantile(self._sampled(self._fit, images) + self._noise, _tails()))
        return float(ends.min()), float(ends.max())

    @property
    def gain(self) -> float:
        """By how much the metric is to change with twice as many images."""
        return self.expected(2 * self.n) - self.expected(self.n)

    @cached_property
    def gain_interval(self) -> tuple[float, float]:
        """The lower and upper end of `gain` as it is seen between two models, at 95 %."""
        fewer = self._sampled(self._fit, self.n) - self._sampled(self._fit, 2 * self.n) + self._noise
        ends = np.quantile(fewer if self._rises else -fewer, _tails())
        return float(ends[0]), float(ends[1])

    @cached_property
    def classes(self) -> pd.DataFrame:
        """A row for each class or label: how many images it has (``n``), its ``recall`` at the largest number of
        images, its ``gain`` with twice as many, with an interval, ``lower`` and ``upper``, and whether it is ``short``
        of images: the lower end is at least 0.02, or it has fewer than half as many images as is usual and a lower
        recall. No rows for numbers.
        """
        import pandas as pd

        has = self.task.carried(self.y, np.zeros((len(self.y), self.task.outputs)))[0].sum(axis=0)
        rows = []
        for level, name in enumerate(self.task.shown_levels if len(has) else ()):
            errors = self._missed[level]
            fit = _fitted(self._images, errors, self._fit.likely)
            fewer = self._sampled(fit, self.n) - self._sampled(fit, 2 * self.n)
            gain = float(((fit.at(self.n)[0] - fit.at(2 * self.n)[0]) * fit.likely[0]).sum())
            low, high = np.nanquantile(fewer, _tails()) if np.isfinite(fewer).any() else (np.nan, np.nan)
            rows.append((name, int(has[level]), 1 - errors[0, -1], gain, low, high))
        frame = pd.DataFrame(rows, columns=["level", "n", "recall", "gain", "lower", "upper"])
        frame = frame.astype({"level": object, "n": np.int64} | dict.fromkeys(frame.columns[2:], float))
        rare = (frame["n"] < _FEW * frame["n"].median()) & (frame["recall"] < frame["recall"].mean())
        return frame.assign(short=(frame["lower"] >= _SHORT) | rare)

    @cached_property
    def line(self) -> pd.DataFrame:
        """The curve as it is drawn: ``images``, to twice as many, the metric, ``lower`` and ``upper``."""
        import pandas as pd

        images = np.geomspace(self._images[0], 2 * self.n, _LINE)
        ends = np.asarray([self.interval(one) for one in images])
        values = [self.expected(one) for one in images]
        return pd.DataFrame({"images": images, self.metric: values, "lower": ends[:, 0], "upper": ends[:, 1]})

    def plot(self, path: Optional[PathLike] = None) -> Figure:
        """A figure; written to a file if `path` is given."""
        from . import report

        figure = report.learning_curve(self.table, self.line, self.n, self.metric)
        if path is not None:
            report.write(figure, user_path("path", path))
        return figure

    def __str__(self) -> str:
        ends = self.gain_interval
        decimals = max(0, 1 - math.floor(math.log10(max(*map(abs, ends), 1e-9))))
        gain, low, high = (f"{value:+.{decimals}f}" for value in (self.gain, *ends))
        lines = [
            f"Learning curve: {self.metric} {self.expected(self.n):.3g} with {self.n} images",
            f"with {2 * self.n} to expect {self.expected(2 * self.n):.3g}: {gain} ({low} to {high})",
        ]
        short = self.classes[self.classes["short"]].sort_values("gain", ascending=False)
        if len(short):
            told = [f"{row['level']} ({row['n']}: {row['recall']:.2g})" for row in short.to_dict("records")]
            lines.append(f"short of images (how many: recall): {listing(told, _SHOWN)}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        heading, *rest = str(self).split("\n", 1)
        return "\n".join([f"<{heading}>", *rest])

    # ---- internals: errors are what is missing to the best value of the metric

    @cached_property
    def _images(self) -> Array:
        return np.asarray([point.images for point in self.points])

    @cached_property
    def _tested(self) -> Array:
        """The images that models had not seen."""
        return np.flatnonzero(np.isfinite(self.points[-1].outputs[0]).all(axis=1))

    @cached_property
    def _rises(self) -> bool:
        return metric_of(self.task.name, self.metric).greater_is_better

    def _measured(self, errors: Any) -> Array:
        """The metric of errors, and the reverse."""
        best = metric_of(self.task.name, self.metric).best
        return np.asarray(best - errors if self._rises else errors + best)

    @cached_property
    def _rows(self) -> list[Array]:
        """The images themselves, and drawn anew."""
        own = np.arange(len(self._tested))
        return [own, *draws(len(own), self.group[self._tested] if len(self.group) else None)]

    @cached_property
    def _errors(self) -> Array:
        """(1 + draws, points): the mean over the models of a point."""
        return np.asarray([np.mean(each, axis=0) for each in self._errors_of_each]).T

    @cached_property
    def _errors_of_each(self) -> list[Array]:
        """For each point (models, 1 + draws)."""
        metric = metric_of(self.task.name, self.metric)
        targets = self.task.targets(self.y)[self._tested]

        def values(outputs: Array) -> list[float]:
            answers = self.task.probabilities(outputs[self._tested].astype(np.float64))
            if metric.each is None:
                return [metric.function(targets[rows], answers[rows]) for rows in self._rows]
            one = metric.each(targets, answers)
            return [float(one[rows].mean()) for rows in self._rows]

        return [self._measured(np.asarray([values(one) for one in point.outputs])) for point in self.points]

    @cached_property
    def _noise(self) -> Array:
        """(draws,): how models on other images of the same number differ, as those of the largest sets do."""
        spreads = [np.var(each[:, 0], ddof=1) for each in self._errors_of_each if len(each) > 1][-_LARGEST:]
        scale = float(np.sqrt(np.mean(spreads))) if spreads else 0.0
        return np.random.default_rng(1).normal(0, scale, len(self._errors) - 1)

    @cached_property
    def _missed(self) -> list[Array]:
        """For each level, (1 + draws, points): the share of its images that is not found."""
        counts = np.stack([np.bincount(rows, minlength=len(self._tested)) for rows in self._rows])
        shares: list[list[Array]] = [[] for _ in self.task.levels]
        for point in self.points:
            pairs = [self.task.carried(self.y[self._tested], one[self._tested]) for one in point.outputs]
            has, missed = pairs[0][0], 1 - np.mean([found for _, found in pairs], axis=0)
            for level, share in enumerate(shares):
                own = np.flatnonzero(has[:, level])
                share.append(counts[:, own] @ missed[own, level] / np.maximum(counts[:, own].sum(axis=1), 1))
        return [np.stack(share, axis=1) for share in shares]

    @cached_property
    def _fit(self) -> _Fit:
        return _fitted(self._images, self._errors)

    def _sampled(self, fit: _Fit, images: float) -> Array:
        """(draws,): the error at so many images, each draw with one of its exponents, as likely as it is."""
        place = np.random.default_rng(0).random(len(fit.likely) - 1)
        chosen = (np.cumsum(fit.likely[1:], axis=1) < place[:, None]).sum(axis=1)
        return np.asarray(fit.at(images)[1:][np.arange(len(chosen)), np.minimum(chosen, len(_EXPONENTS) - 1)])


def _fitted(images: Array, errors: Array, likely: Optional[Array] = None) -> _Fit:
    """Power laws for each row of errors (rows, points), of which the first are measured and the others drawn anew."""
    spread = np.nanvar(errors[1:], axis=0)
    weight = 1 / np.maximum(spread, max(float(np.nanmax(spread)), 1e-12) * 1e-3)
    weight = weight / weight.sum()
    a, b, misfit = (np.empty((len(errors), len(_EXPONENTS))) for _ in range(3))
    for place, exponent in enumerate(_EXPONENTS):
        x = images**-exponent
        centre, level = (weight * x).sum(), (errors * weight).sum(axis=1)
        slope = ((errors - level[:, None]) * weight) @ (x - centre) / (weight * (x - centre) ** 2).sum()
        start = level - slope * centre
        through = (errors * weight) @ x / (weight * x**2).sum()
        b[:, place] = np.maximum(np.where(start < 0, through, slope), 0)
        a[:, place] = np.where(slope < 0, level, np.maximum(start, 0))
        rest = errors - a[:, place, None] - b[:, place, None] * x
        misfit[:, place] = (rest**2 / np.maximum(spread, 1e-12)).sum(axis=1)
    if likely is None:
        usual = -0.5 * ((_EXPONENTS - _USUAL) / _WIDTH) ** 2
        logs = usual - 0.5 * misfit
        likely = np.exp(logs - logs.max(axis=1, keepdims=True))
        likely = likely / likely.sum(axis=1, keepdims=True)
    return _Fit(a, b, likely)


def _tails() -> tuple[float, float]:
    return (1 - LEVEL) / 2, (1 + LEVEL) / 2


def _check(images: float) -> None:
    if not is_number(images) or not images >= 1:
        raise ArgumentError("`images` must be a number of at least 1.", [f"it is {value_text(images)}"])
