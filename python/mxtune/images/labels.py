"""What the labels mean: a class each, several each, or numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ..arguments import is_number, one_of
from ..errors import ArgumentError, LabelError
from ..tasks import Classification, Multilabel, Regression, Task
from ..tasks import names as tasks
from ..words import bullets, counted, listing, shape_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

_UNKNOWN = "have a label that is not among the levels"


@dataclass(frozen=True, eq=False)
class Labels:
    """What is asked of each picture, and the answers.

    Parameters
    ----------
    task
        With its levels; None without labels.
    y
        One row a picture, as the task has them; None without labels.
    guess
        What was inferred, where it may surprise.
    """

    task: Optional[Task] = None
    y: Optional[NDArray[Any]] = None
    guess: Optional[str] = None

    @property
    def levels(self) -> tuple[str, ...]:
        """The classes, labels or names of the numbers."""
        return () if self.task is None else self.task.levels

    def take(self, rows: Any) -> Labels:
        """The labels of these pictures."""
        return self if self.y is None else Labels(self.task, self.y[rows])

    def counts(self) -> dict[str, int]:
        """How many pictures each class or label has; empty without classes."""
        numbers = None if self.task is None or self.y is None else self.task.counts(self.y)
        return {} if numbers is None else {level: int(n) for level, n in zip(self.levels, numbers)}

    def columns(self) -> dict[str, Any]:
        """The labels as columns of a data frame."""
        return {} if self.task is None or self.y is None else self.task.columns(self.y)

    def text(self, row: int) -> str:
        """The label of one picture as text; empty without."""
        return "" if self.task is None or self.y is None else self.task.text(self.y[row])

    def user_labels(self) -> Any:
        """The labels as a user would give them, or None."""
        return None if self.task is None or self.y is None else self.task.user_labels(self.y)

    def describe(self) -> str:
        """What kind of labels the pictures have: "of 10 classes"."""
        return "without labels" if self.task is None or self.y is None else self.task.describe(self.y)

    def strata(self, rows: Any, fraction: float) -> NDArray[Any]:
        """What is split evenly where ``fraction`` of these pictures validate; see `Task.strata`."""
        if self.task is None or self.y is None:
            return np.zeros(len(rows), dtype=np.int64)
        return self.task.strata(self.y[rows], fraction)


def understand(  # noqa: PLR0911 - one way out for each kind of label
    y: Any, names: Sequence[str], levels: Optional[Sequence[str]] = None, task: Optional[str] = None
) -> Labels:
    """The labels of these pictures.

    Parameters
    ----------
    y
        One label a picture (strings, a categorical, booleans, numbers), a matrix, a data frame, or a list of
        label sets.
    names
        The pictures' names, for errors.
    levels
        The classes, in order, where they are known already (a model's): no others are allowed then.
    task
        What to do, where the labels alone would say otherwise.

    Raises
    ------
    LabelError
        Too few or too many, missing, unknown or unfit labels, each by the name of its picture.
    """
    if task is not None:
        one_of("task", task, tasks())
    if y is None:
        return Labels()
    known = None if levels is None else _known(levels)
    if known is not None and len(set(known)) != len(known):
        raise ArgumentError("`levels` must be different from each other.", [f"they are {list(known)!r}"])
    if isinstance(y, (str, bytes, int, float)) and len(names) == 1:
        y = [y]
    if _is_table(y):
        return _matrix(y, names, known, task)
    categories = _categories(y)
    values = y.tolist() if hasattr(y, "tolist") else list(y)
    _as_many(len(values), names)
    if any(isinstance(value, (list, tuple, set, frozenset, np.ndarray)) for value in values):
        if all(_is_numbers(value) for value in values) and len({len(value) for value in values}) == 1:
            return _matrix(np.asarray([list(value) for value in values]), names, known, task)
        return _sets(values, names, known)
    _refuse("have no label", [name for name, value in zip(names, values) if is_missing(value)])
    if task == Multilabel.name:
        return _sets([[value] for value in values], names, known)
    numeric = categories is None and all(is_number(value) for value in values)
    if task == Regression.name or (task is None and numeric and known is None):
        guess = None
        if task is None:
            guess = 'The labels are numbers, so this is regression. For classes: task = "classification".'
        return Labels(Regression(), _numbers(values, names), guess)
    return _classes(values, names, known or categories)


def text_of(value: Any) -> str:
    """A label as the name of a class: whole numbers without a decimal point."""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def is_missing(value: Any) -> bool:
    """Whether a label is none at all: ``None``, NaN, pandas' NA, or an empty text."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, str):
        return value == ""
    return isinstance(value, (float, np.floating)) and math.isnan(value)


def _classes(values: list[Any], names: Sequence[str], known: Optional[tuple[str, ...]]) -> Labels:
    if known is None:
        distinct = set(values)
        in_order = sorted(distinct) if all(is_number(value) for value in distinct) else sorted(distinct, key=text_of)
        known = tuple(dict.fromkeys(text_of(value) for value in in_order))
    code = {level: index for index, level in enumerate(known)}
    texts = [text_of(value) for value in values]
    unknown = [f"{name}: {text}" for name, text in zip(names, texts) if text not in code]
    _refuse(_UNKNOWN, unknown, _the_levels(known))
    return Labels(Classification(known), np.asarray([code[text] for text in texts], dtype=np.int64))


def _numbers(values: Iterable[Any], names: Sequence[str]) -> NDArray[np.float32]:
    numbers, bad = [], []
    for name, value in zip(names, values):
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        numbers.append(number)
        if not math.isfinite(number):
            bad.append(f"{name}: {value}")
    _refuse("have a label that is no finite number", bad)
    return np.asarray(numbers, dtype=np.float32)


def _sets(values: list[Any], names: Sequence[str], known: Optional[tuple[str, ...]]) -> Labels:
    _refuse("have no label", [n for n, v in zip(names, values) if not _is_set(v) and is_missing(v)])
    sets = [[text_of(item) for item in value] if _is_set(value) else [text_of(value)] for value in values]
    _refuse("have an empty label", [name for name, labels in zip(names, sets) if any(map(is_missing, labels))])
    levels = known or tuple(sorted({label for labels in sets for label in labels}))
    if not levels:
        raise LabelError("No picture has a label.", hint="Give at least one picture at least one label.")
    code = {level: index for index, level in enumerate(levels)}
    unknown = [f"{n}: {label}" for n, labels in zip(names, sets) for label in labels if label not in code]
    _refuse(_UNKNOWN, unknown, _the_levels(levels))
    y = np.zeros((len(values), len(levels)), dtype=np.float32)
    for row, labels in enumerate(sets):
        y[row, [code[label] for label in labels]] = 1
    return Labels(Multilabel(levels), y)


def _matrix(y: Any, names: Sequence[str], known: Optional[tuple[str, ...]], task: Optional[str]) -> Labels:
    columns = [str(column) for column in y.columns] if hasattr(y, "columns") else None
    if columns is not None and len(columns) == 1:
        return understand(y.iloc[:, 0], names, known, task)
    table = y.to_numpy() if hasattr(y, "to_numpy") else np.asarray(y)
    if table.ndim != 2:
        raise LabelError("Labels must be a vector or a matrix.", [f"they are {shape_text(table.shape)}"])
    if table.shape[1] == 1:
        return understand(table[:, 0], names, known, task)
    _as_many(len(table), names)
    bad = [name for name, row in zip(names, table.tolist()) if any(map(is_missing, row))]
    _refuse("have a missing label", bad)
    try:
        numbers = table.astype(np.float32)
    except (TypeError, ValueError) as error:
        raise LabelError("A matrix of labels must hold numbers, or true and false.") from error
    _refuse(
        "have a label that is no finite number",
        [n for n, row in zip(names, numbers) if not np.isfinite(row).all()],
    )
    if columns is not None and len(set(columns)) != len(columns):
        raise LabelError("Two columns of the labels have one name.", bullets(sorted(columns)))
    if columns is not None and known is not None:
        numbers = numbers[:, _places(known, columns)]
    if known is not None and len(known) != numbers.shape[1]:
        raise LabelError(f"The labels have {numbers.shape[1]} columns, but there are {len(known)} levels.")
    levels = known or tuple(columns or (str(column + 1) for column in range(numbers.shape[1])))
    binary = bool(np.isin(numbers, (0, 1)).all())
    if task == Classification.name:
        if not binary or not (numbers.sum(axis=1) == 1).all():
            raise LabelError("For classification each row of the labels must have a single 1.")
        return Labels(Classification(levels), numbers.argmax(axis=1).astype(np.int64))
    if task == Multilabel.name and not binary:
        raise LabelError("Labels for several classes at once must be 0 and 1, or true and false.")
    kind = Multilabel if task == Multilabel.name or (task is None and binary) else Regression
    return Labels(kind(levels), np.ascontiguousarray(numbers))


def _known(levels: Any) -> tuple[str, ...]:
    if isinstance(levels, str):
        return (levels,)
    if not isinstance(levels, Iterable):
        raise ArgumentError("`levels` must be the names of the classes.", [f"it is {levels!r}"])
    return tuple(str(level) for level in levels)


def _places(levels: Sequence[str], columns: Sequence[str]) -> list[int]:
    """Where among the columns each level is."""
    wrong = [f"{column}: no level" for column in columns if column not in levels]
    wrong += [f"{level}: no column" for level in levels if level not in columns]
    if wrong:
        text = f"The columns of the labels are not the {len(levels)} levels."
        raise LabelError(text, bullets(wrong), "A matrix without names is taken in the order of the levels.")
    return [columns.index(level) for level in levels]


def _as_many(labels: int, names: Sequence[str]) -> None:
    if labels != len(names):
        raise LabelError(f"There are {labels} labels for {len(names)} pictures.", hint="Give one label for each.")


def _the_levels(levels: Sequence[str]) -> str:
    return f"The levels are {listing(levels, 20)}."


def _refuse(what: str, bad: list[str], hint: Optional[str] = None) -> None:
    if bad:
        verb, _, rest = what.partition(" ")
        verb = "has" if len(bad) == 1 and verb == "have" else verb
        raise LabelError(f"{counted(len(bad), 'picture')} {verb} {rest}.", bullets(bad, 100), hint)


def _is_table(y: Any) -> bool:
    return hasattr(y, "columns") or (isinstance(y, np.ndarray) and y.ndim != 1)


def _is_set(value: Any) -> bool:
    return isinstance(value, (list, tuple, set, frozenset, np.ndarray))


def _is_numbers(value: Any) -> bool:
    if not isinstance(value, (list, tuple, np.ndarray)) or len(value) == 0:
        return False
    return all(is_number(item) or isinstance(item, (bool, np.bool_)) for item in value)


def _categories(y: Any) -> Optional[tuple[str, ...]]:
    """The order that a pandas categorical (an R factor) keeps, or ``None``."""
    categories = getattr(getattr(y, "dtype", None), "categories", None)
    return None if categories is None else tuple(text_of(category) for category in categories)
