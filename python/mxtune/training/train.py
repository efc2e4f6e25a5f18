"""`mxtrain`: from pictures to a model."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Optional, Union

import numpy as np

from .. import progress, zoo
from ..arguments import height_and_width, one_of, whole, yes_or_no
from ..engines.mxnet.devices import Device, resolve
from ..errors import ArgumentError, LabelError, MxtuneError, PictureWarning, TrainingError, TrainingWarning
from ..images import ImageSet, mximages
from ..images.augment import Augment
from ..images.findings import warn
from ..images.loader import Views
from ..images.preprocess import Preprocess
from ..model.model import Model
from ..network import Network
from ..network.values import refuse_unusable
from ..tasks.losses import Loss, loss_for
from ..zoo.opening import mxnetwork
from . import callbacks as watching
from . import plan
from .features import Cache, fingerprint
from .phases import LayerTraining, Task, better, train_head
from .state import Checkpoint, Standing

PathLike = Union[str, "os.PathLike[str]"]
_SMALL = 64  # pictures with a shorter side below this are enlarged, and hardly zoomed
_LIGHT = 10_000_000  # multiplications for a picture: LeNet has 2 million, EfficientNet-Lite0 at 64 pixels 32
_POOLED = ("stage_features", "all_features")  # what a head on every stage stands on


def mxtrain(
    x: Any,
    y: Any = None,
    net: Union[PathLike, Network, Model] = "efficientnet_lite0",
    tune: str = "auto",
    epochs: Optional[int] = None,
    valid: Any = 0.2,
    image_size: Union[int, tuple[int, int], None] = None,
    batch_size: Optional[int] = None,
    lr: Optional[float] = None,
    schedule: str = "cosine",
    augment: Union[str, bool, Mapping[str, Any], Augment] = "auto",
    class_weights: Union[str, Mapping[str, float], Sequence[float], None] = None,
    patience: Optional[int] = None,
    restore_best: bool = True,
    device: Union[str, Sequence[str]] = "auto",
    precision: str = "auto",
    seed: int = 0,
    cache: Cache = None,
    checkpoint: Optional[PathLike] = None,
    resume: bool = False,
    callbacks: Union[watching.Watcher, Sequence[watching.Watcher], None] = None,
    verbose: Optional[int] = None,
) -> Model:
    """A `Model`: a pretrained network, fine-tuned on your pictures.

    The head is trained to convergence on what every stage of the frozen network says of the pictures (the idea of
    Head2Toe: Evci et al., 2022). Then, where asked for, layers are trained from there. Ctrl-C ends the training and
    returns the best model so far.

    Parameters
    ----------
    x, y
        Pictures and their labels: all that `mximages` takes, or what it returns. Strings ask for classification,
        numbers for regression, a 0/1 matrix or label sets for multilabel.
    net
        A name that `mxzoo` lists, a file that `mxnetwork` opens, a `Network`, or a `Model` to go on from.
    tune
        ``"head"``; ``"tail"``: then the layers of the last resolution; ``"all"``: then every layer that is not
        frozen; ``"auto"``: the head, then the tail while validation improves. A network without weights is
        trained whole.
    epochs
        Of the tail or of all, at most; chosen by the number of pictures if None.
    valid
        The share of pictures to validate on, stratified, above 0 and below 1; or pictures kept aside for it, as
        `mximages` takes them; or None for no validation.
    image_size
        Height and width (pixels) that the network sees; its own if None, and less for small pictures.
    batch_size
        Pictures in a step, at most as many as there are; 32 (64 from 5,000 pictures on) if None.
    lr
        Highest learning rate of AdamW; if None 5e-5 for the tail, for all 3e-4 (5e-4 from 5,000 pictures on, 2e-3 for
        a light network such as LeNet), for a network without weights 1e-3.
    schedule
        ``"cosine"`` or ``"constant"``, both after a short rise.
    augment
        ``"auto"``, ``"light"``, ``"none"``, or settings of `Augment` by name: how training pictures vary, where
        layers are trained.
    class_weights
        ``"balanced"``, or a factor for each class by name: how much its pictures count.
    patience
        Epochs without a lower validation loss after which a stage ends; 0 for never; chosen by the stage if None.
    restore_best
        Whether the weights of the epoch with the lowest validation loss are kept, or the last ones.
    device
        ``"auto"``, ``"cpu"``, ``"gpu"``, ``"gpu:1"``, or several: each takes its share of every batch.
    precision
        ``"auto"`` or ``"float32"``.
    seed
        0 to 2**31 - 1. The same seed gives the same bytes on the same machine.
    cache
        True, or a folder: features of the frozen network are kept on disk between runs. Beyond 10 GB (the
        environment variable ``MXTUNE_CACHE_GB``) the longest unused go.
    checkpoint
        A file that is written after each epoch.
    resume
        Whether to go on from `checkpoint`, where it exists. The result is that of an unbroken run.
    callbacks
        `Callback` objects or functions of epoch and metrics; returning False ends the training.
    verbose
        0 for nothing, 1 for a line an epoch, 2 for a bar; None looks where it runs.

    Raises
    ------
    PictureError
        Pictures can't be read; all are named.
    LabelError
        There are no labels, only one class, or labels that do not fit.
    ArgumentError
        An argument has a value of no use.
    CheckpointError
        The checkpoint is damaged, or one of other pictures or settings.
    TrainingError
        The loss is not a number, a callback failed, or pictures or the checkpoint's disk went away meanwhile;
        ``model`` holds the best model so far, or None.
    KeyboardInterrupt
        Ctrl-C came before anything was learned.

    Warns
    -----
    TrainingWarning
        The training was interrupted, or settings have no use since the head alone is trained.

    Examples
    --------
    >>> from mxtune import mxexample, mxtrain
    >>> model = mxtrain(mxexample("fashion"), tune="head", verbose=0)
    >>> model.metrics["accuracy"] > 0.7
    True
    """
    wishes = plan.Wishes(tune, epochs, batch_size, lr, schedule, patience)
    seed = whole("seed", seed)
    one_of("precision", precision, ("auto", "float32"))
    if yes_or_no("resume", resume) and checkpoint is None:
        raise ArgumentError("`resume` needs `checkpoint`: the file to go on from.")
    watchers = watching.parse(callbacks)
    devices = resolve(device)
    with progress.using(progress.default(verbose)):
        images, held = _pictures(x, y, valid, seed)
        network, pretrained = _network(net, images, image_size, tune, seed)
        stages = plan.make(wishes, len(images), pretrained, held is not None, _is_light(network))
        spec = Augment.parse(augment, small=_shorter_side(images) < _SMALL, grey=images.grey)
        _tell_unused(wishes, augment, stages)
        settings = {
            "tune": tune,
            "stages": [stage.to_dict() for stage in stages],
            "augment": spec.to_dict(),
            "class_weights": _class_weights(class_weights, images),
            "restore_best": yes_or_no("restore_best", restore_best),
            "seed": seed,
            "pictures": {"training": len(images), "validation": 0 if held is None else len(held)},
        }
        task = _task(network, images, held, spec, settings, devices)
        seen = (network.preprocess.to_dict(), sorted(network.frozen))
        identity = {
            "pictures": images.fingerprint + ("" if held is None else held.fingerprint),
            "network": fingerprint(network) + hashlib.sha256(repr(seen).encode()).hexdigest(),
            "settings": json.dumps(settings, sort_keys=True),
        }
        run = _Run(network, task, stages, settings, Checkpoint(checkpoint, identity), watchers)
        return run.through(resume, cache)


class _Run:
    """One training on its way through the stages."""

    def __init__(
        self,
        network: Network,
        task: Task,
        stages: Sequence[plan.Stage],
        settings: dict[str, Any],
        checkpoint: Checkpoint,
        watchers: list[watching.Watcher],
    ) -> None:
        self._network, self._task, self._stages = network, task, stages
        self._settings, self._checkpoint, self._watchers = settings, checkpoint, watchers
        self._standing = Standing()
        self._trained = False

    def through(self, resume: bool, cache: Cache) -> Model:
        """All stages, then the model. Whatever ends the training early, what was learned is not lost."""
        self._standing = (self._checkpoint.read() if resume else None) or Standing()
        self._take(self._standing.params)
        self._trained = bool(self._standing.history)
        try:
            watching.tell(self._watchers, "on_start", self._settings)
            while self._standing.stage < len(self._stages) and not self._standing.over:
                self._stage(self._standing.stage, cache)
            watching.tell(self._watchers, "on_end", self._standing.history)
        except KeyboardInterrupt:
            if not self._trained:
                raise
            warn(TrainingWarning("The training was interrupted: this is the best model so far."))
        except MxtuneError as error:
            if not self._trained:
                raise
            if isinstance(error, TrainingError):
                self._hand_over(error)
                raise
            told = TrainingError(f"The training could not go on. {error.message}", error.bullets, error.hint)
            self._hand_over(told)
            raise told from error
        held = self._task.held
        return self._model() if held is None else self._model().measured(held.images)

    def _hand_over(self, error: TrainingError) -> None:
        """The best model so far, to whoever catches the error."""
        error.model = self._model()
        error.hint = " ".join(filter(None, [error.hint, "This error's `model` is the best model so far."]))

    def _stage(self, number: int, cache: Cache) -> None:
        standing, stage = self._standing, self._stages[number]
        if stage.name == "head":
            self._network, row, interrupted = train_head(self._network, self._task, stage, cache)
            self._trained = True
            self._tell(stage, row)
            if interrupted:
                raise KeyboardInterrupt
            standing.best_score = row.get("valid_loss")
        else:
            self._layers(number, stage)
        standing.params = {name: array for name, array in self._network.params.items() if name in self._changed(number)}
        standing.stage, standing.epoch, standing.state, standing.stale = number + 1, 0, {}, 0
        standing.best = {}
        self._checkpoint.write(standing)

    def _layers(self, number: int, stage: plan.Stage) -> None:
        standing = self._standing
        training = LayerTraining(self._network, self._task, stage, number)
        if standing.state:
            training.restore(standing.state)
        try:
            while standing.epoch < stage.epochs and not self._ended(stage):
                row = training.epoch(standing.epoch)
                if better(standing, row):
                    standing.best, standing.best_score = training.parameters(), row.get("valid_loss")
                    standing.stale = 0
                else:
                    standing.stale += 1
                self._trained = True
                standing.epoch, standing.state = standing.epoch + 1, training.state()
                self._tell(stage, row)
                self._checkpoint.write(standing)
        except KeyboardInterrupt:
            if not self._trained:  # nothing was measured yet: what there is, is the best
                standing.best, self._trained = training.parameters(), True
            raise
        finally:
            self._keep(training)
        if number and self._settings["restore_best"] and not standing.best:
            what = "all layers" if stage.name == "all" else f"the {stage.name}"
            text = f"Training {what} did not lower the validation loss: the weights before it are kept."
            progress.current().event("message", text=text)

    def _ended(self, stage: plan.Stage) -> bool:
        standing = self._standing
        return standing.over or bool(stage.patience and standing.stale >= stage.patience)

    def _keep(self, training: LayerTraining) -> None:
        """Take the weights of the best epoch, or of the last whole one where that is wished."""
        standing = self._standing
        last = standing.state and not self._settings["restore_best"]
        self._take(training.parameters(standing.state) if last else standing.best)

    def _take(self, params: Mapping[str, Any]) -> None:
        if params:
            self._network = replace(self._network, params={**self._network.params, **params})

    def _changed(self, number: int) -> set[str]:
        """The parameters that stages up to this one may have changed."""
        head = {f"{self._network.classifier}_weight", f"{self._network.classifier}_bias"}
        return head if self._stages[number].name == "head" else set(self._network.params)

    def _tell(self, stage: plan.Stage, row: dict[str, Any]) -> None:
        self._standing.history.append(row)
        figures = {name: value for name, value in row.items() if isinstance(value, float) and name != "lr"}
        progress.current().event("epoch", stage=stage.name, epoch=row["epoch"], epochs=stage.epochs, metrics=figures)
        self._standing.over = not watching.tell(self._watchers, "on_epoch", row["epoch"], dict(row))

    def _model(self) -> Model:
        """The network as it is now, not measured."""
        images, told = self._task.train.images, dict(self._network.provenance)
        if not self._network.pretrained:
            told["source"] = f"mxtune, from {told.get('source', 'first values')}"
        return Model(
            network=replace(
                self._network, provenance=told, levels=images.levels or None, frozen=frozenset(), pretrained=True
            ),
            task=str(images.task),
            levels=images.levels,
            history=self._standing.history,
            settings=self._settings,
        )


def _pictures(x: Any, y: Any, valid: Any, seed: int) -> tuple[ImageSet, Optional[ImageSet]]:
    """The pictures to train on and those to validate on, looked at."""
    images = mximages(x, y)
    _learnable(images)
    if valid is None or valid is False or (isinstance(valid, (int, float)) and valid == 0):
        return images, None
    if isinstance(valid, (int, float, np.number)):
        if valid is True or not 0 < valid < 1:
            raise ArgumentError("`valid` must be a share above 0 and below 1, pictures, or None.", [f"it is {valid!r}"])
        train, held = images.split(float(valid), seed)
        if len(held) == 0 or len(train) == 0:
            say = "There are too few pictures to keep any for validation."
            progress.current().event("message", text=say)
            return images, None
        return train, held
    held = mximages(valid, levels=images.levels or None, task=images.task)
    if held.y is None:
        raise LabelError("The pictures for validation have no labels.")
    both = [name if name == there else f"{name} = {there}" for name, there in images.shared(held)]
    if both:
        told = f"{len(both)} of the pictures for validation are among those for training."
        warn(PictureWarning(told, both[:20], "Validation then flatters the model."))
    return images, held


def _learnable(images: ImageSet) -> None:
    if images.y is None:
        raise LabelError(
            "The pictures have no labels.",
            hint="Put them into one folder a class, or give the labels as `y`.",
        )
    if images.task == "classification" and len(np.unique(images.y)) < 2:
        only = images.levels[int(images.y[0])]
        raise LabelError(f"There is a single class, {only}: nothing to tell apart.", hint="Two are needed.")
    if images.task == "regression" and len(np.unique(images.y, axis=0)) < 2:
        raise LabelError("All pictures have the same number: nothing to learn.")


def _network(
    net: Union[PathLike, Network, Model],
    images: ImageSet,
    image_size: Union[int, tuple[int, int], None],
    tune: str,
    seed: int,
) -> tuple[Network, bool]:
    """The network with a new head for these pictures, and whether it has learned anything before."""
    size = None if image_size is None else height_and_width("image_size", image_size)
    if isinstance(net, Model):
        found = net.network
    elif isinstance(net, Network):
        found = net
    elif isinstance(net, (str, os.PathLike)):
        found = _by_name(net, images, size, tune, seed)
    else:
        what = [f"it is a {type(net).__name__}"]
        raise ArgumentError("`net` must be a name, a file, a Network or a Model.", what, "mxzoo() lists names.")
    if size is not None and size != found.preprocess.size:
        found = replace(found, preprocess=replace(found.preprocess, size=size)).check()
    refuse_unusable(found)
    pretrained = bool(found.pretrained)
    units = len(images.levels) if images.levels else 1
    on_stages = pretrained and found.body.output not in _POOLED and not (tune == "all" and _is_light(found))
    return found.replace_head(units, seed=seed, stages=on_stages), pretrained


def _is_light(network: Network) -> bool:
    """Whether a network is trained whole in no time: what each stage says would cost more than the layers."""
    return network.macs() < _LIGHT


def _by_name(net: PathLike, images: ImageSet, image_size: Optional[tuple[int, int]], tune: str, seed: int) -> Network:
    """A network of the zoo, set up for these pictures; or one from a file, as it is."""
    name = os.fspath(net)
    if name.lower().endswith((".mxt", ".json")):
        return mxnetwork(name, seed=seed)
    entry = zoo.entry(name)
    if entry.weights is None:
        channels = 1 if images.grey and entry.preprocess.channels == 1 else 3
        return mxnetwork(name, image_size=image_size, channels=channels, seed=seed)
    size = image_size or _seen_size(images, entry.preprocess, tune)
    network = mxnetwork(name, image_size=size, seed=seed)
    if image_size is None and size != entry.preprocess.size:
        text = f"Small pictures are seen at {size[0]} x {size[1]}: image_size= overrides it."
        progress.current().event("message", text=text)
    return replace(network, preprocess=replace(network.preprocess, fit="stretch"))


def _seen_size(images: ImageSet, preprocess: Preprocess, tune: str) -> tuple[int, int]:
    """The network's own size, less for small pictures: about three times theirs.

    Where all layers are trained they adapt to two thirds of that, which cost less than half.
    """
    times, least = (2.2, 64) if tune == "all" else (3.2, 96)
    wanted = 16 * round(times * _shorter_side(images) / 16)
    return tuple(min(own, max(least, wanted)) for own in preprocess.size)  # type: ignore[return-value]


def _shorter_side(images: ImageSet) -> float:
    return float(np.median(images.sizes.min(axis=1)))


def _task(
    network: Network,
    images: ImageSet,
    held: Optional[ImageSet],
    augment: Augment,
    settings: Mapping[str, Any],
    devices: tuple[Device, ...],
) -> Task:
    units, seed = len(network.params[f"{network.classifier}_bias"]), settings["seed"]
    y = images.y
    assert y is not None  # noqa: S101 - _learnable() has seen to it
    weights = settings["class_weights"]
    loss: Loss = loss_for(str(images.task), y, units, class_weights=tuple(weights) if weights else None)
    return Task(
        train=Views(images, network.preprocess, augment, seed),
        held=None if held is None else Views(held, network.preprocess),
        loss=loss,
        devices=devices,
        seed=seed,
    )


def _tell_unused(wishes: plan.Wishes, augment: Any, stages: Sequence[plan.Stage]) -> None:
    """Settings that were given for layers, where the head alone is trained."""
    if any(stage.name != "head" for stage in stages):
        return
    settings = ("epochs", "lr", "schedule", "patience")
    unused = [name for name in settings if getattr(wishes, name) != getattr(plan.Wishes, name)]
    if augment not in ("auto", "none", None, False):
        unused.append("augment")
    if unused:
        hint = 'They are for layers: tune = "tail" or tune = "all".'
        warn(TrainingWarning("The head alone is trained, without these settings.", unused, hint))


def _class_weights(
    wish: Union[str, Mapping[str, float], Sequence[float], None], images: ImageSet
) -> Optional[list[float]]:
    """A factor for each class, in the order of the levels."""
    if wish is None:
        return None
    if images.task != "classification":
        raise ArgumentError("`class_weights` are for classification.", [f"this is {images.task}"])
    levels = images.levels
    if isinstance(wish, str):
        if wish != "balanced":
            raise ArgumentError('`class_weights` must be "balanced" or numbers.', [f"it is {wish!r}"])
        counts = np.bincount(np.asarray(images.y), minlength=len(levels)).tolist()
        return [float(len(images) / (len(levels) * max(1, count))) for count in counts]
    if isinstance(wish, Mapping):
        unknown = sorted(str(level) for level in wish if level not in levels)
        if unknown:
            raise ArgumentError("`class_weights` names classes that do not exist.", unknown)
        wish = [wish.get(level, 1.0) for level in levels]
    try:
        values = [float(value) for value in wish]
    except (TypeError, ValueError):
        values = []
    if len(values) != len(levels) or not all(np.isfinite(value) and value >= 0 for value in values) or not any(values):
        raise ArgumentError(
            f"`class_weights` must be {len(levels)} numbers of at least 0, not all 0.", [f"it is {wish!r}"]
        )
    return values
