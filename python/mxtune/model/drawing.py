"""`Drawing`: the figures of a model."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Optional, Union

from ..arguments import one_of, user_path
from .judging import refuse_unused
from .questioning import Questioning
from .resembling import Resembling

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PathLike = Union[str, "os.PathLike[str]"]
KINDS = ("confusion", "per_class", "calibration", "history", "top_losses", "learning_curve", "map")
_LARGEST_CONFUSION = 40  # classes that a plot shows by name


class Drawing(Questioning, Resembling):
    """What draws a model; `Model` adds the rest."""

    versions: dict[str, str]

    @property
    def default_plot(self) -> str:
        """The most informative kind of plot of the validation; the history where there was none."""
        return self.judged_plot if len(self.validation) else "history"

    @property
    def judged_plot(self) -> str:
        """The most informative kind of plot of labelled images."""
        many = self.task == "classification" and len(self.levels) > _LARGEST_CONFUSION
        return "per_class" if many else self._task.best_plot

    def plot(self, path: Optional[PathLike] = None, kind: Optional[str] = None, x: Any = None, y: Any = None) -> Figure:
        """A figure; written to a file if `path` is given.

        Parameters
        ----------
        path
            Ends in .png, .pdf or .svg. The name of a kind alone is no path: ``model.plot("calibration")``.
        kind
            ``"confusion"``; ``"per_class"``, precision and recall; ``"calibration"``, how often the model is right
            where it is how sure, and for numbers the observed against the predicted; ``"history"``;
            ``"top_losses"``; ``"learning_curve"``, see `learning_curve`; ``"map"``, see `map`. If None the one that
            tells most: the confusion matrix of up to 40 classes, precision and recall of more classes or of labels,
            and for numbers the calibration.
        x, y
            Labelled images; if None, those of the validation. For the map images that are put among those for
            training.
        """
        from . import report

        if kind is None and path in KINDS:
            path, kind = None, str(path)
        kind = one_of("kind", kind or (self.default_plot if x is None else self.judged_plot), KINDS)
        figures: dict[str, Callable[[], Figure]] = {
            "confusion": lambda: report.confusion(self.confusion(x, y)),
            "per_class": lambda: report.per_class(self.per_class(x, y)),
            "calibration": lambda: report.calibration(self.calibration(x, y)),
            "history": lambda: report.history(self.history),
            "top_losses": lambda: self._worst(x, y),
            "learning_curve": lambda: self.learning_curve(x, y).plot(),
            "map": lambda: self._map(x, y),
        }
        figure = figures[kind]()
        if path is not None:
            report.write(figure, user_path("path", path))
        return figure

    def _map(self, x: Any, y: Any) -> Figure:
        from . import report

        refuse_unused(y=y)
        table = self.map(x)
        figure: Figure = report.map_of_images(table, table.attrs["method"], self.levels[0] if self.levels else "label")
        return figure

    def _worst(self, x: Any, y: Any) -> Figure:
        from . import report

        images = self.validation_images() if x is None else self.labelled_images(x, y)
        worst = self.top_losses(None if x is None else images)
        places = {name: place for place, name in enumerate(images.names)}
        titles = [self._task.caption(row) for row in worst.to_dict("records")]
        figure: Figure = report.gallery([images.open(places[name]) for name in worst["file"]], titles)
        return figure
