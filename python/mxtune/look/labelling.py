"""How the label of an image is decided and written: one class, or several labels, each with a column of its own."""

from __future__ import annotations

import json
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

from ..errors import ArgumentError
from ..images import ImageSet
from ..images.decided import COLUMN
from ..tasks.base import column_names
from ..tasks.label_type import TEXT

if TYPE_CHECKING:
    import pandas as pd

Label = Union[str, tuple[str, ...], None]  # a class, or labels in their order; None for an image without
WRITTEN = ("file", COLUMN, "was", "suggested", "prob", "suggested_prob")
FIXED = (*WRITTEN, "group", "split")
_LONGEST, _MOST = 200, 1000  # characters of a class; labels of an image
_SAID = {"true": True, "1": True, "false": False, "0": False}


class Labelling(ABC):
    """How images are labelled.

    Parameters
    ----------
    images
        With labels that are of this kind, or without any.
    """

    several = False

    def __init__(self, images: ImageSet) -> None:
        self.task, self.known = images.labels.task, images.y is not None
        self.given: list[Label] = self._given(images)

    @abstractmethod
    def _given(self, images: ImageSet) -> list[Label]: ...

    @abstractmethod
    def levels(self, labels: Iterable[Label]) -> list[str]:
        """The classes: those of the images, then those that only these labels have."""

    @abstractmethod
    def checked(self, label: Any, levels: Sequence[str]) -> Label:
        """A label that somebody has decided on.

        Raises
        ------
        ArgumentError
            It is none, or a class is empty, too long, or holds what no name has.
        """

    @abstractmethod
    def columns(self, levels: Sequence[str]) -> list[str]:
        """The columns of the table that hold labels."""

    @abstractmethod
    def cells(self, label: Label, levels: Sequence[str]) -> list[str]:
        """What is in these columns, as .csv has it."""

    @abstractmethod
    def values(self, labels: Sequence[Label], levels: Sequence[str]) -> dict[str, list[Any]]:
        """These columns in a data frame."""

    @abstractmethod
    def text(self, label: Label) -> Optional[str]:
        """The label before a change, as its one cell has it; None without."""

    @abstractmethod
    def columns_in(self, frame: pd.DataFrame) -> list[str]:
        """The columns of a table that was written before that hold labels."""

    @abstractmethod
    def wrote(self, frame: pd.DataFrame) -> bool:
        """Whether labels of this kind, or none, are in a table."""

    @abstractmethod
    def read(self, frame: pd.DataFrame) -> list[Label]:
        """The label of each row of a table, None where it says nothing."""

    @abstractmethod
    def read_text(self, text: Any) -> Label:
        """What `text` gave."""


class OneClass(Labelling):
    """One class for each image, in the column ``label``. Classes that are numbers or booleans stay such."""

    def _given(self, images: ImageSet) -> list[Label]:
        return [images.label_of(row) if self.known else None for row in range(len(images))]

    def levels(self, labels: Iterable[Label]) -> list[str]:
        known = [] if self.task is None else list(self.task.shown_levels)
        return list(dict.fromkeys([*known, *(str(label) for label in labels if label is not None)]))

    def checked(self, label: Any, levels: Sequence[str]) -> Label:  # noqa: ARG002 - a new class is one, too
        return _name_of(label)

    def columns(self, levels: Sequence[str]) -> list[str]:  # noqa: ARG002 - one for all of them
        return ["label"]

    def cells(self, label: Label, levels: Sequence[str]) -> list[str]:  # noqa: ARG002
        text = self.text(label)
        if text is None:
            return [""]
        return [text if self.are_numbers([text]) else quoted(text)]

    def are_numbers(self, levels: Sequence[str]) -> bool:
        """Whether these classes are numbers, or booleans, as those of the images are."""
        if self.task is None or self.task.label_type.kind == "text":
            return False
        others = [level for level in levels if level not in self.task.shown_levels]
        return self.task.label_type.fits(others)

    def values(self, labels: Sequence[Label], levels: Sequence[str]) -> dict[str, list[Any]]:  # noqa: ARG002
        label_type = TEXT if self.task is None else self.task.label_type
        known = [str(label) for label in labels if label is not None]
        in_order = iter(label_type.values(known) if label_type.fits(known) else known)
        return {"label": [None if label is None else next(in_order) for label in labels]}

    def text(self, label: Label) -> Optional[str]:
        return None if label is None else str(label)

    def columns_in(self, frame: pd.DataFrame) -> list[str]:
        return [name for name in frame.columns if name == "label"]

    def wrote(self, frame: pd.DataFrame) -> bool:
        return "label" in frame or "was" not in frame

    def read(self, frame: pd.DataFrame) -> list[Label]:
        cells = frame["label"].tolist() if "label" in frame else [None] * len(frame)
        return [self.read_text(cell) for cell in cells]

    def read_text(self, text: Any) -> Label:
        return None if text is None else str(text)


