"""`Task`: what is predicted for each image, and all that follows from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar, Optional, Union

import numpy as np

from ..calls import option
from ..errors import ArgumentError
from . import metrics, suspicion
from .label_type import TEXT, LabelType

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from .losses import Loss

    Array = NDArray[Any]
    Columns = dict[str, Any]

ClassWeights = Union[str, Mapping[Any, float], Sequence[float], None]
OURS = ("file", "height", "width")
"""Columns of a data frame of images, other than those of the labels."""


@dataclass(frozen=True)
class Task(ABC):
    """What is predicted for each image: one file per task, which registers itself by being a subclass with a name.

    Labels ``y`` are as `ImageSet` holds them, outputs are the network's, (N, K) float32.

    Parameters
    ----------
    levels
        The classes, labels, or names of the numbers, in the order of the outputs; empty for a single number.
    label_type
        What the classes were before they became text.
    """

    levels: tuple[str, ...] = ()
    label_type: LabelType = TEXT

    name: ClassVar[str]
    primary_metric: ClassVar[str]
    """The metric that a history shows, and a model's first line."""
    best_plot: ClassVar[str]
    """The most informative kind of plot of a model's predictions."""
    has_classes: ClassVar[bool] = True
    """Whether a label is one of some names: two copies of an image with different ones contradict each other."""

    _registry: ClassVar[dict[str, type[Task]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        Task._registry[cls.name] = cls

    @property
    def shown_levels(self) -> list[str]:
        """The levels as the current language writes them."""
        return [self.label_type.shown(level) for level in self.levels]

    @property
    def outputs(self) -> int:
        """How many outputs a network needs for it."""
        return len(self.levels)

    # ---- labels

    @abstractmethod
    def describe(self, y: Array) -> str:
        """What images with these labels are: "of 10 classes"."""

    @abstractmethod
    def text(self, label: Any) -> str:
        """The label of one image as text."""

    @abstractmethod
    def user_labels(self, y: Array) -> Any:
        """The labels as a user would give them."""

    @abstractmethod
    def columns(self, y: Array) -> Columns:
        """The labels as columns of a data frame, under names other than `OURS`."""

    @abstractmethod
    def strata(self, y: Array, fraction: float) -> Array:
        """What training and validation share evenly, where ``fraction`` validates: (N,) codes, or (N, K) bool."""

    def counts(self, y: Array) -> Optional[NDArray[np.int64]]:  # noqa: ARG002 - numbers have none
        """How many images each level has, (K,); None where there are no classes."""
        return None

    def without_levels(self, y: Array, kept: NDArray[np.bool_]) -> tuple[Task, Array]:  # noqa: ARG002 - the same
        """The task and the labels with the ``kept`` (K,) levels alone, which are all that occur."""
        return self, y

    def check_learnable(self, y: Array) -> None:  # noqa: B027 - not every task has such labels
        """Raises `LabelError` for labels from which nothing can be learned."""

    # ---- training

    @abstractmethod
    def loss(self, y: Optional[Array] = None, class_weights: Optional[Sequence[float]] = None) -> Loss:
        """The loss of training on these labels; without them that of a trained model, in the labels' own units."""

    def targets(self, y: Array) -> Array:
        """The labels as the loss takes them: (N,) codes, or (N, K) float64."""
        return y.reshape(len(y), -1).astype(np.float64)

    def class_weights(self, choice: ClassWeights, y: Array) -> Optional[list[float]]:  # noqa: ARG002
        """A factor for each class, in the order of the levels, from what `mxtrain` was given.

        Raises
        ------
        ArgumentError
            They do not fit the classes, or there are no classes.
        """
        if choice is None:
            return None
        raise ArgumentError("`class_weights` apply to classification only.", [f"this is {self.name}"])

    # ---- predictions

    @abstractmethod
    def predictions(self, outputs: Array, type: str, good: NDArray[np.bool_]) -> Columns:  # noqa: A002
        """Columns of a data frame of predictions: ``type`` is ``"class"``, ``"prob"`` or ``"logit"``.

        Images that are not ``good`` (N,) have outputs NaN, and nothing in the columns.
        """

    def rows(self, top: int) -> int:  # noqa: ARG002 - there is nothing to rank
        """How many rows `likeliest` has for each image, of those that were asked for.

        Raises
        ------
        ArgumentError
            The task has no likeliest classes.
        """
        raise ArgumentError("`top` applies to classification only.", [f"this is {self.name}"])

    def likeliest(self, outputs: Array, rows: int, good: NDArray[np.bool_]) -> Columns:
        """Columns of a data frame with so many rows for each image: its likeliest classes."""
        raise NotImplementedError

    def probabilities(self, outputs: Array) -> Array:
        """What the outputs mean, (N, K)."""
        return self.loss().probabilities(outputs)

    def measure(self, y: Array, outputs: Array) -> metrics.Figures:
        """Every metric of the task, by name."""
        return metrics.measure(self.name, self.targets(y), self.probabilities(outputs.astype(np.float64)))

    def score(self, y: Array, outputs: Array) -> float:
        """The primary metric."""
        metric = metrics.metric_of(self.name, self.primary_metric)
        return metric.function(self.targets(y), self.probabilities(outputs.astype(np.float64)))

    def losses(self, y: Array, outputs: Array) -> Array:
        """The loss of each image, (N,)."""
        return self.loss().each(outputs.astype(np.float64), self.targets(y))

    def mistakes(self, y: Array, outputs: Array) -> Columns:  # noqa: ARG002 - numbers have none
        """Columns with truth and prediction, for images that the model gets wrong."""
        return {}

    @abstractmethod
    def answers(self, y: Array, outputs: Array) -> Columns:
        """Columns with truth and prediction, for any images."""

    def carried(self, y: Array, outputs: Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:  # noqa: ARG002
        """(N, K) each: which levels images carry, and which are predicted; without columns for numbers."""
        none = np.zeros((len(y), 0), bool)
        return none, none

    # ---- sets: all that the truth may be, at a level

    @abstractmethod
    def misfits(self, y: Array, outputs: Array) -> Array:
        """How badly the truth fits the outputs, (N, J): one number an image, or one for each label or number."""

    @abstractmethod
    def sets(self, outputs: Array, limits: Array, good: NDArray[np.bool_]) -> Columns:
        """Columns with all that fits the outputs no worse than the limits (J,)."""

    @abstractmethod
    def size_of_sets(self, outputs: Array, limits: Array) -> str:
        """How large they are on average, in words."""

    # ---- labels that are probably wrong: see `mxtune.tasks.suspicion`

    @abstractmethod
    def suspicions(self, y: Array, outputs: Array) -> tuple[NDArray[np.int64], Columns]:
        """What speaks against the labels: the image of each row, and ``label, suggested, score, suspect`` among other
        columns. ``y`` and ``outputs`` are of models that had not seen the image."""

    @abstractmethod
    def remedy(self, row: Mapping[str, Any]) -> str:
        """What a row of `suspicions` suggests, in a word or two."""

    def alike(self, y: Array, outputs: Array) -> Sequence[suspicion.Alike]:  # noqa: ARG002 - numbers have none
        """Pairs of classes that may be one."""
        return ()

    def tolerance(self, y: Array, outputs: Array) -> Array:  # noqa: ARG002 - of classes none
        """How much the labels of copies may differ."""
        return np.zeros(1)

    def abstaining(self, columns: Columns, outputs: Array, least: float) -> Columns:  # noqa: ARG002
        """The columns of predictions without those less probable than this; ``abstained`` says why, or is None.

        Raises
        ------
        ArgumentError
            It is not classification.
        """
        hint = f"Use {option('type', 'set')}: it leaves open what is not certain."
        text = "`abstain` exists for classification only."
        raise ArgumentError(text, [f"the model's task is {self.name}"], hint)

    def caption(self, mistake: Mapping[str, Any]) -> str:
        """A row of ``mistakes``, its ``file`` and ``loss``, in a few words."""
        return f"{PurePath(mistake['file']).name}, loss {mistake['loss']:.2f}"

    def confusion(self, y: Array, outputs: Array) -> pd.DataFrame:  # noqa: ARG002 - the same
        """Counts (K, K): the true class in rows, the predicted one in columns.

        Raises
        ------
        ArgumentError
            It is not classification.
        """
        raise ArgumentError("A confusion matrix exists for classification only.", [f"the model's task is {self.name}"])

    def per_class(self, y: Array, outputs: Array) -> pd.DataFrame:  # noqa: ARG002 - the same
        """One row per class: ``level``, ``n``, ``precision``, ``recall``, ``f1``.

        Raises
        ------
        ArgumentError
            There are no classes.
        """
        raise ArgumentError("Metrics per class exist for classes and labels.", [f"the model's task is {self.name}"])

    @abstractmethod
    def calibration(self, y: Array, outputs: Array) -> pd.DataFrame:
        """What was ``predicted`` and what was ``observed``, in bins of probability or, for numbers, image by image.

        A column ``level`` comes first where each label or number has its own.
        """

    @abstractmethod
    def __str__(self) -> str:
        """The task in a few words: "10 classes (cat, dog, ...)"."""


def names() -> tuple[str, ...]:
    """The names of the tasks."""
    return tuple(Task._registry)


def named(name: str, levels: Sequence[str] = (), label_type: LabelType = TEXT) -> Task:
    """The task of that name, with these levels of this type.

    Raises
    ------
    ArgumentError
        There is no such task.

    Examples
    --------
    >>> from mxtune import tasks
    >>> print(tasks.named("classification", ["cat", "dog"]))
    2 classes (cat, dog)
    """
    if name not in Task._registry:
        raise ArgumentError(f"There is no task {name!r}.", hint=f"The tasks are {', '.join(names())}.")
    return Task._registry[name](tuple(levels), label_type)


def column_names(names: Sequence[str], prefix: str = "", ours: Sequence[str] = ()) -> list[str]:
    """The names of columns that a user's names get: never one of ``ours``, nor one twice; underscores follow instead.

    Examples
    --------
    >>> column_names(["cat", "class"], "pred_", ["pred_class"])
    ['pred_cat', 'pred_class_']
    """
    taken = {*ours, *(prefix + name for name in names)}
    columns = []
    for name in names:
        column = prefix + name
        if column in ours:
            while column in taken:
                column += "_"
            taken.add(column)
        columns.append(column)
    return columns


def shown(levels: Sequence[str], most: int = 6) -> str:
    """The first of many levels."""
    return ", ".join(levels[:most]) + (", ..." if len(levels) > most else "")
