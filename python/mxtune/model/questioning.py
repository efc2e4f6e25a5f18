"""`Questioning`: what a model says of the images that it was made from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np

from .. import late, progress
from ..calls import option
from ..errors import LabelError, PictureWarning
from ..images import ImageSet
from ..images.findings import warn
from ..images.roles import Split
from ..words import counted
from .curve import LearningCurve
from .judging import Judging, refuse_unused
from .suspects import Suspects
from .validation import count_known

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[Any]

PathLike = Union[str, "os.PathLike[str]"]
_ENOUGH = 1000  # images of a sample that stands for all


class Questioning(Judging):
    """What a model says of its images; `Model` adds the rest."""

    history: pd.DataFrame

    def suspects(
        self,
        x: Any = None,
        y: Any = None,
        path: Optional[str] = None,
        label: Union[str, Sequence[str], None] = None,
        root: Optional[PathLike] = None,
        split: Split = None,
    ) -> Suspects:
        """Labels that are probably wrong, with what each would be; copies with different labels; classes that may be
        one. By predictions of models that had not seen the image (the idea of confident learning: Northcutt et al.,
        2021).

        `Suspects` has tables, a contact sheet, and a table to mend by hand, which `mximages` takes back. Without
        images, those that the model was validated on: with folds, all that it was trained on.

        Parameters
        ----------
        x, y
            Images and their labels, as `evaluate` has them. What the model remembers of them, by their content, is
            taken; the others are predicted. With the images near-copies are found, too.
        path, label, root, split
            As `evaluate` has them.

        Raises
        ------
        LabelError
            The model remembers no validation, and there are no images.

        Warns
        -----
        PictureWarning
            Images were trained on, and no other model has predicted them: a wrong label that was learned is not found.
        """
        if x is not None:
            return self._suspects_among(self.labelled_images(x, y, path=path, label=label, root=root, split=split))
        refuse_unused(y=y, path=path, label=label, root=root, split=split)
        remembered = self.validation
        if not len(remembered):
            hint = f"Train it with {option('folds', 5)}, or give labelled images that it was not trained on."
            raise LabelError("The model remembers no images that it was not trained on.", hint=hint)
        if not len(remembered.fold):
            judged = counted(len(remembered), "validation image")
            text = f"Only the {judged} can be judged: {option('folds', 5)} in training judges all."
            progress.current().event("message", text=text)
        return Suspects(
            self._task, remembered.names, remembered.digests, remembered.y, remembered.outputs, self._validated
        )

    def learning_curve(
        self,
        x: Any = None,
        y: Any = None,
        path: Optional[str] = None,
        label: Union[str, Sequence[str], None] = None,
        root: Optional[PathLike] = None,
        split: Split = None,
    ) -> LearningCurve:
        """How good models of fewer images are, and what to expect of twice as many; which classes are short of images.

        Heads are trained on ever larger parts of the images, and tested on others: on the features of the network as it
        is, in seconds. Without images, on what the model remembers of those that it was trained on.

        Parameters
        ----------
        x, y
            Images and their labels, as `evaluate` has them.
        path, label, root, split
            As `evaluate` has them.

        Raises
        ------
        LabelError
            There are no images, and the model remembers none.
        ArgumentError
            There are too few images.

        Warns
        -----
        PictureWarning
            Layers were trained on images among these: the curve is too optimistic, and too flat.
        """
        if x is not None:
            images = self.labelled_images(x, y, path=path, label=label, root=root, split=split)
            return self._curve_of(images, np.asarray(images.y), np.asarray(images.together(), np.int64))
        refuse_unused(y=y, path=path, label=label, root=root, split=split)
        memory, remembered = self.memory, self.validation
        if memory is not None and len(memory) >= min(memory.images, _ENOUGH):
            self._warn_of_learned([digest.tobytes() for digest in memory.digests])
            labels = memory.labels.astype(np.int64 if self.task == "classification" else np.float64)
            return self._curve(memory.coordinates, labels, memory.group.astype(np.int64), memory.images)
        if not len(remembered.fold):
            hint = f"Give the labelled images as `x`, or train it with {option('folds', 5)}."
            raise LabelError("The model does not know all the images that it was trained on.", hint=hint)
        group = remembered.group if len(remembered.group) else np.arange(len(remembered))
        return self._curve_of(self.validation_images(), remembered.y, group)

    def _curve_of(self, images: ImageSet, labels: Array, group: Array) -> LearningCurve:
        self._warn_of_learned(images.hashes)
        features, good = self._outputs(images, "features")
        coordinates = late.load("along_axes")(features[good])
        return self._curve(coordinates, labels[good], group[good], int(good.sum()))

    def _curve(self, coordinates: Array, labels: Array, group: Array, n: int) -> LearningCurve:
        points = late.load("points_of")(coordinates, labels, self._task, group, int(self.settings.get("seed", 0)))
        return LearningCurve(self._task, labels, group, points, n)

    def _warn_of_learned(self, digests: Sequence[bytes]) -> None:
        learned = count_known(digests, self.layers_learned)
        if learned:
            text = f"Layers were trained on {learned} of these {counted(len(digests), 'image')}."
            lines = ["heads on their features seem better than they are, and to need fewer images"]
            hint = f"A model with {option('tune', 'head')} tells what images of this kind are worth."
            warn(PictureWarning(text, lines, hint))

    @property
    def layers_learned(self) -> frozenset[bytes]:
        """The images that layers, and not the head alone, were trained on, as `Validation` knows them."""
        by_this = any(stage != "head" for stage in self.history["stage"])
        return self.validation.before | (self.validation.trained if by_this else frozenset())

    def _suspects_among(self, images: ImageSet) -> Suspects:
        remembered = self.validation
        place_of = {digest: place for place, digest in enumerate(remembered.digests)}
        places = np.asarray([place_of.get(digest, -1) for digest in images.hashes], np.int64)
        outputs = np.full((len(images), self._task.outputs), np.nan, np.float32)
        known = places >= 0
        outputs[known] = remembered.outputs[places[known]]
        others = np.flatnonzero(~known)
        if len(others):
            outputs[others] = self._outputs(images.take(others))[0]
            trained = remembered.trained_on(images.hashes[row] for row in others)
            if trained:
                text = (
                    f"{counted(trained, 'image was', 'images were')} trained on, and only this model can predict them."
                )
                lines = ["a wrong label that it has learned is not found"]
                warn(
                    PictureWarning(
                        text, lines, f"Train it with {option('folds', 5)}, or for layers {option('folds', 'full')}."
                    )
                )
        return Suspects(self._task, images.names, images.hashes, np.asarray(images.y), outputs, images)
