"""`Explaining`: where in an image a model sees what speaks for its answer, and what speaks against it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from .. import progress
from ..arguments import one_of, whole
from ..calls import option, value_text
from ..errors import ArgumentError
from ..images import ImageSet, mximages
from ..images.audit import require_readable
from ..images.loader import Loader
from ..tasks.label_type import label_text
from ..words import listing, near
from .evidence import METHODS, Evidence, Found
from .explanation import Explanation
from .judging import Judging, PathLike
from .memory import Memory
from .predictor import warn_unread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_BATCH = 8


class Explaining(Judging):
    """What explains answers; `Model` adds the rest."""

    memory: Optional[Memory]

    def explain(
        self,
        x: Any,
        label: Any = None,
        method: str = "auto",
        layer: Optional[str] = None,
        against: Any = None,
        on_bad: str = "na",
        batch_size: int = _BATCH,
        path: Optional[str] = None,
        root: Optional[PathLike] = None,
    ) -> Explanation:
        """Where in each image the evidence lies: an `mxtune.model.explanation.Explanation`, which draws and saves it.

        A network whose head takes averages and maxima of maps says how much each place adds to a logit: the maps of
        all stages are added up, and their sum with the rest (the bias) is the logit. That is class activation mapping
        (Zhou et al., 2016), at each stage, and **exact**. A model that remembers the features of its training images
        tells what each place adds to the answer for the average of these, which is the rest then: all images have
        edges somewhere, and that is evidence of nothing. Where a dense layer or an activation lies between the maps
        and the logits (VGG, LeNet, a head with a hidden layer), places have no share of their own: Grad-CAM (Selvaraju
        et al., 2017) weights each channel with its average gradient, without cutting off what speaks against. What is
        printed says which it is.

        Evidence is what the model goes by, right or wrong: explanations find out that it looks at the background, not
        that the background is a reason. Places of a network's last stage are often 32 pixels wide. Grad-CAM shows one
        layer alone: where a head takes all stages, a coloured patch that decided the class had the peak of the map in
        all of 60 photographs of 96 pixels, and that of Grad-CAM in 2.

        Parameters
        ----------
        x
            Images: anything that `mximages` takes.
        label
            What is explained: a class, label or name of a number, or several. If None the predicted class; of several
            labels each predicted one, or the likeliest; all numbers.
        method
            ``"auto"``; ``"cam"``, an error where it is not exact; ``"gradcam"``.
        layer
            For Grad-CAM: a layer with maps. If None the last.
        against
            A class: the evidence is for ``label`` rather than for it.
        on_bad
            What happens to images that can't be read: ``"na"``, a row without a map and a warning that names them;
            ``"error"``.
        batch_size
            Images at a time.
        path, root
            For a table, as for `predict`.

        Raises
        ------
        ArgumentError
            The model does not know the label; or the method or the layer is not possible.
        NetworkError
            The network has no maps.

        Warns
        -----
        PictureWarning
            Images can't be read; all are named.

        Examples
        --------
        >>> from mxtune import mxexample, mxtrain
        >>> photos = mxexample("fashion")
        >>> model = mxtrain(photos, tune="head", verbose=0)
        >>> why = model.explain(photos, label="coat")
        >>> print(why)  # doctest: +SKIP
        >>> abs(float(why.maps[0].sum() + why.table["rest"][0] - why.table["logit"][0])) < 1e-3
        True
        >>> why.plot("why.png", rows=[0, 1, 2])  # doctest: +SKIP
        """
        one_of("method", method, METHODS)
        one_of("on_bad", on_bad, ("na", "error"))
        batch_size = whole("batch_size", batch_size, 1)
        wanted = None if label is None else self._labels("label", label)
        other = None if against is None else self._labels("against", against)[0]
        if other is not None and self.task != "classification":
            raise ArgumentError("`against` applies to classification only.", [f"this is {self.task}"])
        usual = None if self.memory is None else self.memory.mean
        target = self._predictor.target  # int8 has no gradients, and a sum of what is rounded would not add up
        evidence = Evidence(self.network.main, method, layer, target and target.exact, usual)
        images = mximages(x, on_bad="keep", range=self._range_for(x), path=path or self.path_column, root=root)
        if on_bad == "error":
            require_readable(images, f"Use {option('on_bad', 'na')} to explain the others.")
        loader = Loader(images, self.network.preprocess, repeated=False)
        found: list[Found] = []
        reporter = progress.current()
        reporter.event("start", title="Explaining", total=len(loader), unit="images")
        try:
            for rows, batch in loader.eval_batches(batch_size, skip_bad=True):
                if len(rows):
                    low = None if wanted else self._predictor.low(batch)
                    found += evidence.of(rows, batch, partial(self._asked, wanted, low), other)
                reporter.event("advance", n=len(rows))
        finally:
            reporter.event("end")
        warn_unread(loader, "its explanation is NA", "their explanations are NA")
        return self._explanation(images, found, evidence, wanted, other)

    def _labels(self, name: str, given: Any) -> list[int]:
        """The positions of what a user calls by name."""
        if not self.levels:
            raise ArgumentError(f"The model predicts a single number: leave `{name}` out.")
        several = isinstance(given, Iterable) and not isinstance(given, (str, bytes))
        texts = [label_text(value) for value in (given if several else [given])]
        shown = self._task.shown_levels
        known = {text: place for names in (shown, self.levels) for place, text in enumerate(names)}
        if unknown := [text for text in texts if text not in known]:
            kind = "number" if self.task == "regression" else "label" if self.task == "multilabel" else "class"
            text = f"The model has no {kind} {value_text(unknown[0])}."
            raise ArgumentError(text, [f"it has {listing(shown)}"], near(unknown[0], shown))
        if not texts or (name == "against" and len(texts) > 1):
            raise ArgumentError(f"`{name}` must be {'one class' if name == 'against' else 'at least one label'}.")
        return list(dict.fromkeys(known[text] for text in texts))

    def _asked(self, wanted: Optional[Sequence[int]], low: Optional[Array], outputs: Array) -> list[Sequence[int]]:
        """For each image what of it is explained: what is wanted, or else what the model says, be it in int8."""
        if wanted is not None:
            return [wanted] * len(outputs)
        outputs = outputs if low is None else low
        if self.task == "regression":
            return [range(outputs.shape[1])] * len(outputs)
        likeliest = outputs.argmax(axis=1)
        if self.task == "classification":
            return [[int(one)] for one in likeliest]
        return [np.flatnonzero(row >= 0).tolist() or [int(one)] for row, one in zip(outputs, likeliest)]

    def _explanation(
        self,
        images: ImageSet,
        found: Sequence[Found],
        evidence: Evidence,
        wanted: Optional[Sequence[int]],
        against: Optional[int],
    ) -> Explanation:
        """What was found as a table, with a line for each label that was asked of an image that could not be read."""
        import pandas as pd

        by_row: dict[int, list[Found]] = {}
        for one in found:
            by_row.setdefault(one.row, []).append(one)
        stages = len(evidence.layers)
        labels: Sequence[Optional[int]] = wanted or [None]
        unread = [Found(label, stages=(np.nan,) * stages) for label in labels]
        lines = [(row, one) for row in range(len(images)) for one in by_row.get(row, unread)]
        rows, answers = [row for row, _ in lines], [one for _, one in lines]
        names: Sequence[Optional[str]] = self._task.shown_levels or [None]
        columns: dict[str, list[Any]] = {
            "file": [images.names[row] for row in rows],
            "label": [None if one.label is None else names[one.label] for one in answers],
            "logit": [one.logit for one in answers],
        }
        if self._task.has_classes:
            columns["prob"] = [self._probability(one) for one in answers]
        columns["rest"] = [one.rest for one in answers]
        for number in range(stages):
            columns[f"stage_{number + 1}"] = [one.stages[number] for one in answers]
        averages = self._averages()
        baseline = [one.rest if evidence.centred else float(averages[one.label or 0]) for one in answers]
        return Explanation(
            images=images,
            rows=rows,
            views=[one.view for one in answers],
            table=pd.DataFrame(columns, index=None if images.index is None else images.index[rows]),
            preprocess=self.network.preprocess,
            layers=evidence.layers,
            exact=evidence.exact,
            centred=evidence.centred,
            against=None if against is None else names[against],
            baseline=baseline,
        )

    def _probability(self, one: Found) -> float:
        """Of what is explained, among all answers."""
        if one.outputs is None or one.label is None:
            return float("nan")
        return float(self._task.probabilities(one.outputs[None])[0, one.label])

    def _averages(self) -> Array:
        """What each output is compared with: of numbers the average of those that are known."""
        known = self.validation.y
        if self.task != "regression" or not len(known):
            return np.zeros(max(len(self.levels), 1))
        return np.asarray(np.asarray(known, float).reshape(len(known), -1).mean(axis=0))
