"""Cross-validation of a whole training: a model for each fold, of layers too, trained as the one that is returned."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Union

import numpy as np

from .. import progress
from ..errors import ArgumentError, TrainingWarning
from ..images import ImageSet
from ..images.findings import warn
from ..model.model import Model
from ..tasks.temperature import calibrated
from .folds import Folds
from .options import USUAL_FOLDS
from .run import Run


class FullRun:
    """A training run, and then one for each fold, without its images.

    Parameters
    ----------
    run
        The training of the model that is returned.
    images
        All images but those for test.
    again
        The same training on other images.
    seed
        Of the folds.

    Raises
    ------
    ArgumentError
        There are too few images.
    """

    def __init__(self, run: Run, images: ImageSet, again: Callable[[ImageSet], Union[Run, FullRun]], seed: int) -> None:
        self._run, self._images, self._again = run, images, again
        self._folds = Folds.of(images, USUAL_FOLDS, seed)
        if not self._folds.are_possible:
            raise ArgumentError(f"There are too few images for {USUAL_FOLDS} folds.", [f"there are {len(images)}"])
        text = f"{USUAL_FOLDS} more models are trained, each without a fold: it takes about five times as long."
        progress.current().event("message", text=text)

    @property
    def was_interrupted(self) -> bool:
        """Whether the first training was."""
        return self._run.was_interrupted

    def through(self) -> Model:
        """The model, judged by those that had not seen an image; Ctrl-C among these returns it as it is."""
        model = self._run.through()
        fold, rows_of = self._folds.numbers(), []
        outputs: list[Any] = []
        for number in range(USUAL_FOLDS):
            if self.was_interrupted:
                return model
            progress.current().event("message", text=f"Fold {number + 1} of {USUAL_FOLDS}:")
            try:
                with warnings.catch_warnings():  # the first training has said it all
                    warnings.simplefilter("ignore")
                    run = self._again(self._images.take(np.flatnonzero(fold != number)))
                    if isinstance(run, Run):
                        run.remembers = False
                    one = run.through()
                was_interrupted = run.was_interrupted
            except KeyboardInterrupt:
                was_interrupted = True
            if was_interrupted:
                warn(TrainingWarning("The folds were interrupted: the metrics are those of the validation images."))
                return model
            rows_of.append(np.flatnonzero(fold == number))
            answers = one.predict(self._images.take(rows_of[-1]), type="logit")
            outputs.append(answers.iloc[:, 1:].to_numpy(np.float32))
        unseen = np.full((len(fold), outputs[0].shape[1]), np.nan, np.float32)
        unseen[np.concatenate(rows_of)] = np.concatenate(outputs)
        return self._judged(model, unseen, fold)

    def _judged(self, model: Model, outputs: Any, fold: Any) -> Model:
        """The model with a temperature and metrics of what the others say."""
        task = self._images.labels.task
        assert task is not None  # noqa: S101 - it was learned
        fold = np.where(np.isfinite(outputs).all(axis=1), fold, -1)  # without what can't be read any more
        tested = fold >= 0
        targets = task.targets(np.asarray(self._images.y))[tested]
        warmth, outputs[tested] = calibrated(outputs[tested].astype(np.float64), targets, task.loss(), fold[tested])
        model.settings["pictures"]["folds"] = USUAL_FOLDS
        return model.cross_validated(self._images, warmth, outputs, fold, np.asarray(self._folds.groups, np.int64))