class SeveralLabels(Labelling):
    """Any number of labels for each image: a column with TRUE and FALSE for each, as `Suspects.save` has them."""

    several = True

    def _given(self, images: ImageSet) -> list[Label]:
        return [tuple(labels) for labels in images.labels.user_labels()]

    def levels(self, labels: Iterable[Label]) -> list[str]:
        known = [] if self.task is None else list(self.task.levels)
        return list(dict.fromkeys([*known, *(one for label in labels for one in label or ())]))

    def checked(self, label: Any, levels: Sequence[str]) -> Label:
        if not isinstance(label, (list, tuple)) or len(label) > _MOST:
            raise ArgumentError(f"The labels of an image are a list of at most {_MOST:,}.")
        return self._in_order(map(_name_of, label), levels)

    @staticmethod
    def _in_order(labels: Iterable[str], levels: Sequence[str]) -> tuple[str, ...]:
        wanted = dict.fromkeys(labels)
        return (*(level for level in levels if level in wanted), *(one for one in wanted if one not in levels))

    def columns(self, levels: Sequence[str]) -> list[str]:
        return column_names(levels, ours=FIXED)

    def cells(self, label: Label, levels: Sequence[str]) -> list[str]:
        return ["" if label is None else str(level in label).upper() for level in levels]

    def values(self, labels: Sequence[Label], levels: Sequence[str]) -> dict[str, list[Any]]:
        return {name: [level in (label or ()) for label in labels] for name, level in zip(self.columns(levels), levels)}

    def text(self, label: Label) -> Optional[str]:
        return None if label is None else json.dumps(label, ensure_ascii=False)

    def columns_in(self, frame: pd.DataFrame) -> list[str]:
        return list(self._said(frame))

    def wrote(self, frame: pd.DataFrame) -> bool:
        return "label" not in frame or bool(self._said(frame))

    @staticmethod
    def _said(frame: pd.DataFrame) -> dict[str, list[Optional[bool]]]:
        """Columns that say true or false."""
        said = {}
        for name in frame.columns:
            cells = [None if cell is None else _SAID.get(str(cell).lower()) for cell in frame[name].tolist()]
            if name not in FIXED and any(cell is not None for cell in cells):
                said[name] = cells
        return said

    def read(self, frame: pd.DataFrame) -> list[Label]:
        known = self.levels(())
        level_of = dict(zip(self.columns(known), known))
        said = {level_of.get(name, str(name)): cells for name, cells in self._said(frame).items()}
        if not said:
            return [None] * len(frame)
        rows = zip(*said.values())
        return [self._in_order((level for level, on in zip(said, row) if on), known) for row in rows]

    def read_text(self, text: Any) -> Label:
        try:
            labels = json.loads(text or "")
        except (ValueError, TypeError, RecursionError):
            return None
        is_label = isinstance(labels, list) and all(isinstance(one, str) for one in labels)
        return self._in_order(labels, self.levels(())) if is_label else None


def labelling_of(images: ImageSet) -> Labelling:
    """How these images are labelled."""
    return SeveralLabels(images) if images.task == "multilabel" else OneClass(images)


def quoted(text: str) -> str:
    """A text as a cell, so that a class 007 stays what it is."""
    return '"' + text.replace('"', '""') + '"'


def _name_of(label: Any) -> str:
    text = unicodedata.normalize("NFC", label if isinstance(label, str) else "").strip()
    if not text or len(text) > _LONGEST or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
        raise ArgumentError(f"A class has a name of 1 to {_LONGEST} characters in one line.")
    return text
