"""`Quantising`: a model in int8, where its own accuracy stays what it was."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, TypeVar, Union

import numpy as np

from .. import progress
from ..engines import INT8, Program, Ranges, choose
from ..engines.ranges import measured
from ..errors import MxtuneError
from ..images.loader import Loader
from ..tasks import Task, metrics
from .judging import refuse_unused
from .placing import Placing
from .predictor import BATCH, Predictor
from .quantised import ENOUGH, KEY, Quantised, likened, matched, told

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from ..images import ImageSet
    from ..images.roles import Split
    from ..network import Network
    from .validation import Validation

    Array = NDArray[Any]

_SAMPLE = 128  # images that the ranges are measured on
_POINTS, _SHARE = 0.005, 1.02  # how much lower a share may be, and how many times as high a loss
_FASTER = 1.1
_FOLDS, _RUNS = 5, 7

_Quantised = TypeVar("_Quantised", bound="Quantising")


class Quantising(Placing):
    """What makes a model faster by int8; `Model` adds the rest."""

    validation: Validation
    _task: Task

    def quantize(
        self: _Quantised,
        x: Any = None,
        y: Any = None,
        path: Optional[str] = None,
        label: Union[str, Sequence[str], None] = None,
        root: Union[str, os.PathLike[str], None] = None,
        split: Split = None,
    ) -> _Quantised:
        """The model with what int8 needs, measured on images, which predicts in int8 where that is good.

        The ranges of its layers are measured on up to 128 of the images. Then its classifier is fitted anew, so that
        its outputs in int8 are those in float32: without labels, which only judge, by images that a fit has not seen.
        It predicts in int8 by itself if it is faster on this machine, the accuracy at most half a point
        lower, and the log-loss at most 2 % higher (of numbers, the RMSE), on at least 200 images that the model was not
        trained on. `summary` says what was measured and chosen, and the file keeps it;
        ``model.on(precision="float32")`` and ``"int8"`` override it. The weights in float32 stay: on a GPU, on a CPU
        without VNNI, and in an engine without int8, it predicts as before.

        Parameters
        ----------
        x, y
            Labelled images: some hundred, better ones that it was not trained on. If None, those of the validation.
        path, label, root, split
            As `evaluate` has them.

        Raises
        ------
        LabelError
            There are no labelled images.
        ArgumentError
            No engine here computes in int8: MXNet does, on CPUs with VNNI.

        Examples
        --------
        >>> from mxtune import mxexample, mxtrain
        >>> model = mxtrain(mxexample("fashion"), net="lenet", epochs=1, verbose=0, engine="mxnet")
        >>> sorted(model.quantize(mxexample("fashion")).settings["int8"])
        ['chosen', 'judged', 'metrics', 'sample', 'times_as_fast']
        """
        engine = choose("cpu", INT8).engine.name  # refused before the work
        own: Any = self
        table = {"path": path, "label": label, "root": root, "split": split}
        if x is None:
            refuse_unused(y=y, **table)
        images = own.validation_images() if x is None else own.labelled_images(x, y, **table)
        plain = Predictor(self.network, choose("cpu", "float32", engine))
        exact, images = _features(plain, images, self.network)
        sample = images.take(_spaced(len(images)))
        ranges = _ranges(self.network, sample, engine)
        quick = Predictor(self.network, choose("cpu", INT8, engine, ranges))
        low, _ = _features(quick, images, self.network)
        weight, bias = self._classifier
        found = Quantised(ranges, *matched(exact, low, weight, bias), *likened(exact, low))
        unseen = np.array([not self.validation.trained_on([digest]) for digest in images.hashes])
        figures = self._compared(exact, low, images, np.flatnonzero(unseen))
        speed = _times_as_fast(plain, quick, next(_batches(sample, self.network, BATCH)))
        near = unseen.sum() >= ENOUGH and _is_near(self._task, figures)
        kept = {
            "chosen": bool(near and speed >= _FASTER),
            "times_as_fast": round(speed, 2),
            "metrics": figures,
            "judged": int(unseen.sum()),
            "sample": len(sample),
        }
        progress.current().event("message", text=f"int8 is {told(kept)}.")
        other = copy.copy(self)
        other.settings, other.quantised = {**self.settings, KEY: kept}, found
        if kept["chosen"]:
            return other.on("cpu", engine)
        target = self._predictor.target  # in float32 again, where an earlier choice was int8
        other._predictor, other.asked_precision = Predictor(self.network, target and target.exact), "auto"
        return other

    @property
    def _classifier(self) -> tuple[Array, Array]:
        layer, params = self.network.classifier, self.network.params
        return params[f"{layer}_weight"], params[f"{layer}_bias"]

    def _compared(self, exact: Array, low: Array, images: ImageSet, rows: Array) -> dict[str, list[float]]:
        """Of each metric that decides: its value in float32 and in int8, by classifiers fitted to other images."""
        if not len(rows):
            return {}
        weight, bias = self._classifier
        _, together = np.unique(images.together(), return_inverse=True)
        fold = together.reshape(-1) % _FOLDS
        quick = _outputs(low, weight, bias)
        for held in range(_FOLDS):
            one, others = fold == held, fold != held
            if one.any() and others.any():
                quick[one] = _outputs(low[one], *matched(exact[others], low[others], weight, bias))
        y = np.asarray(images.y)[rows]
        before, after = (self._task.measure(y, outputs[rows]) for outputs in (_outputs(exact, weight, bias), quick))
        names = [name for name in (self._task.primary_metric, "log_loss") if name in before]
        return {name: [before[name], after[name]] for name in names}


def calibrated(network: Network, images: ImageSet, engine: str) -> tuple[Quantised, int]:
    """What a network needs in int8 before its classifier is trained, by some of the images, and by how many."""
    plain = Predictor(network, choose("cpu", "float32", engine))
    exact, sample = _features(plain, images.take(_spaced(len(images))), network)
    ranges = _ranges(network, sample, engine)
    low, _ = _features(Predictor(network, choose("cpu", INT8, engine, ranges)), sample, network)
    params, layer = network.params, network.classifier
    return Quantised(ranges, params[f"{layer}_weight"], params[f"{layer}_bias"], *likened(exact, low)), len(sample)


def _spaced(count: int) -> Array:
    """Places of images for the ranges, as far from one another as can be."""
    return np.asarray(np.unique(np.linspace(0, count - 1, _SAMPLE).astype(int)))


def _ranges(network: Network, images: ImageSet, engine: str) -> Ranges:
    bind = choose("cpu", "float32", engine).bind
    return measured(Program.of(network.main), _batches(images, network), bind)


def _features(predictor: Predictor, images: ImageSet, network: Network) -> tuple[Array, ImageSet]:
    """Those of the images that can be read, and these images."""
    values, good = predictor.outputs(Loader(images, network.preprocess, repeated=False), "features")
    if not good.any():
        raise MxtuneError("None of the images can be read.")
    return (values, images) if good.all() else (values[good], images.take(np.flatnonzero(good)))


def _outputs(features: Array, weight: Array, bias: Array) -> Array:
    return np.asarray(features @ weight.T + bias)


def _times_as_fast(plain: Predictor, quick: Predictor, batch: Any) -> float:
    """How much less time a batch takes, pixels to outputs; by turns, as the machine may have other work."""
    executors, ratios = [one._executor("logit") for one in (plain, quick)], []
    for executor in executors:
        executor.predict(batch)  # the first call binds
    for _ in range(_RUNS):
        times = []
        for executor in executors:
            start = time.perf_counter()
            executor.predict(batch)
            times.append(time.perf_counter() - start)
        ratios.append(times[0] / times[1])
    return statistics.median(ratios)


def _batches(images: ImageSet, network: Network, size: int = 16) -> Iterator[Any]:
    loader = Loader(images, network.preprocess, repeated=False)
    return (batch for rows, batch in loader.eval_batches(size, skip_bad=True) if len(rows))


def _is_near(task: Task, figures: Mapping[str, Sequence[float]]) -> bool:
    """Whether no metric is worse than the limits allow; one that is not a number is."""
    best = {name: metrics.metric_of(task.name, name).best for name in figures}
    return all(
        after <= before * _SHARE if best[name] == 0 else after >= before - _POINTS
        for name, (before, after) in figures.items()
    )
