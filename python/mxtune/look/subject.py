"""What the page shows of images: what a model suspects, copies, what can't be read. All of it was found elsewhere."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional

from ..calls import in_r
from ..errors import ArgumentError
from ..images import ImageSet
from ..images.picture import BUDGET
from ..model import Model
from ..model.suspects import Suspects

if TYPE_CHECKING:
    from .decisions import Decisions

SIDES = {"small": 256, "large": 1280}  # pixels, the longer one


@dataclass(frozen=True, eq=False)
class Subject:
    """Images that are looked through, and what is known of them before anybody looks.

    Parameters
    ----------
    title
        What the user calls them.
    images
        Those that can be read.
    suspects
        What a model says of their labels.
    moves
        Whether files are moved in the end.
    """

    title: str
    images: ImageSet
    suspects: Optional[Suspects] = None
    moves: bool = False

    @classmethod
    def of(cls, title: str, images: ImageSet, model: Optional[Model], moves: bool = False) -> Subject:
        """These images, with what a model says of them.

        Raises
        ------
        ArgumentError
            Their labels are numbers.
        """
        if images.task == "regression":
            suspects = "mxsuspects(model, x)" if in_r() else "model.suspects(x)"
            hint = f"What a model suspects of numbers: {suspects}, which writes a table to mend by hand."
            raise ArgumentError("Images whose labels are numbers are not looked through.", hint=hint)
        return cls(title, images, None if model is None else model.suspects(images), moves)

    @property
    def suggested(self) -> Mapping[int, tuple[str, float, float]]:
        """By image what the model suggests, and the probabilities that it gives to the label and to that; the most
        suspect first."""
        if self.suspects is None:
            return {}
        probabilities = zip(*(self.suspects.table[name].tolist() for name in ("prob", "suggested_prob")))
        of_row: dict[int, tuple[float, float]] = {}
        for row, pair in zip(self.suspects.positions.tolist(), probabilities):
            of_row.setdefault(row, pair)  # of several labels that of the most suspect one
        return {row: (remedy, *of_row[row]) for row, remedy in self.suspects.remedies.items()}

    @property
    def mended(self) -> dict[int, Any]:
        """By image its class, or its labels, as the model suggests."""
        if self.suspects is None or self.images.task != "multilabel":
            return {row: told[0] for row, told in self.suggested.items()}
        wrong: dict[int, set[str]] = {}
        is_suspect = self.suspects.table["suspect"].to_numpy(bool)
        for row, level in zip(self.suspects.positions[is_suspect].tolist(), self.suspects.table["level"][is_suspect]):
            wrong.setdefault(row, set()).add(level)
        labels = self.images.labels.user_labels()
        return {
            row: [level for level in self.images.levels if (level in labels[row]) != (level in levels)]
            for row, levels in wrong.items()
        }

    def sets(self) -> list[list[int]]:
        """Copies and near-copies of each other; those whose labels differ come first."""
        together: dict[int, list[int]] = {}
        for row, number in enumerate(self.images.grouped(None).together()):
            together.setdefault(number, []).append(row)
        several = [rows for rows in together.values() if len(rows) > 1]
        return sorted(several, key=lambda rows: len({self.images.label_of(row) for row in rows}) == 1)

    @property
    def _notes(self) -> list[str]:
        return [] if self.suspects is None else self.suspects.notes

    def shown(self, decisions: Decisions) -> dict[str, Any]:
        """All that the page shows, as JSON has it."""
        images = self.images
        return {
            "title": self.title,
            "table": decisions.table.name,
            "names": images.names,
            "sizes": images.sizes.tolist(),
            "was": decisions.was,
            "labels": [state.label for state in decisions.now],
            "decisions": [state.decision for state in decisions.now],
            "levels": decisions.levels,
            "several": decisions.labelling.several,
            "suggested": [[row, *told] for row, told in self.suggested.items()],
            "mended": self.mended,
            "judged": self.suspects is not None,
            "sets": self.sets(),
            "notes": []
            if self.suspects is None
            else [note for note in self.suspects.notes if note.startswith("may be")],
            "bad": [list(one) for one in images.bad],
            "steps": decisions.steps,
            "moves": self.moves,
        }

    def picture(self, row: int, side: int) -> tuple[str, bytes]:
        """The kind and the bytes of a small copy of an image, whose sides are at most ``side`` pixels.

        Raises
        ------
        UnreadableError
            It can't be read any more.
        """
        with BUDGET.share():
            image = self.images.unchecked(row, side)
            image.thumbnail((side, side))
            stream = io.BytesIO()
            if max(image.size) <= 128:  # single pixels are seen
                image.save(stream, "PNG")
                return "image/png", stream.getvalue()
            image.save(stream, "JPEG", quality=88)
        return "image/jpeg", stream.getvalue()
