"""`Decisions`: what is decided on each image, in a table that is on disk before the next key."""

from __future__ import annotations

import os
import threading
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from .. import store
from ..errors import ArgumentError, MxtuneError
from ..images import ImageSet
from ..images.decided import COLUMN, DROP, KEEP, RELABEL, WORDS
from ..images.paths import as_in_table
from ..images.stored import is_address
from ..images.table import read_table
from ..tasks.label_type import TEXT

if TYPE_CHECKING:
    import pandas as pd

_LONGEST = 200  # characters of a class


class State(NamedTuple):
    """What is decided on an image, or ``""``, and the label that it has now; None without."""

    decision: str
    label: Optional[str]


class Decisions:
    """What is decided on images. Every change is in the table when it returns, or has not happened.

    Parameters
    ----------
    images
        The images, with classes as labels or without any.
    table
        The .csv file; what it says already is taken over.
    suggested
        By image what a model suggests, and the probabilities that it gives to the label and to that.

    Raises
    ------
    ArgumentError
        The file is there, and is no such table.
    """

    def __init__(
        self, images: ImageSet, table: Path, suggested: Optional[Mapping[int, tuple[str, float, float]]] = None
    ) -> None:
        self.images, self.table, self.suggested = images, table, suggested or {}
        self.files = images.files or [None] * len(images)
        self.was = [images.label_of(row) if images.y is not None else None for row in range(len(images))]
        self.now = [State("", label) for label in self.was]
        self.lock = threading.RLock()
        self._before: list[tuple[int, State]] = []  # an image, and what it was before the change
        self._elsewhere: list[dict[str, Any]] = []  # rows of the table on images that are not looked at
        self._closed = False
        if table.exists():
            self._take_over()
        self._lines = [self._line(row) for row in range(len(images))]

    def __len__(self) -> int:
        """How many images something is decided on."""
        return sum(bool(state.decision) for state in self.now)

    @property
    def elsewhere(self) -> int:
        """How many images the table has that are not looked at, and stay in it."""
        return len(self._elsewhere)

    @property
    def steps(self) -> int:
        """How many changes can be undone."""
        return len(self._before)

    @property
    def levels(self) -> list[str]:
        """The classes: those of the images, then those that were given here."""
        task = self.images.labels.task
        known = [] if task is None else list(task.shown_levels)
        return list(dict.fromkeys([*known, *(state.label for state in self.now if state.label is not None)]))

    def decide(self, row: int, decision: str, label: Optional[str] = None) -> State:
        """Decide on an image: ``"keep"``, ``"drop"``, ``"relabel"`` with its label, or ``""`` for nothing.

        Raises
        ------
        ArgumentError
            There is no such image or decision, or the label is none.
        StoreError
            The table can't be written.
        """
        if not 0 <= row < len(self.now):
            raise ArgumentError(f"There is no image {row}.")
        if decision not in ("", *WORDS):
            raise ArgumentError("That is no decision.", [f"it is {decision!r}"])
        if decision == RELABEL:
            wanted = State(RELABEL, _checked(label))
            wanted = State(KEEP, wanted.label) if wanted.label == self.was[row] else wanted
        else:
            wanted = State(decision, self.was[row])
        with self.lock:
            before = self.now[row]
            self._set(row, wanted)
            self._before.append((row, before))
        return wanted

    def undo(self) -> Optional[int]:
        """Take back the last change; its image, or None where there is none.

        Raises
        ------
        StoreError
            The table can't be written.
        """
        with self.lock:
            if not self._before:
                return None
            row, before = self._before[-1]
            self._set(row, before)
            self._before.pop()
        return row

    def close(self) -> None:
        """Nothing is decided any more; a change that is being written is finished first."""
        with self.lock:
            self._closed = True

    def moved(self, row: int, file: str) -> None:
        """An image's file is elsewhere now, as was decided: in the folder of its class, or where dropped ones lie."""
        decision, label = self.now[row]
        self.files[row] = file
        self.now[row] = State(DROP if decision == DROP else KEEP, label)
        self.was[row] = label
        self._lines[row] = self._line(row)

    def write(self) -> None:
        """Write the table.

        Raises
        ------
        StoreError
            It can't be written.
        """
        content = "\n".join([",".join(self._columns()), *self._lines, *self._others(), ""])
        store.write(self.table, [content.encode("utf-8", "surrogateescape")], "the table of decisions")

    def frame(self) -> pd.DataFrame:
        """The table as a data frame: ``file``, the path; ``label`` as it is now, of the type that labels have;
        ``decision``; and ``was``, the label before, where it was changed."""
        import pandas as pd

        labels = [state.label for state in self.now]
        task = self.images.labels.task
        label_type = TEXT if task is None else task.label_type
        known = [label for label in labels if label is not None]
        values: list[Any] = label_type.values(known) if label_type.fits(known) else known
        in_order = iter(values)
        columns: dict[str, Any] = {
            "file": [file or name for file, name in zip(self.files, self.images.names)],
            "label": [None if label is None else next(in_order) for label in labels],
            COLUMN: [state.decision for state in self.now],
            "was": [self._was_text(row) or None for row in range(len(labels))],
        }
        columns |= self._beside
        if not self._has_labels:
            del columns["label"], columns["was"]
        return pd.DataFrame(columns)

    # ---- internals

    def _set(self, row: int, wanted: State) -> None:
        if self._closed:
            raise MxtuneError("It has ended: nothing is decided any more.")
        before, had_labels = self.now[row], self._has_labels
        self.now[row] = wanted
        try:
            self._lines[row] = self._line(row)
            if self._has_labels != had_labels:
                self._lines = [self._line(place) for place in range(len(self.now))]
            self.write()
        except BaseException:
            self.now[row] = before
            self._lines = [self._line(place) for place in range(len(self.now))]
            raise

    @property
    def _has_labels(self) -> bool:
        known = (*(state.label for state in self.now), *(told.get("label") for told in self._elsewhere))
        return self.images.y is not None or any(label is not None for label in known)

    def _columns(self) -> list[str]:
        labels, before = (["label"], ["was"]) if self._has_labels else ([], [])
        model = ["suggested", "prob", "suggested_prob"] if self.suggested else []
        return ["file", *labels, COLUMN, *before, *model, *self._beside]

    @property
    def _beside(self) -> dict[str, list[str]]:
        """What else the images were told, which the table keeps."""
        told = {"group": self.images.groups, "split": self.images.parts}
        return {name: values for name, values in told.items() if values is not None}

    def _line(self, row: int) -> str:
        """An image in the table. Texts are in quotation marks, so that a class 007 stays what it is; classes that are
        numbers or booleans are not."""
        state = self.now[row]
        cells = [_quoted(as_in_table(self.files[row], self.images.names[row], self.table.parent))]
        cells += [self._label_cell(state.label)] if self._has_labels else []
        cells += [state.decision]
        cells += [self._label_cell(self._was_text(row))] if self._has_labels else []
        if self.suggested:
            told = self.suggested.get(row)
            cells += ["", "", ""] if told is None else [_quoted(told[0]), *(f"{value:.4g}" for value in told[1:])]
        cells += [_quoted(values[row]) for values in self._beside.values()]
        return ",".join(cells)

    def _was_text(self, row: int) -> Optional[str]:
        return self.was[row] if self.now[row].decision == RELABEL else None

    def _label_cell(self, label: Optional[str]) -> str:
        if label is None:
            return ""
        task = self.images.labels.task
        is_text = task is None or task.label_type.kind == "text" or label not in task.shown_levels
        return _quoted(label) if is_text else label

    def _others(self) -> Iterator[str]:
        """Images that are not looked at now, as the table had them."""

        def cell(name: str, text: Any) -> str:
            if text is None or name in (COLUMN, "prob", "suggested_prob"):
                return text or ""
            return self._label_cell(str(text)) if name in ("label", "was") else _quoted(str(text))

        columns = self._columns()
        for told in self._elsewhere:
            yield ",".join(cell(name, told.get(name)) for name in columns)

    def _take_over(self) -> None:
        """What the table says already."""
        frame = read_table(self.table).frame
        said = frame[COLUMN].tolist() if COLUMN in frame else []
        if "file" not in frame or not all(word is None or word in WORDS for word in said) or not said:
            text = f"{self.table.name} is there already, and holds no decisions."
            raise ArgumentError(text, [f"its columns are {', '.join(map(str, frame.columns))}"], "Give another name.")
        row_of = {os.path.abspath(file): row for row, file in enumerate(self.files) if file is not None}  # noqa: PTH100
        row_of |= {name: row for row, name in enumerate(self.images.names) if self.files[row] is None}
        for told in frame.to_dict("records"):
            file, decision = str(told["file"]), told[COLUMN]
            at = os.path.abspath(self.table.parent / file)  # noqa: PTH100 - links stay
            row = row_of.get(at, row_of.get(file))
            label, before = (None if told.get(name) is None else str(told[name]) for name in ("label", "was"))
            if row is None:  # dropped ones may have been moved
                is_there = decision == DROP or is_address(file) or os.path.exists(at)  # noqa: PTH110
                self._elsewhere += [told] if is_there else []
                continue
            if before is not None:
                self.was[row] = before
            changed = label is not None and label != self.was[row] and decision in (None, RELABEL)
            if changed or decision is not None:
                self.now[row] = State(RELABEL, label) if changed else State(str(decision), self.was[row])


def _checked(label: Optional[str]) -> str:
    """The text of a class.

    Raises
    ------
    ArgumentError
        It is empty, too long, or holds what no name has.
    """
    text = unicodedata.normalize("NFC", label or "").strip()
    if not text or len(text) > _LONGEST or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
        raise ArgumentError(f"A class has a name of 1 to {_LONGEST} characters in one line.")
    return text


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
