"""`Model`: a trained network and all that is needed to use it."""

from __future__ import annotations

import copy
import io
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np

from .. import interrupts, late, progress, tasks
from ..arguments import one_of, user_path, whole, yes_or_no
from ..calls import option
from ..errors import ArgumentError, MxtuneError, NetworkError
from ..formats import Contents, is_exported_to, mxt, write
from ..images import ImageSet, mximages
from ..images.audit import require_readable
from ..images.loader import Loader
from ..images.preprocess import Preprocess
from ..network import Network
from ..tasks.label_type import TEXT, LabelType
from ..words import counted, shape_text
from ..zoo.saving import contents_of
from . import conformal, leak, meta, saving
from .memory import Memory
from .predictor import BATCH, Predictor
from .quantised import Quantised
from .quantising import Quantising
from .remembering import novelty_columns
from .sharing import Sharing
from .summary import summary
from .validation import Validation

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[Any]

PathLike = Union[str, "os.PathLike[str]"]
TYPES = ("class", "prob", "logit", "set", "features")
_OF_TASK = TYPES[:4]


class Model(Quantising, Sharing):
    """A trained network with its preprocessing, classes, history and origin; `mxtrain` makes one.

    Parameters
    ----------
    network
        Its first output are the logits; it carries the preprocessing.
    task
        ``"classification"``, ``"multilabel"`` or ``"regression"``.
    levels
        The classes, labels, or names of the numbers, in the order of the outputs; empty for a single number.
    history
        A row for each epoch.
    settings
        How it was trained.
    metrics
        What `evaluate` gave for the validation images; empty without.
    versions
        Of the packages that made it.
    label_type
        What the classes were before they became texts: predictions are of that type again.
    validation
        The images that it was validated on, and its outputs for them.
    memory
        What it remembers of the features of its training images; None without.
    others
        Parts of its file that only a later version knows, by name.
    quantised
        What it needs to predict in int8; None without.

    Examples
    --------
    >>> from mxtune import mxexample, mxtrain
    >>> model = mxtrain(mxexample("fashion"), net="lenet", epochs=1, verbose=0)
    >>> list(model.predict(mxexample("fashion")).columns)
    ['file', 'pred_class']
    """

    def __init__(
        self,
        network: Network,
        task: str,
        levels: Sequence[str] = (),
        history: Sequence[Mapping[str, Any]] = (),
        settings: Optional[Mapping[str, Any]] = None,
        metrics: Optional[Mapping[str, float]] = None,
        versions: Optional[Mapping[str, str]] = None,
        label_type: LabelType = TEXT,
        validation: Optional[Validation] = None,
        memory: Optional[Memory] = None,
        others: Optional[Mapping[str, bytes]] = None,
        quantised: Optional[Quantised] = None,
    ) -> None:
        self.network, self.task, self.levels = network, task, tuple(levels)
        self._task = tasks.named(task, self.levels, label_type)
        self.settings, self.metrics = dict(settings or {}), dict(metrics or {})
        self.versions = dict(versions or saving.versions())
        self._rows: list[dict[str, Any]] = [dict(row) for row in history]
        self.validation = Validation() if validation is None else validation
        self.memory, self._others, self.quantised = memory, dict(others or {}), quantised
        self._predictor = Predictor(network, quantised=self._chosen)
        self._validated: Optional[ImageSet] = None  # the images themselves, in the session that trained

    # ---- what it holds

    @property
    def preprocess(self) -> Preprocess:
        """How an image becomes the network's input."""
        return self.network.preprocess

    @property
    def label_type(self) -> LabelType:
        """What the classes were before they became texts."""
        return self._task.label_type

    @property
    def provenance(self) -> dict[str, str]:
        """Where the network and its first weights came from: name, source, licence, url, paper, sha256."""
        return dict(self.network.provenance)

    @property
    def meta(self) -> dict[str, str]:
        """What was given as ``meta`` of `mxtrain`: title, author, notes, date; empty by default."""
        return meta.kept(self.settings)

    @property
    def history(self) -> pd.DataFrame:
        """One row an epoch: ``stage, epoch, train_loss, lr``; with validation ``valid_loss, valid_<metric>`` too."""
        import pandas as pd

        columns = dict.fromkeys(("stage", "epoch", "train_loss", *(name for row in self._rows for name in row)))
        names = [name for name in columns if name != "lr"]
        frame = pd.DataFrame(self._rows, columns=[*names, "lr"])
        return frame.astype({name: float for name in frame.columns if name not in ("stage", "epoch")})

    # ---- predictions

    def predict(
        self,
        x: Any,
        type: str = "class",  # noqa: A002 - the word in R
        on_bad: str = "na",
        batch_size: int = BATCH,
        path: Optional[str] = None,
        root: Optional[PathLike] = None,
        level: float = conformal.LEVEL,
        abstain: Optional[float] = None,
        top: Optional[int] = None,
        novelty: bool = False,
    ) -> pd.DataFrame:
        """One row an image, in the order given: ``file`` and what the model predicts.

        ========== =============================================================================
        ``type``   columns
        ========== =============================================================================
        class      ``pred_class``, categorical of the classes as they were given: texts, booleans,
                   numbers; ``pred_<label>``, boolean, for multilabel; ``pred`` or ``pred_<name>``
                   for numbers
        prob       for classification ``pred_class``; ``pred_<level>``, 0 to 1
        logit      ``pred_<level>``, before softmax or sigmoid
        set        what the truth is among for a share ``level`` of images, see `mxtune.model.conformal`:
                   ``pred_set``, classes, the most probable first, after ``pred_class``; ``pred_<label>``,
                   missing where it may be either; ``pred``, ``pred_lower``, ``pred_upper`` for numbers
        features   ``feature_1`` ...: the output of the network's body, as the head takes it
        an output  ``<name>_1`` ...: another output of the network, averaged over the image
        ========== =============================================================================

        The probability of a class called "class" is ``pred_class_``. Rows keep the index of a data frame, or
        of a series of paths.

        Parameters
        ----------
        x
            Images: anything that `mximages` takes.
        type
            ``"class"``, ``"prob"``, ``"logit"``, ``"set"`` or ``"features"``; or the name of another output, see
            `Network.attach`.
        on_bad
            What happens to images that can't be read: ``"na"``, a row without values and a warning that names
            them; ``"error"``.
        batch_size
            Images at a time; of 32, the default, a GPU takes more where its memory holds them.
        path, root
            For a table: its column of paths (if None the one of that name in training, or else the likeliest), and the
            folder they are relative to; see `mximages`.
        level
            For sets: the share of images whose truth is to be in them, above 0 and below 1.
        abstain
            A probability: below it no class is predicted, and ``abstained`` says why.
        top
            For classification: so many rows an image, its likeliest classes first, ``file, pred_class, pred_prob``.
        novelty
            Whether to add how far each image is from all that was trained on: ``novelty``, in units of the distance
            within which 95 % of images like those lie, and ``is_novel``, whether that is above 1. See
            `mxtune.model.novelty`.

        Raises
        ------
        PictureError
            There are no images, or bad ones with ``on_bad="error"``.

        Warns
        -----
        PictureWarning
            Images can't be read; all are named.
        """
        import pandas as pd

        one_of("type", type, (*TYPES, *self.network.outputs[1:]))
        one_of("on_bad", on_bad, ("na", "error"))
        batch_size = whole("batch_size", batch_size, 1)
        conformal.check(self._task, self.validation, type, level, abstain)
        if top is not None and (type != "class" or abstain is not None):
            raise ArgumentError(f"`top` needs {option('type', 'class')}, and no `abstain`.")
        of_features = self._novelties(type) if yes_or_no("novelty", novelty) else None
        rows = 1 if top is None else self._task.rows(whole("top", top, 1))
        images = mximages(x, on_bad="keep", range=self._range_for(x), path=path or self.path_column, root=root)
        if on_bad == "error":
            require_readable(images, f"Use {option('on_bad', 'na')} to predict the others.")
        values, good = self._outputs(images, "logit" if type in _OF_TASK else type, batch_size, of_features)
        told = novelty_columns(values[:, -1], good) if novelty else {}
        values = values[:, :-1] if novelty else values
        index = pd.RangeIndex(len(images)) if images.index is None else images.index
        files = pd.Series(images.names, index=index, dtype=str, name="file")
        if top is not None:
            files = files.repeat(rows)
            files = files.reset_index(drop=True) if images.index is None else files
            columns = pd.DataFrame(self._task.likeliest(values, rows, good), index=files.index)
        elif type not in _OF_TASK:
            prefix = "feature" if type == "features" else type
            names = [f"{prefix}_{number}" for number in range(1, values.shape[1] + 1)]
            columns = pd.DataFrame(values, columns=names, index=images.index)
        else:
            if type == "set":
                answers = conformal.sets(self._task, self.validation, values, level, good)
            else:
                answers = self._task.predictions(values, type, good)
            if abstain is not None:
                answers = self._task.abstaining(answers, values, float(abstain))
            columns = pd.DataFrame(answers, index=images.index)
        for name, column in told.items():
            columns[name] = column if top is None else np.repeat(column, rows)
        return pd.concat([files, columns], axis=1)

    @classmethod
    def of_network(cls, network: Network) -> Model:
        """A model of a network as it is, whose classes are those of the network, or numbers of its outputs from 1 on.

        Raises
        ------
        NetworkError
            Its output is not a row of numbers for each image, or it has another number of classes.
        """
        shape = network.shapes[network.output][0]
        if len(shape) != 2:
            text = "The network does not end in one row of numbers for each image."
            raise NetworkError(text, [f"{network.output}: {shape_text(shape[1:])}"], "mxtrain() gives it a classifier.")
        levels = network.levels or tuple(map(str, range(1, shape[1] + 1)))
        if len(levels) != shape[1]:
            raise NetworkError(f"The network has {shape[1]} outputs, and names of {len(levels)} classes.")
        return cls(network, "classification", levels)

    # ---- summary

    def summary(self) -> str:
        """How it was made, what was decided and why, and how good it is, as text."""
        classes = self.per_class() if self._task.has_classes and len(self.validation) else None
        return summary(
            repr(self)[1:-1],
            self.network,
            self.settings,
            self._rows,
            self._measured,
            classes,
            self.validation.temperature,
            len(self.memory or ()),
        )

    @property
    def r(self) -> Any:
        """The model in the R package, in an R inside this process: ``model.r.predict("photos")``."""
        return late.load("ModelInR")(self)

    # ---- saving

    def save(self, path: PathLike) -> None:
        """Write the model to one file; see ARCHITECTURE.md for its format. A crash leaves an older file whole,
        and Ctrl-C and SIGTERM wait until the new one is.

        Parameters
        ----------
        path
            Usually ends in ``.mxt``. In ``.onnx``: the model for other programs: images (N, H, W, C) uint8 of the size
            that it takes in, probabilities or numbers out, with its classes and its preparation in the metadata.
            Other suffixes that `Network.save` knows: the network or its weights.

        Raises
        ------
        StoreError
            The file can't be written: a full disk, a missing folder, no permission.
        FormatError
            A format has no equivalent of a layer, which is named; or the suffix is that of a format that is only read.
        """
        file = user_path("path", path)
        with interrupts.held():
            if is_exported_to(file):
                write(file, replace(self._contents(), theirs=contents_of(self.network).theirs))
            else:
                mxt.save(file, self._contents())

    def to_bytes(self) -> bytes:
        """What `save` would write."""
        stream = io.BytesIO()
        mxt.save(stream, self._contents())
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes, limit: float = 1.0, precision: str = "auto") -> Model:
        """The model that `to_bytes` wrote; ``limit`` and ``precision`` as for `mxload`.

        Raises
        ------
        ArgumentError
            The precision can't be had here.
        ModelFileError
            The content is damaged, hostile, too new, or not a model.
        """
        if "vetiver" in sys.modules:  # which has read this as a pickle, and has a registry of its own
            late.load("MxtuneHandler")
        model = Model(**saving.parts_of(mxt.load(bytes(content), limit)))
        return model if precision == "auto" else model.on(precision=precision)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return Model.from_bytes, (self.to_bytes(), self.network.limit, self.asked_precision)

    def _contents(self) -> Contents:
        model = {
            "task": self.task,
            "label_type": self.label_type.to_dict(),
            "settings": self.settings,
            "metrics": self.metrics,
            "history": self._rows,
            "versions": self.versions,
            "validation": self.validation.to_dict(),
        }
        memory = None if self.memory is None else self.memory.arrays()
        int8 = None if self.quantised is None else self.quantised.arrays()
        return replace(Contents.of(self.network, model, memory), levels=self.levels, others=self._others, int8=int8)

    # ---- internals

    def measured(self, training: ImageSet, validation: Optional[Loader], resembling: Optional[Array] = None) -> Model:
        """The model with `metrics` measured on these images, as `mxtrain` returns it.

        Parameters
        ----------
        training, validation
            Images that were trained on, and others.
        resembling
            (N,) bool: which of the others resemble some that were trained on.

        Warns
        -----
        PictureWarning
            Validation images can't be read any more.
        """
        if validation is None:
            return self._validated_by({}, Validation.of(training), None)
        values, good = self._predictor.outputs(validation, title="Validating")
        images, values = validation.images.take(good), values[good]
        figures = self._measure(np.asarray(images.y), values)
        seen_before = np.zeros(len(good), bool) if resembling is None else resembling
        validated = Validation.of(training, images, values, seen_before[good])
        text = leak.told(self._task, figures, np.asarray(images.y), values, seen_before[good])
        if text:
            progress.current().event("message", text=text)
        return self._validated_by(figures, validated, images)

    def cross_validated(
        self, training: ImageSet, temperature: float, outputs: Array, fold: Array, group: Array
    ) -> Model:
        """The model with `metrics` and `validation` of its training images, by models that had not seen them.

        Parameters
        ----------
        temperature
            What the model's own outputs are to be divided by; these were.
        outputs
            (N, K) float32: what these say.
        fold, group
            (N,) int64: the fold of each image, -1 where none tests it; and equal for what belongs together.
        """
        tested = np.flatnonzero(fold >= 0)
        images = training.take(tested)
        validated = Validation.of(training, images, outputs[tested], None, fold[tested], group[tested], temperature)
        model = self if temperature == 1 else self._divided(temperature)
        return model._validated_by(self._measure(np.asarray(images.y), outputs[tested]), validated, images)

    def _divided(self, temperature: float) -> Model:
        """The model with its outputs divided by this."""
        layer = [f"{self.network.classifier}_{part}" for part in ("weight", "bias")]
        divided = {name: self.network.params[name] / np.float32(temperature) for name in layer}
        other = copy.copy(self)
        other.network = replace(self.network, params={**self.network.params, **divided})
        if (low := self.quantised) is not None:
            by = np.float32(temperature)
            other.quantised = replace(low, weight=low.weight / by, bias=low.bias / by)
        other._predictor = Predictor(other.network, self._predictor.target, other.quantised)
        return other

    def _validated_by(self, figures: dict[str, float], validated: Validation, images: Optional[ImageSet]) -> Model:
        model = Model(
            self.network,
            self.task,
            self.levels,
            self._rows,
            self.settings,
            figures,
            self.versions,
            self.label_type,
            validated,
            self.memory,
            quantised=self.quantised,
        )
        model._predictor, model.asked_precision, model._validated = self._predictor, self.asked_precision, images
        return model

    def _measure(self, y: Array, outputs: Array) -> dict[str, float]:
        if not len(y):
            raise MxtuneError("None of the images can be read.")
        return self._task.measure(y, outputs)

    def __repr__(self) -> str:
        name = self.provenance.get("name", "network")
        measured = ""
        if self.metrics:
            first, n = next(iter(self.metrics)), int(self.metrics.get("n", 0))
            within = "" if self.interval is None else " ({:.3g} to {:.3g})".format(*self.interval)
            where = f"{counted(n, 'image')} out of fold" if self._by_folds else counted(n, "validation image")
            measured = f", {first} {self.metrics[first]:.3g}{within} on {where}"
            measured += leak.corrected(self._task, self.validation)
        return f"<Model {name}: {self._task}{measured}>"


Model.__module__ = "mxtune"  # R dispatches on it: it must outlast a file that moves
