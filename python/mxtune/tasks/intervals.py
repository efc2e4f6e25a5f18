"""How sure a metric is: it is measured again on images drawn anew (the bootstrap: Efron & Tibshirani, 1993)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from . import metrics
from .base import Task

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Interval = tuple[float, float]

LEVEL = 0.95
_DRAWS, _FEWER, _MANY = 400, 200, 5_000  # of more images than that fewer draws: they are slow, and differ less


class Measured(dict[str, float]):
    """Metrics by name, and how sure each is.

    Parameters
    ----------
    figures
        The metrics.
    task, y, outputs
        What they were measured on.
    group
        (N,) int64, equal for images that belong together, which are drawn together; None or empty without.
    novel
        The share of images that are unlike all that was trained on; None where that is not known.

    Examples
    --------
    >>> from mxtune import tasks
    >>> task = tasks.named("classification", ["cat", "dog"])
    >>> right = np.array([[2.0, 0.0], [0.0, 2.0]] * 40)
    >>> figures = measured(task, np.array([0, 1] * 30 + [1, 0] * 10), right)
    >>> figures["accuracy"], [round(end, 2) for end in figures.intervals["accuracy"]]
    (0.75, [0.66, 0.85])
    """

    def __init__(
        self,
        figures: Mapping[str, float],
        task: Task,
        y: Array,
        outputs: Array,
        group: Optional[Array] = None,
        novel: Optional[float] = None,
    ) -> None:
        super().__init__(figures)
        self.novel = novel
        self._task, self._y, self._outputs, self._group = task, y, outputs, group

    def __reduce__(self) -> tuple[Any, ...]:
        return Measured, (dict(self), self._task, self._y, self._outputs, self._group, self.novel)

    @property
    def figures(self) -> dict[str, float]:
        """The metrics, and ``novel`` where it is known."""
        figures = dict(self)
        if self.novel is None:
            return figures
        n = {"n": figures.pop("n")} if "n" in figures else {}
        return {**figures, "novel": self.novel, **n}

    @cached_property
    def intervals(self) -> dict[str, Interval]:
        """The lower and upper end of each metric, which a set of images like these is within in 95 of 100 cases."""
        return self._of(None)

    def interval(self, name: str) -> Optional[Interval]:
        """That of one metric; None where there is none."""
        if "intervals" in self.__dict__:
            return self.intervals.get(name)
        return self._of([name]).get(name)

    def frame(self) -> pd.DataFrame:
        """A data frame: ``metric, estimate, lower, upper``; ``n`` and ``novel`` have no interval."""
        import pandas as pd

        figures = self.figures
        ends = [self.intervals.get(name, (np.nan, np.nan)) for name in figures]
        lower, upper = ([float(end[side]) for end in ends] for side in (0, 1))
        values = {"metric": list(figures), "estimate": list(figures.values()), "lower": lower, "upper": upper}
        return pd.DataFrame(values)

    def _of(self, names: Optional[Sequence[str]]) -> dict[str, Interval]:
        if not len(self._y):  # the model keeps none, as those of earlier versions
            return {}
        targets = self._task.targets(self._y)
        predicted = self._task.probabilities(self._outputs.astype(np.float64))
        chosen = [metric for metric in metrics.metrics_of(self._task.name) if metric.name in (names or self)]
        each = {metric.name: metric.each(targets, predicted) for metric in chosen if metric.each is not None}
        whole = [metric for metric in chosen if metric.each is None]
        drawn = []
        for rows in draws(len(targets), self._group):
            figures = {name: float(values[rows].mean()) for name, values in each.items()}
            if whole:
                y, given = targets[rows], predicted[rows]
                figures |= {metric.name: metric.function(y, given) for metric in whole}
            drawn.append([figures[metric.name] for metric in chosen])
        if not drawn:
            return {}
        tail = (1 - LEVEL) / 2
        units = len(targets) if self._group is None or not len(self._group) else len(np.unique(self._group))
        found: dict[str, Interval] = {}
        for metric, values in zip(chosen, np.asarray(drawn).T):
            known = values[np.isfinite(values)]
            if 2 * len(known) > len(values):  # a draw may lack a class
                low, high = np.quantile(known, [tail, 1 - tail])
                if metric.greater_is_better and low == high:  # all right, or all wrong: Clopper & Pearson (1934)
                    rest = 1 - tail ** (1 / units)
                    low, high = (low - rest, high) if low == metric.best else (low, high + rest)
                found[metric.name] = (float(low), float(high))
        return found


def measured(
    task: Task, y: Array, outputs: Array, group: Optional[Array] = None, novel: Optional[float] = None
) -> Measured:
    """Every metric of the task on these images."""
    return Measured(task.measure(y, outputs), task, y, outputs, group, novel)


def draws(count: int, group: Optional[Array]) -> Iterator[Array]:
    """Rows drawn with replacement, or those of groups drawn so: the same every time."""
    rng = np.random.default_rng(0)
    numbers = range(_DRAWS if count <= _MANY else _FEWER) if count > 1 else range(0)
    if group is None or not len(group):
        for _ in numbers:
            yield rng.integers(count, size=count)
        return
    order = np.argsort(group, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    for _ in numbers if len(members) > 1 else ():
        yield np.concatenate([members[one] for one in rng.integers(len(members), size=len(members))])
