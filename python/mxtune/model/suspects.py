"""`Suspects`: labels that are probably wrong, as tables, as a contact sheet, and as a table to mend by hand."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np

from .. import progress, store
from ..arguments import user_path, whole
from ..calls import at_command_line, in_r, interface, option, written
from ..errors import ArgumentError, LabelError
from ..images import ImageSet
from ..images.groups import joined
from ..images.paths import as_in_table
from ..tasks import Task
from ..words import counted

if TYPE_CHECKING:
    import pandas as pd
    import PIL.Image
    from numpy.typing import NDArray

    Array = NDArray[Any]

PathLike = Union[str, "os.PathLike[str]"]
_SHOWN = 10  # in print: images, sets of copies, pairs of classes


@dataclass(frozen=True, eq=False)
class Suspects:
    """Labels, and what models that had not seen their images say of them.

    Parameters
    ----------
    task
        Of the model.
    names, digests
        Of the images.
    y
        Their labels, as the task has them.
    outputs
        (N, K) float32; NaN where there is none that tells anything.
    images
        The images themselves, in this order, where they are at hand.

    Examples
    --------
    >>> from mxtune import mxexample, mxtrain
    >>> model = mxtrain(mxexample("fashion"), tune="head", image_size=64, verbose=0)
    >>> suspects = model.suspects()
    >>> list(suspects.table.columns)
    ['file', 'label', 'suggested', 'prob', 'suggested_prob', 'score', 'suspect']
    >>> suspects.sheet(6).mode
    'RGB'
    """

    task: Task
    names: Sequence[str]
    digests: Sequence[bytes]
    y: Array
    outputs: Array
    images: Optional[ImageSet] = None

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row for each label of each image, those most probably wrong first.

        ``file``; ``label``, the one it has, and ``suggested``, the most probable one, with their probabilities
        ``prob`` and ``suggested_prob``; ``score``, the logarithm of the ratio of the most probable other label to it;
        ``suspect``: whether that is ten times as probable. For multilabel each ``level`` of each image has a row, with
        true or false. For numbers ``score`` is the distance from the prediction in robust standard deviations, and
        ``suspect`` above 3.5 (Iglewicz and Hoaglin, 1993).
        """
        import pandas as pd

        rows, columns = self._suspicions
        table = pd.DataFrame({"file": [self.names[row] for row in rows], **columns})
        return table.iloc[self._order].reset_index(drop=True)

    @cached_property
    def copies(self) -> pd.DataFrame:
        """Copies and near-copies with different labels: ``set``, from 1, ``file`` and ``label``.

        Near ones are known where the images are at hand, exact ones always.
        """
        import pandas as pd

        sets: dict[int, list[int]] = {}
        for row, number in enumerate(self._together()):
            sets.setdefault(number, []).append(row)
        tolerance = self.task.tolerance(self.y[self._judged], self.outputs[self._judged])
        labels = self.y.reshape(len(self.y), -1)
        found = [rows for rows in sets.values() if (np.ptp(labels[rows], axis=0) > tolerance).any()]
        columns: dict[str, list[Any]] = {"set": [], "file": [], "label": []}
        for number, rows in enumerate(found, 1):
            columns["set"] += [number] * len(rows)
            columns["file"] += [self.names[row] for row in rows]
            columns["label"] += [self.task.text(self.y[row]) for row in rows]
        return pd.DataFrame(columns).astype({"set": int, "file": str, "label": str})

    @cached_property
    def classes(self) -> pd.DataFrame:
        """Pairs of classes that may be one, the least told apart first.

        They are taken for each other both ways, more often than by chance, and predictions do not tell them apart:
        ``level`` and ``other``, how many images carry each (``n``, ``other_n``), the share of each that is taken for
        the other (``as_other``, ``other_as_level``), and ``told_apart``: the chance that of two images, one of each,
        the right one is found, 0.5 for a guess, with the upper end of its interval at 95 %, ``upper``, which is below
        0.75 for all of these.
        """
        import pandas as pd

        found = self.task.alike(self.y[self._judged], self.outputs[self._judged])
        levels = self.task.shown_levels
        columns = {
            "level": [levels[pair.one] for pair in found],
            "other": [levels[pair.other] for pair in found],
            "n": np.asarray([pair.n_one for pair in found], np.int64),
            "other_n": np.asarray([pair.n_other for pair in found], np.int64),
            "as_other": np.asarray([pair.one_as_other for pair in found], np.float64),
            "other_as_level": np.asarray([pair.other_as_one for pair in found], np.float64),
            "told_apart": np.asarray([pair.told_apart for pair in found], np.float64),
            "upper": np.asarray([pair.upper for pair in found], np.float64),
        }
        return pd.DataFrame(columns)

    @cached_property
    def positions(self) -> Array:
        """The image of each row of `table`, from 0."""
        return np.asarray(self._suspicions[0][self._order])

    @cached_property
    def remedies(self) -> dict[int, str]:
        """The images with a suspect label by position, the most suspect first, and what is suggested."""
        found: dict[int, list[str]] = {}
        for place in np.flatnonzero(self.table["suspect"]).tolist():
            remedy = self.task.remedy(self.table.iloc[place].to_dict())
            found.setdefault(int(self.positions[place]), []).append(remedy)
        return {row: ", ".join(remedies) for row, remedies in found.items()}

    def sheet(self, n: int = 24) -> PIL.Image.Image:
        """A contact sheet (RGB) of the up to ``n`` suspect images that come first, each with its label and what is
        suggested.

        Raises
        ------
        LabelError
            The images are not at hand.
        """
        from ..images import sheet
        from ..images.decode import decode

        n = whole("n", n, 1)
        if self.images is None:
            raise LabelError("The images are not at hand.", hint="Give them to suspects(): the folder, or the table.")
        first = list(self.remedies.items())[:n]
        thumbnails = decode(self.images, [row for row, _ in first], sheet.thumbnail, at_least=sheet.SIDE)
        return sheet.draw(thumbnails, [f"{self.task.text(self.y[row])} \u2192 {remedy}" for row, remedy in first])

    def save(self, path: PathLike) -> None:
        """Write a table to mend by hand: all images, those with the most suspect label first.

        `mximages` takes it back: change a label (of several labels an image each has a column with TRUE and FALSE) or
        delete a row, and the image is left out. What is ``suggested`` is for the reader; it changes nothing. Files are
        relative to the table's folder where they are within it.

        Raises
        ------
        StoreError
            The file can't be written.
        """
        file = user_path("path", path)
        if file.suffix.lower() != ".csv":
            raise ArgumentError("The table is written as .csv.", [f"it is {file.name}"], f"Use {file.stem}.csv.")
        frame = self._mendable(file)
        text = frame.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        store.write(file, [text.encode("utf-8", "surrogateescape")], "the table")
        self._tell(file, frame)

    def __len__(self) -> int:
        """How many images have a suspect label."""
        return len(self.remedies)

    @property
    def heading(self) -> str:
        """How many images have a suspect label, in a line."""
        return f"Suspects: {len(self)} of {counted(len(self.names), 'image')} may have a wrong label"

    @property
    def notes(self) -> list[str]:
        """A line for each set of copies with different labels, and for each pair of classes that may be one."""
        sets = [one for _, one in self.copies.groupby("set")]
        lines = [
            "copies: " + " = ".join(f"{_tail(file)} ({label})" for file, label in zip(one["file"], one["label"]))
            for one in sets[:_SHOWN]
        ]
        lines += [f"... and {len(sets) - _SHOWN} more sets of copies"] if len(sets) > _SHOWN else []
        return lines + [
            f"may be one class: {pair['level']} and {pair['other']} "
            f"(told apart in {100 * pair['told_apart']:.0f} of 100 pairs, where a guess is right in 50)"
            for pair in self.classes.head(_SHOWN).to_dict("records")
        ]

    def __str__(self) -> str:
        suspect = self.table[self.table["suspect"]].drop(columns="suspect")
        first = suspect.head(_SHOWN).assign(file=[_tail(file) for file in suspect["file"][:_SHOWN]])
        lines = first.to_string(index=False, float_format="{:.3g}".format).splitlines() if len(first) else []
        more = [f"... and {len(suspect) - _SHOWN} more"] if len(suspect) > _SHOWN else []
        return "\n".join([self.heading, *lines, *more, *self.notes])

    def __repr__(self) -> str:
        heading, *rest = str(self).split("\n", 1)
        return "\n".join([f"<{heading}>", *rest])

    # ---- internals

    @cached_property
    def _judged(self) -> Array:
        """(N,) bool: the images of which something is said."""
        return np.asarray(np.isfinite(self.outputs).all(axis=1))

    @cached_property
    def _suspicions(self) -> tuple[Array, dict[str, Any]]:
        """The image of each row, and the columns; where nothing is said of it, without a score and last."""
        rows, columns = self.task.suspicions(self.y, np.where(self._judged[:, None], self.outputs, 0.0))
        known = self._judged[rows]
        for name in {"prob", "suggested_prob", "score"} & columns.keys():
            columns[name] = np.where(known, columns[name], np.nan)
        return rows, {**columns, "suspect": known & columns["suspect"]}

    @cached_property
    def _order(self) -> Array:
        """Rows of the suspicions, the most suspect first."""
        return np.argsort(-np.nan_to_num(self._suspicions[1]["score"], nan=-np.inf), kind="stable")

    def _together(self) -> list[int]:
        """A number for each image, equal for copies; groups that the user has told are none."""
        if self.images is None:
            return joined(self.digests)
        return self.images.grouped(None).together()

    def _mendable(self, file: Path) -> pd.DataFrame:
        """A row an image: its file, its labels as they are, and what speaks against them."""
        import pandas as pd

        rows = self._suspicions[0]
        score = np.full(len(self.names), -np.inf)
        np.maximum.at(score, rows, np.nan_to_num(self._suspicions[1]["score"], nan=-np.inf))
        order = np.argsort(-score, kind="stable")
        files = [as_in_table(found, name, file.parent) for found, name in zip(self._files, self.names)]
        paths = pd.Series(files, dtype=object)  # of any bytes: as texts pandas has UTF-8 alone
        frame = pd.DataFrame({"file": paths, **self.task.columns(self.y)})
        frame["suggested"] = [self.remedies.get(row, "") for row in range(len(self.names))]
        frame["score"] = np.where(np.isfinite(score), score.round(4), np.nan)
        if self.images is not None and self.images.groups is not None:
            frame["group"] = self.images.groups
        return frame.iloc[order]

    @cached_property
    def _files(self) -> list[Optional[str]]:
        """The file of each image; None in memory, in an archive, and where the images are not at hand."""
        files = (None if self.images is None else self.images.files) or [None] * len(self.names)
        return [file if file is not None and Path(file).is_file() else None for file in files]

    def _tell(self, file: Path, frame: pd.DataFrame) -> None:
        """Say how the table is read, once it is mended."""
        labels = list(self.task.columns(self.y[:0]))
        given: dict[str, Any] = {}
        if len(labels) > 1:
            given["label"] = labels
        if self.task.label_type.kind in ("integer", "number"):
            given["task"] = self.task.name
        if "group" in frame:
            given["groups"] = "group"
        in_python = len(labels) > 1 and at_command_line()  # whose option takes a single column
        with interface("python") if in_python else nullcontext():
            text = f"To train on the mended table: {written('train', str(file), **given)}."
        if self.images is not None and self.images.files is None:
            by_name = "setNames(table$label, table$file)" if in_r() else 'table.set_index("file")["label"]'
            text = f"The images are in memory: the mended labels go to them by name, as y = {by_name}."
        elif None in self._files:
            start = option("root").split()[0]
            text += f" Its paths are those of the training: {start} is the folder or archive that they start from."
        progress.current().event("message", text=text)


def _tail(file: str) -> str:
    """The end of a path, for a line of print."""
    return "/".join(PurePath(file).parts[-2:])
