"""`Metric`: the quality of predictions as one number; and the registry of all metrics."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]
Function = Callable[[Array, Array], float]
Figures = dict[str, Union[float, int]]
_REGISTRY: dict[tuple[str, str], Metric] = {}


@dataclass(frozen=True)
class Metric:
    """A number that measures the quality of predictions.

    Parameters
    ----------
    name
        As `evaluate` and the history have it.
    task
        The name of the task whose predictions it measures.
    function
        From true labels and predictions to the number; NaN, without a warning, where there is nothing to measure.
        Classification: (N,) int64 codes, and (N, K) probabilities. Multilabel: (N, K) of 0 and 1, and probabilities.
        Regression: (N, K) float64, and as many predictions.
    best
        Its value for perfect predictions: 1 of a share, 0 of an error.
    rank
        Its place among the metrics of the task, lowest first; equal ranks are ordered by name.
    applies
        Whether it is meaningful for this number of outputs.
    each
        Where it is a mean over images: the number of each, (N,). Images that are drawn anew need no other.
    """

    name: str
    task: str
    function: Function
    best: float
    rank: int = 100
    applies: Callable[[int], bool] = lambda outputs: outputs > 0
    each: Optional[Callable[[Array, Array], Array]] = None

    @property
    def greater_is_better(self) -> bool:
        """Whether it rises as predictions get better."""
        return self.best > 0


def metric(name: str, task: str, **settings: Any) -> Callable[[Function], Function]:
    """A decorator that registers a function as a `Metric` of a task.

    Raises
    ------
    ValueError
        The task has a metric of that name.
    """

    def register(function: Function) -> Function:
        if (task, name) in _REGISTRY:
            raise ValueError(f"{task} already has a metric {name}")
        _REGISTRY[task, name] = Metric(name, task, function, **settings)
        return function

    return register


def mean_metric(name: str, task: str, **settings: Any) -> Callable[[Callable[[Array, Array], Array]], Function]:
    """As `metric`, of a function that gives a number for each image, (N,), whose mean it is."""

    def register(each: Callable[[Array, Array], Array]) -> Function:
        @functools.wraps(each)
        def function(y: Array, predicted: Array) -> float:
            return mean(each(y, predicted))

        return metric(name, task, each=each, **settings)(function)

    return register


def metrics_of(task: str) -> tuple[Metric, ...]:
    """The metrics of a task, in the order of `evaluate`."""
    return tuple(sorted((m for m in _REGISTRY.values() if m.task == task), key=lambda m: (m.rank, m.name)))


def metric_of(task: str, name: str) -> Metric:
    """The metric of a task by its name."""
    return _REGISTRY[task, name]


def measure(task: str, y: ArrayLike, predicted: ArrayLike) -> Figures:
    """Every metric of the task by name, and ``n``, the number of images.

    Parameters
    ----------
    task
        Its name.
    y, predicted
        (N, ...), as `Metric` has them; of a single number (N,) will do.

    Examples
    --------
    >>> from mxtune.tasks.metrics import measure
    >>> measure("classification", [0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])["accuracy"]
    0.6666666666666666
    >>> measure("regression", [1.0, 2.0, 3.0], [1.0, 2.0, 5.0])
    {'rmse': 1.1547005383792515, 'mae': 0.6666666666666666, 'r2': -1.0, 'n': 3}
    """
    true, answers = np.asarray(y), np.asarray(predicted)
    if answers.ndim == 1:
        true, answers = true[:, np.newaxis], answers[:, np.newaxis]
    figures: Figures = {m.name: m.function(true, answers) for m in metrics_of(task) if m.applies(answers.shape[1])}
    return {**figures, "n": len(true)}


def mean(values: Array) -> float:
    """The mean, NaN of nothing."""
    return float(np.mean(values)) if values.size else float("nan")


def least(probabilities: Array) -> float:
    """A probability of 0 counts as this much: one that is wrong and sure costs much, but not infinity."""
    return float(np.finfo(probabilities.dtype if probabilities.dtype.kind == "f" else float).eps)
