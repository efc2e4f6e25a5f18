"""`Judging`: how good a model is on labelled images, or on those that it was validated on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np

from ..arguments import whole
from ..calls import at_command_line, option
from ..errors import ArgumentError, LabelError, MxtuneError, PictureWarning
from ..images import ImageSet, mximages
from ..images.columns import Remembered
from ..images.findings import scales, warn
from ..images.loader import Loader
from ..images.roles import Split
from ..images.scale import Range
from ..network import Network
from ..tasks import Task
from ..tasks.intervals import Measured, measured
from ..words import counted, listing
from .judged import Judged
from .predictor import BATCH, Predictor
from .remembering import Remembering

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[Any]

PathLike = Union[str, "os.PathLike[str]"]


class Judging(Remembering):
    """What judges a model; `Model` adds what it is made of, predicts and is saved."""

    network: Network
    task: str
    levels: tuple[str, ...]
    settings: dict[str, Any]
    metrics: dict[str, float]
    _task: Task
    _predictor: Predictor
    _validated: Optional[ImageSet]

    @property
    def path_column(self) -> Optional[Remembered]:
        """The column of paths of the table that it was trained on; None without."""
        column = self.settings.get("path")
        return Remembered(column) if isinstance(column, str) else None

    # ---- figures

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        path: Optional[str] = None,
        label: Union[str, Sequence[str], None] = None,
        root: Optional[PathLike] = None,
        split: Split = None,
    ) -> Measured:
        """Metrics on labelled images, a dict; see `mxtune.tasks.metrics`. Without images, those of the validation.

        Its ``intervals`` has the lower and upper end of each, at 95 %: a bootstrap over images, or over groups where
        there are any; ``novel`` is the share of images that are unlike all that was trained on, see `predict`: of
        others like those .05. ``frame()`` is a table of all.

        Parameters
        ----------
        x, y
            Images and their labels: anything that `mximages` takes.
        path, label, root
            For a table: its columns of paths and of labels, and the folder the paths are relative to.
        split
            What each image is for, as `mximages` has it: those for test alone are evaluated.

        Raises
        ------
        LabelError
            The images have no labels, or labels that the model does not know.
        """
        if x is None:
            refuse_unused(y=y, path=path, label=label, root=root, split=split)
            if not self.metrics:
                raise LabelError("The model was trained without validation.", hint="Give labelled images.")
            return self._measured
        judged = self._judged(x, y, path=path, label=label, root=root, split=split)
        novel = None if judged.novelty is None else float((judged.novelty > 1).mean())
        return measured(self._task, judged.y, judged.outputs, judged.group, novel)

    @property
    def interval(self) -> Optional[tuple[float, float]]:
        """The lower and upper end of the first of `metrics`, at 95 %; None without."""
        return self._measured.interval(next(iter(self.metrics))) if len(self.validation) and self.metrics else None

    @property
    def out_of_fold(self) -> pd.DataFrame:
        """What models that had not seen an image say of it: a row for each that was trained on.

        ``file``, the truth and the prediction, and the ``fold``, from 1: for classification ``truth, pred_class``,
        their probabilities ``prob`` and ``pred_prob``; for multilabel ``truth_<label>, pred_<label>, prob_<label>``;
        for numbers ``truth`` and ``pred``. An image that is alone in its class has no row.

        Raises
        ------
        LabelError
            The model was trained without folds, or on more images than it remembers.
        """
        import pandas as pd

        if not len(self.validation.fold):
            hint = f"Train it with {option('folds', 5)}."
            raise LabelError("The model has no predictions out of fold.", hint=hint)
        answers = self._task.answers(self.validation.y, self.validation.outputs)
        return pd.DataFrame({"file": self.validation.names, **answers, "fold": self.validation.fold + 1})

    def confusion(
        self,
        x: Any = None,
        y: Any = None,
        path: Optional[str] = None,
        label: Union[str, Sequence[str], None] = None,
        root: Optional[PathLike] = None,
        split: Split = None,
    ) -> pd.DataFrame:
        """Counts (K, K): the true class in rows, the predicted one in columns. Without images, of the validation.

        Arguments are those of `evaluate`.

        Raises
        ------
        ArgumentError
            The model's task is not classification.
        """
        judged = self._judged(x, y, path=path, label=label, root=root, split=split)
        return self._task.confusion(judged.y, judged.outputs)

    def per_class(
        self,
        x: Any = None,
        y: Any = None,
        path: Optional[str] = None,
        label: Union[str, Sequence[str], None] = None,
        root: Optional[PathLike] = None,
        split: Split = None,
    ) -> pd.DataFrame:
        """A row a class or label: ``level, n, precision, recall, f1``. Without images, of the validation.

        Arguments are those of `evaluate`.

        Raises
        ------
        ArgumentError
            The model predicts numbers.
        """
        judged = self._judged(x, y, path=path, label=label, root=root, split=split)
        return self._task.per_class(judged.y, judged.outputs)

    def calibration(
        self,
        x: Any = None,
        y: Any = None,
        path: Optional[str] = None,
        label: Union[str, Sequence[str], None] = None,
        root: Optional[PathLike] = None,
        split: Split = None,
    ) -> pd.DataFrame:
        """What the model ``predicted`` beside what was ``observed``. Without images, of the validation.

        Arguments are those of `evaluate`.

        For classification a row for each of 15 bins of the probability of the predicted class: ``lower, upper, n``, its
        mean (``predicted``), the accuracy (``observed``), and ``error``, whose sum is the expected calibration error
        (Guo et al., 2017). For multilabel such bins for each ``level``, of its probability and its frequency. For
        numbers a row for each image, and each ``level`` of several.

        Examples
        --------
        >>> from mxtune import mxexample, mxtrain
        >>> model = mxtrain(mxexample("fashion"), net="lenet", epochs=1, verbose=0)
        >>> int(model.calibration()["n"].sum())
        80
        """
        judged = self._judged(x, y, path=path, label=label, root=root, split=split)
        return self._task.calibration(judged.y, judged.outputs)

    def top_losses(
        self,
        x: Any = None,
        y: Any = None,
        n: int = 9,
        path: Optional[str] = None,
        label: Union[str, Sequence[str], None] = None,
        root: Optional[PathLike] = None,
        split: Split = None,
    ) -> pd.DataFrame:
        """The ``n`` images the model is most wrong about: ``file, truth, pred_class, prob, pred_prob, loss``.

        ``prob`` is the probability of the true class, ``pred_prob`` that of the predicted one. For other tasks:
        ``file, loss``. Rows keep the index of a data frame. Without images, of the validation. Other arguments are
        those of `evaluate`.
        """
        n = whole("n", n, 1)
        judged = self._judged(x, y, path=path, label=label, root=root, split=split)
        return judged.worst(self._task, n)

    # ---- the images

    def validation_images(self) -> ImageSet:
        """The images of the validation, where they still are.

        Raises
        ------
        LabelError
            The model was trained without validation, or in another session on images that had no paths.
        """
        self._check_remembered()
        if self._validated is None:
            images = mximages(list(self.validation.names), on_bad="keep", range=self.network.preprocess.range)
            if [*images.hashes] != [*self.validation.digests]:
                text = "The validation images are not where they were when the model was trained."
                raise LabelError(text, hint="Give labelled images as `x`.")
            self._validated = images
        return self._validated

    def labelled_images(
        self, x: Any, y: Any = None, path: Optional[str] = None, split: Split = None, **table: Any
    ) -> ImageSet:
        """Images with labels, as `evaluate` takes them: with the model's classes and range of values.

        Raises
        ------
        LabelError
            They have no labels, or labels that the model does not know.
        """
        settings: dict[str, Any] = {"levels": self.levels or None, "task": self.task, "range": self._range_for(x)}
        images = mximages(x, y, path=path or self.path_column, split=split, **settings, **table)
        images = images if split is None else images.part("test")
        if images.y is None:
            raise LabelError(
                "The images have no labels.",
                hint=f"Give `y`, class folders, or the column of a table that has the labels: {option('label')}.",
            )
        return images

    # ---- internals

    @cached_property
    def _measured(self) -> Measured:
        """`metrics`, with intervals where the validation is remembered."""
        remembered = self.validation
        return Measured(self.metrics, self._task, remembered.y, remembered.outputs, remembered.group)

    def _check_remembered(self) -> None:
        if len(self.validation):
            return
        why = "was trained without validation" if not self.metrics else "does not remember its validation images"
        raise LabelError(f"The model {why}.", hint="Give labelled images.")

    def _judged(self, x: Any, y: Any, **table: Any) -> Judged:
        """Labelled images that can be read, and the outputs for them; those of the validation without ``x``."""
        if x is None:
            refuse_unused(y=y, **table)
            self._check_remembered()
            return Judged(
                self.validation.names, self.validation.y, self.validation.outputs, None, self.validation.group
            )
        images = self.labelled_images(x, y, **table)
        told = self.memory is not None and self.memory.novelty is not None
        outputs, good = self._outputs(images, of_features=self._novelties() if told else None)
        novelty, outputs = (outputs[good, -1], outputs[:, :-1]) if told else (None, outputs)
        if not good.any():
            raise MxtuneError("None of the images can be read." if len(images) else "There are no images.")
        count = self.validation.trained_on(images.hashes)
        if count:
            trained = f"{count} of {counted(len(images), 'image')} {'was' if count == 1 else 'were'}"
            warn(PictureWarning(f"{trained} used to train this model: the results are too optimistic."))
        rows = np.flatnonzero(good)
        index = None if images.index is None else images.index[rows]
        group = None if images.groups is None else np.unique(images.groups, return_inverse=True)[1].reshape(-1)[rows]
        names = [images.names[row] for row in rows]
        return Judged(names, np.asarray(images.y)[rows], outputs[rows], index, group, novelty)

    def _outputs(
        self, images: ImageSet, what: str = "logit", batch_size: int = BATCH, of_features: Any = None
    ) -> tuple[Array, Array]:
        """What the network computes, (N, K) float32, NaN for bad images, and which are good, (N,) bool; see
        `Predictor.outputs`."""
        loader = Loader(images, self.network.preprocess, repeated=False)
        outputs = self._predictor.outputs(loader, what, batch_size, of_features=of_features)
        if loader.images.range == self.network.preprocess.range:  # and not one that the user gave these images
            unread = {name for name, _ in loader.bad}
            scales(loader.images, "the training images", "range" in self.settings, unread)
        return outputs

    def _range_for(self, x: Any) -> Optional[Range]:
        """The range of values that images are read with; a set has its own."""
        return None if isinstance(x, ImageSet) else self.network.preprocess.range


def refuse_unused(**given: Any) -> None:
    """Labels and columns belong to images: without any they would be passed over in silence."""
    names = [option(name).split()[0] for name, value in given.items() if value is not None]
    if names:
        needed = "PHOTOS" if at_command_line() else "`x`"
        raise ArgumentError(f"There is {listing(names)}, but there are no images.", hint=f"Give {needed}, too.")
