"""`Decisions`: what is decided on each image, in a table that is on disk before the next key."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from .. import store
from ..errors import ArgumentError, MxtuneError
from ..images import ImageSet
from ..images.decided import COLUMN, DROP, KEEP, RELABEL, WORDS
from ..images.paths import as_in_table
from ..images.stored import is_address
from ..images.table import read_table
from ..words import bullets
from .labelling import WRITTEN, Label, labelling_of, quoted

if TYPE_CHECKING:
    import pandas as pd


class State(NamedTuple):
    """What is decided on an image, or ``""``, and the label that it has now; None without."""

    decision: str
    label: Label


class Decisions:
    """What is decided on images. Every change is in the table when it returns, or has not happened.

    Parameters
    ----------
    images
        The images, with one class or several labels each, or without any.
    table
        The .csv file; what it says already is taken over.
    suggested
        By image what a model suggests, and the probabilities that it gives to the label and to that.

    Raises
    ------
    ArgumentError
        The file is there, and is no such table; or no table can name an image.
    """

    def __init__(
        self, images: ImageSet, table: Path, suggested: Optional[Mapping[int, tuple[str, float, float]]] = None
    ) -> None:
        self.images, self.table, self.suggested = images, table, suggested or {}
        self.files = images.files or [None] * len(images)
        if unnamed := [name for file, name in zip(self.files, images.names) if not _is_kept(file or name)]:
            hint = "Rename them: in UTF-8, and without carriage returns."
            raise ArgumentError("These files have names that a table does not keep.", bullets(unnamed), hint)
        self.labelling = labelling_of(images)
        self.was = list(self.labelling.given)
        self.now = [State("", label) for label in self.was]
        self.lock = threading.RLock()
        self._before: list[tuple[int, State]] = []  # an image, and what it was before the change
        self._notes: dict[str, list[str]] = {}  # columns that somebody else has put in the table
        self._elsewhere: list[tuple[dict[str, Any], Label]] = []  # rows of the table on images that are not looked at
        self._closed = False
        self._written = _digest(table)  # what is in the file, as far as this one knows
        if table.exists():
            self._take_over()
        self._lines = self._all_lines()

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
        return self.labelling.levels(state.label for state in self.now)

    def decide(self, row: int, decision: str, label: Any = None) -> State:
        """Decide on an image: ``"keep"``, ``"drop"``, ``"relabel"`` with its class, or the list of its labels, or
        ``""`` for nothing.

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
            wanted = State(RELABEL, self.labelling.checked(label, self.levels))
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
        self._lines[row] = self._line(row, ())  # files are in folders of one class each, which needs no levels

    def check_alone(self) -> None:
        """Require that nobody else has changed the table: what they said would be lost.

        Raises
        ------
        MxtuneError
            Somebody has.
        """
        if _digest(self.table) not in (None, self._written):
            hint = "Leave this page and look again: it goes on with what the table says then."
            raise MxtuneError(f"{self.table.name} was changed elsewhere, and is left as it is.", hint=hint)

    def write(self) -> None:
        """Write the table.

        Raises
        ------
        MxtuneError
            Somebody else has changed it.
        StoreError
            It can't be written.
        """
        self.check_alone()
        levels = self._written_levels
        head = ",".join(map(_plain_or_quoted, self._columns(levels)))
        text = "\n".join([head, *self._lines, *self._others(levels), ""])
        content = text.encode("utf-8", "surrogateescape")
        store.write(self.table, [content], "the table of decisions")
        self._written = hashlib.sha256(content).digest()

    def frame(self) -> pd.DataFrame:
        """The table as a data frame: ``file``, the path; ``label`` as it is now, of the type that labels have, or for
        several labels a column with true and false each; ``decision``; and ``was``, the label before, where it was
        changed, several as a JSON list."""
        import pandas as pd

        labels, levels = [state.label for state in self.now], self._written_levels
        values = {} if levels is None else self.labelling.values(labels, levels)
        before = {} if levels is None else {"was": [self._was_text(row) for row in range(len(labels))]}
        files = [file or name for file, name in zip(self.files, self.images.names)]
        said = [state.decision for state in self.now]
        return pd.DataFrame({"file": files, **values, COLUMN: said, **before, **self._beside})

    # ---- internals

    def _set(self, row: int, wanted: State) -> None:
        if self._closed:
            raise MxtuneError("It has ended: nothing is decided any more.")
        before, columns = self.now[row], self._columns(self._written_levels)
        self.now[row] = wanted
        try:
            levels = self._written_levels
            if self._columns(levels) == columns:
                self._lines[row] = self._line(row, levels)
            else:
                self._lines = self._all_lines()
            self.write()
        except BaseException:
            self.now[row] = before
            self._lines = self._all_lines()
            raise

    def _all_lines(self) -> list[str]:
        levels = self._written_levels
        return [self._line(row, levels) for row in range(len(self.now))]

    @property
    def _written_levels(self) -> Optional[Sequence[str]]:
        """The classes, whose columns are in the table; None where no image has a label."""
        labels = [*(state.label for state in self.now), *(label for _, label in self._elsewhere)]
        has_labels = self.labelling.known or any(label is not None for label in labels)
        return self.labelling.levels(labels) if has_labels else None

    def _columns(self, levels: Optional[Sequence[str]]) -> list[str]:
        labels, before = ([], []) if levels is None else (self.labelling.columns(levels), ["was"])
        model = ["suggested", "prob", "suggested_prob"] if self.suggested else []
        return ["file", *labels, COLUMN, *before, *model, *self._beside]

    @property
    def _beside(self) -> dict[str, list[str]]:
        """What else the images were told, or the table says of them, which it keeps."""
        told = {"group": self.images.groups, "split": self.images.parts}
        return self._notes | {name: values for name, values in told.items() if values is not None}

    def _line(self, row: int, levels: Optional[Sequence[str]]) -> str:
        """An image in the table."""
        state = self.now[row]
        cells = [quoted(as_in_table(self.files[row], self.images.names[row], self.table.parent))]
        cells += [] if levels is None else self.labelling.cells(state.label, levels)
        cells += [state.decision]
        cells += [] if levels is None else [self._was_cell(self._was_text(row))]
        if self.suggested:
            told = self.suggested.get(row)
            cells += ["", "", ""] if told is None else [quoted(told[0]), *(f"{value:.4g}" for value in told[1:])]
        cells += [quoted(values[row]) for values in self._beside.values()]
        return ",".join(cells)

    def _was_text(self, row: int) -> Optional[str]:
        return self.labelling.text(self.was[row]) if self.now[row].decision == RELABEL else None

    def _was_cell(self, text: Optional[str]) -> str:
        if text is None:
            return ""
        return quoted(text) if self.labelling.several else self.labelling.cells(text, ())[0]

    def _others(self, levels: Optional[Sequence[str]]) -> Iterator[str]:
        """Images that are not looked at now, as the table had them."""

        def cell(name: str, text: Any) -> str:
            if text is None or name in (COLUMN, "prob", "suggested_prob"):
                return text or ""
            return quoted(str(text))

        columns = self._columns(levels)
        for told, label in self._elsewhere:
            cells = {name: cell(name, told.get(name)) for name in columns}
            if levels is not None:
                cells |= zip(self.labelling.columns(levels), self.labelling.cells(label, levels))
                cells["was"] = self._was_cell(self.labelling.text(self.labelling.read_text(told.get("was"))))
            yield ",".join(cells[name] for name in columns)

    def _take_over(self) -> None:
        """What the table says already."""
        frame = read_table(self.table).frame
        said = frame[COLUMN].tolist() if COLUMN in frame else []
        if "file" not in frame or not all(word is None or word in WORDS for word in said) or not said:
            text = f"{self.table.name} is there already, and holds no decisions."
            raise ArgumentError(text, [f"its columns are {', '.join(map(str, frame.columns))}"], "Give another name.")
        if not self.labelling.wrote(frame):
            one, other = ("one class", "several labels")[:: -1 if self.labelling.several else 1]
            text = f"{self.table.name} has decisions on images with {other}, and these have {one}."
            raise ArgumentError(text, hint="Give another name.")
        ours = {*self.labelling.columns_in(frame), *WRITTEN}
        self._notes = {str(name): [""] * len(self.now) for name in frame.columns if name not in ours}
        rows_of = defaultdict(list)  # an image may be there twice
        for row, (file, name) in enumerate(zip(self.files, self.images.names)):
            rows_of[name if file is None else os.path.abspath(file)].append(row)  # noqa: PTH100
        for told, label in zip(frame.to_dict("records"), self.labelling.read(frame)):
            file, decision, before = str(told["file"]), told[COLUMN], self.labelling.read_text(told.get("was"))
            at = os.path.abspath(self.table.parent / file)  # noqa: PTH100 - links stay
            rows = rows_of.get(at) or rows_of.get(file)
            if not rows:  # dropped ones may have been moved
                is_there = decision == DROP or is_address(file) or os.path.exists(at)  # noqa: PTH110
                self._elsewhere += [(told, label)] if is_there else []
                continue
            row = rows.pop(0)
            for name, cells in self._notes.items():
                cells[row] = told[name] or ""
            if before is not None:
                self.was[row] = before
            changed = label is not None and label != self.was[row] and decision != DROP
            if changed or decision is not None:
                self.now[row] = State(RELABEL, label) if changed else State(str(decision), self.was[row])


def _plain_or_quoted(name: str) -> str:
    """The name of a column, in quotation marks where it needs them."""
    return name if name.isidentifier() else quoted(name)


def _is_kept(name: str) -> bool:
    """Whether a table has the name as it was, when it is read again."""
    try:
        return "\r" not in name.encode().decode()
    except UnicodeEncodeError:
        return False


def _digest(file: Path) -> Optional[bytes]:
    """That of a file's content; None where there is none to be read."""
    try:
        return hashlib.sha256(file.read_bytes()).digest()
    except OSError:
        return None
