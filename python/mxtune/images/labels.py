"""What the labels mean: a class each, several each, or numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ..arguments import in_order, is_number, one_of
from ..calls import option, value_text
from ..errors import ArgumentError, LabelError
from ..tasks import Classification, Multilabel, Regression, Task
from ..tasks import names as tasks
from ..tasks.label_type import TEXT, LabelType, kind_of, label_text, r_text
from ..words import bullets, counted, listing, shape_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ONE_HOT = (
    "Each row of the labels has exactly one 1, and is taken as multilabel: several labels per image are allowed. "
    "For one class per image: {}."
)


@dataclass(frozen=True, eq=False)
class Labels:
    """What is to be predicted for each image, and the answers.

    Parameters
    ----------
    task
        The task with its levels; None without labels.
    y
        One row per image, as the task has them; None without labels.
    guess
        What was inferred, if it may surprise.
    """

    task: Optional[Task] = None
    y: Optional[NDArray[Any]] = None
    guess: Optional[str] = None

    @property
    def levels(self) -> tuple[str, ...]:
        """The classes, labels or names of the numbers."""
        return () if self.task is None else self.task.levels

    def take(self, rows: Any) -> Labels:
        """The labels of these images."""
        return self if self.y is None else Labels(self.task, self.y[rows])

    def counts(self) -> dict[str, int]:
        """How many images each class or label has; empty without classes."""
        if self.task is None or self.y is None:
            return {}
        numbers = self.task.counts(self.y)
        return {} if numbers is None else dict(zip(self.task.shown_levels, map(int, numbers)))

    def columns(self) -> dict[str, Any]:
        """The labels as columns of a data frame."""
        return {} if self.task is None or self.y is None else self.task.columns(self.y)

    def text(self, row: int) -> str:
        """The label of one image as text; empty without."""
        return "" if self.task is None or self.y is None else self.task.text(self.y[row])

    def user_labels(self) -> Any:
        """The labels as a user would give them, or None."""
        return None if self.task is None or self.y is None else self.task.user_labels(self.y)

    def describe(self) -> str:
        """What kind of labels the images have: "of 10 classes"."""
        return "without labels" if self.task is None or self.y is None else self.task.describe(self.y)

    def strata(self, rows: Any, fraction: float) -> NDArray[Any]:
        """What is split evenly where ``fraction`` of these images validate; see `Task.strata`."""
        if self.task is None or self.y is None:
            return np.zeros(len(rows), dtype=np.int64)
        return self.task.strata(self.y[rows], fraction)


def understand(  # noqa: PLR0911 - one way out for each kind of label
    y: Any, names: Sequence[str], levels: Optional[Sequence[str]] = None, task: Optional[str] = None
) -> Labels:
    """The labels of these images.

    Parameters
    ----------
    y
        One label per image (strings, a categorical, booleans, numbers), a matrix, a data frame, or a list of
        label sets.
    names
        The images' names, for errors.
    levels
        The classes, in order, if they are known in advance (a model's): no others are then allowed.
    task
        What to learn, if the labels alone suggest another task.

    Raises
    ------
    LabelError
        Labels are too few or too many, missing, unknown or unsuitable; each is named by its image.
    """
    if task is not None:
        one_of("task", task, tasks())
    if y is None:
        return Labels()
    known_levels = None if levels is None else _level_names(levels)
    if known_levels is not None and len(set(known_levels)) != len(known_levels):
        raise ArgumentError("`levels` must be unique.", [f"they are {value_text(list(known_levels))}"])
    if isinstance(y, (str, bytes, bytearray)) or is_label_number(y):
        y = _single(y, names)
    if _is_table(y):
        return _matrix(y, names, known_levels, task)
    if not hasattr(y, "__iter__"):
        raise LabelError("`y` must be the labels, one per image.", [f"it is of type {type(y).__name__}"])
    categories = _categories(y)
    values = y.tolist() if hasattr(y, "tolist") else list(y)
    _check_count(len(values), names)
    if any(isinstance(value, (list, tuple, set, frozenset, np.ndarray)) for value in values):
        if all(_is_number_row(value) for value in values) and len({len(value) for value in values}) == 1:
            return _matrix(np.asarray([list(value) for value in values]), names, known_levels, task)
        return _sets(values, names, known_levels)
    unhashable = [
        f"{name}: {type(value).__name__}" for name, value in zip(names, values) if not isinstance(value, Hashable)
    ]
    _refuse("have a label that is not a text or number", unhashable)
    if len(values) > 1 and all(map(is_missing, values)):
        raise LabelError(f"None of the {len(values)} images has a label.")
    _refuse("have no label", [name for name, value in zip(names, values) if is_missing(value)])
    if task == Multilabel.name:
        return _sets([[value] for value in values], names, known_levels)
    numeric = categories is None and all(is_label_number(value) for value in values)
    if task == Regression.name or (task is None and numeric and known_levels is None):
        guess = None
        if task is None:
            guess = f"The labels are numbers, so this is regression. For classes: {option('task', 'classification')}."
        return Labels(Regression(), _numbers(values, names), guess)
    ordered = bool(getattr(getattr(y, "dtype", None), "ordered", False))
    return _classes(values, known_levels, categories, ordered)


def is_label_number(value: Any) -> bool:
    """Whether a label is a number of any type, but not a boolean."""
    return isinstance(value, Decimal) or is_number(value)


def is_missing(value: Any) -> bool:
    """Whether a label is missing: ``None``, NaN, pandas' NA, or a blank text."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, (str, bytes)):
        return not value.strip()
    return is_label_number(value) and bool(value != value)  # noqa: PLR0124 - NaN of any type


def _single(y: Any, names: Sequence[str]) -> list[Any]:
    if len(names) == 1:
        return [y]
    text = f"`y` is a single label, {label_text(y)!r}, for {len(names)} images."
    raise LabelError(text, hint="Give one label for each image.")


def _classes(
    values: list[Any],
    known_levels: Optional[tuple[str, ...]],
    categories: Optional[list[Any]],
    ordered: bool,
) -> Labels:
    distinct = list(set(values)) if categories is None else categories
    label_type = LabelType.of(distinct, ordered and known_levels is None)
    levels = known_levels
    if levels is None:
        sorted_values = distinct if categories is not None else _sorted(distinct, label_type)
        levels = tuple(dict.fromkeys(map(label_text, sorted_values)))
    code_of = _codes(levels)
    texts = [_text_of(value, code_of) for value in values]
    _refuse_unknown([[text] for text in texts], code_of, levels)
    if label_type.kind == "boolean":  # R writes them TRUE and FALSE
        levels = tuple(level.capitalize() for level in levels)
    label_type = label_type if label_type.fits(levels) else TEXT
    y = np.asarray([code_of[text] for text in texts], dtype=np.int64)
    return Labels(Classification(levels, label_type), y, _guess_on_classes(distinct, levels))


def _sorted(distinct: list[Any], label_type: LabelType) -> list[Any]:
    return sorted(distinct, key=label_text) if label_type.kind in ("text", "boolean") else sorted(distinct)


def _codes(levels: Sequence[str]) -> dict[str, int]:
    """The code of each level, also in composed Unicode, and of numbers and booleans as other languages write them."""
    code_of = {label_text(level): place for place, level in enumerate(levels)}
    if LabelType("number").fits(levels):
        code_of |= {r_text(float(level)): place for place, level in enumerate(levels)}
    for place, level in enumerate(levels):  # levels that R wrote, as 1e+05
        if _is_written_by_r(level):
            code_of.setdefault(label_text(float(level)), place)
    if {level.lower() for level in levels} == {"true", "false"}:
        code_of |= {
            write(level): code_of[level] for level in levels for write in (str.upper, str.lower, str.capitalize)
        }
    return code_of | {level: place for place, level in enumerate(levels)}


def _text_of(value: Any, code_of: Mapping[str, int]) -> str:
    """A label as text; a number among levels that R wrote has the digits that R writes."""
    text = label_text(value)
    return r_text(value) if text not in code_of and kind_of(value) == "number" else text


def _is_written_by_r(level: str) -> bool:
    try:
        return r_text(float(level)) == level
    except ValueError:
        return False


def _guess_on_classes(distinct: Sequence[Any], levels: Sequence[str]) -> Optional[str]:
    """A sentence on classes that may not be what was meant."""
    kinds = sorted({type(value).__name__ for value in distinct if not isinstance(value, (str, bytes))})
    if kinds and LabelType.of(distinct).kind == "text":
        return f"Labels of type {listing(kinds)} are taken as text: {listing(levels, 3)}."
    return next(filter(None, (_split_by(mark, levels) for mark in ";|,/+&_ ")), None)


def _split_by(mark: str, levels: Sequence[str]) -> Optional[str]:
    """A sentence where classes look like several labels each: parts of them recur; words must do so twice, as in "red
    shirt", "blue shirt", "red dress"."""
    with_mark = [level for level in levels if mark in level.strip()]
    counts = Counter(part for level in levels for part in {part.strip() for part in level.split(mark)})
    recurring = sum(n > 1 for part, n in counts.items() if part)
    if not with_mark or recurring < (2 if mark in "_ " else 1):
        return None
    text = f'Each text is taken as one class, for example "{with_mark[0]}".'
    return f"{text} For several labels per image, give a list with the labels of each."


def _numbers(values: Iterable[Any], names: Sequence[str]) -> NDArray[np.float64]:
    numbers, bad = [], []
    for name, value in zip(names, values):
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        numbers.append(number)
        if not math.isfinite(number):
            bad.append(f"{name}: {str(value)[:60]}")
    _refuse("have a label that is not a finite number", bad)
    return np.asarray(numbers, dtype=np.float64)


def _sets(values: list[Any], names: Sequence[str], known_levels: Optional[tuple[str, ...]]) -> Labels:
    _refuse("have no label", [n for n, v in zip(names, values) if not _is_set(v) and is_missing(v)])
    sets = [list(value) if _is_set(value) else [value] for value in values]
    _refuse(
        "have a label that is not a text or number",
        [
            f"{n}: {type(one).__name__}"
            for n, labels in zip(names, sets)
            for one in labels
            if not isinstance(one, Hashable)
        ],
    )
    _refuse("have an empty label", [name for name, labels in zip(names, sets) if any(map(is_missing, labels))])
    texts = [[label_text(label) for label in labels] for labels in sets]
    levels = known_levels or tuple(sorted({label for labels in texts for label in labels}))
    if not levels:
        raise LabelError("No image has a label.", hint="Give at least one image at least one label.")
    code_of = _codes(levels)
    _refuse_unknown(texts, code_of, levels)
    y = np.zeros((len(values), len(levels)), dtype=np.float32)
    for row, labels in enumerate(texts):
        y[row, [code_of[label] for label in labels]] = 1
    return Labels(Multilabel(levels), y)


def _matrix(y: Any, names: Sequence[str], known_levels: Optional[tuple[str, ...]], task: Optional[str]) -> Labels:
    columns = [label_text(column) for column in y.columns] if hasattr(y, "columns") else None
    if columns is not None and len(columns) == 1:
        return understand(y.iloc[:, 0], names, known_levels, task)
    table = y.to_numpy() if hasattr(y, "to_numpy") else np.asarray(y)
    if table.ndim != 2:
        raise LabelError("Labels must be a vector or a matrix.", [f"they are {shape_text(table.shape)}"])
    if table.shape[1] == 1:
        return understand(table[:, 0], names, known_levels, task)
    _check_count(len(table), names)
    bad = [name for name, row in zip(names, table.tolist()) if any(map(is_missing, row))]
    _refuse("have a missing label", bad)
    try:
        numbers = table.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise LabelError("A matrix of labels must contain numbers, or true and false.") from error
    _refuse(
        "have a label that is not a finite number",
        [n for n, row in zip(names, numbers) if not np.isfinite(row).all()],
    )
    if columns is not None and len(set(columns)) != len(columns):
        raise LabelError("Two columns of the labels have the same name.", bullets(sorted(columns)))
    if columns is not None and known_levels is not None:
        numbers = numbers[:, _places(known_levels, columns)]
    if known_levels is not None and len(known_levels) != numbers.shape[1]:
        raise LabelError(f"The labels have {numbers.shape[1]} columns, but there are {len(known_levels)} classes.")
    levels = known_levels or tuple(columns or (str(column + 1) for column in range(numbers.shape[1])))
    binary = bool(np.isin(numbers, (0, 1)).all())
    one_each = binary and bool((numbers.sum(axis=1) == 1).all())
    if task == Classification.name:
        if not one_each:
            raise LabelError("For classification, each row of the labels must have exactly one 1.")
        return Labels(Classification(levels), numbers.argmax(axis=1).astype(np.int64))
    if task == Multilabel.name and not binary:
        raise LabelError("Labels for several classes at once must be 0 and 1, or true and false.")
    if task == Multilabel.name or (task is None and binary):
        guess = _ONE_HOT.format(option("task", "classification")) if task is None and one_each else None
        return Labels(Multilabel(levels), np.ascontiguousarray(numbers, dtype=np.float32), guess)
    guess = None if task else f"The labels are {numbers.shape[1]} numbers per image, so this is regression."
    return Labels(Regression(levels), np.ascontiguousarray(numbers), guess)


def _level_names(levels: Any) -> tuple[str, ...]:
    if isinstance(levels, str):
        return (levels,)
    if not isinstance(levels, Iterable):
        raise ArgumentError("`levels` must be the names of the classes.", [f"it is {value_text(levels)}"])
    return tuple(level if isinstance(level, str) else label_text(level) for level in in_order("levels", levels))


def _places(levels: Sequence[str], columns: Sequence[str]) -> list[int]:
    """Where among the columns each level is."""
    code_of = _codes(levels)
    mismatches = [f"{column}: not among the levels" for column in columns if column not in code_of]
    column_of = {code_of[column]: place for place, column in enumerate(columns) if column in code_of}
    mismatches += [f"{level}: no column" for place, level in enumerate(levels) if place not in column_of]
    if mismatches:
        text = "The columns of the labels don't match `levels`."
        raise LabelError(text, bullets(mismatches), "A matrix without names is taken in the order of `levels`.")
    return [column_of[place] for place in range(len(levels))]


def _check_count(labels: int, names: Sequence[str]) -> None:
    if labels != len(names):
        text = f"Got {counted(labels, 'label')} for {counted(len(names), 'image')}."
        raise LabelError(text, hint="Give one label for each image.")


def _refuse(what: str, bad: list[str], hint: Optional[str] = None) -> None:
    if bad:
        verb, _, rest = what.partition(" ")
        verb = "has" if len(bad) == 1 and verb == "have" else verb
        raise LabelError(f"{counted(len(bad), 'image')} {verb} {rest}.", bullets(bad, 100), hint)


def _refuse_unknown(texts: list[list[str]], code_of: Mapping[str, int], levels: Sequence[str]) -> None:
    unknown = [[label for label in labels if label not in code_of] for labels in texts]
    counts = Counter(label for labels in unknown for label in labels)
    if counts:
        subject = counted(sum(map(bool, unknown)), "image has", "images have")
        frequent = listing([f"{_shown(label)} ({n})" for label, n in counts.most_common()])
        hint = f"The classes are {listing([*map(_shown, levels)], 20)}."
        raise LabelError(f"{subject} unknown labels: {frequent}.", hint=hint)


def _shown(label: str) -> str:
    """The text of a label as the interface at hand writes it: R has ``TRUE``."""
    boolean = LabelType("boolean")
    return boolean.shown(label) if boolean.fits([label]) else label


def _is_table(y: Any) -> bool:
    return hasattr(y, "columns") or (isinstance(y, np.ndarray) and y.ndim != 1)


def _is_set(value: Any) -> bool:
    return isinstance(value, (list, tuple, set, frozenset, np.ndarray))


def _is_number_row(value: Any) -> bool:
    if not isinstance(value, (list, tuple, np.ndarray)) or len(value) == 0:
        return False
    return all(kind_of(item) != "text" for item in value)


def _categories(y: Any) -> Optional[list[Any]]:
    """The order that a pandas categorical (an R factor) keeps, or ``None``."""
    categories = getattr(getattr(y, "dtype", None), "categories", None)
    return None if categories is None else categories.tolist()
