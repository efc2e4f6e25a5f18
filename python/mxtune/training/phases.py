"""The stages of a training, each from a Network to a better one: the head on frozen features, then layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from .. import progress
from ..engines.mxnet.devices import Device
from ..engines.mxnet.executor import Executor, weights
from ..engines.mxnet.passes.depthwise import dense_depthwise
from ..engines.mxnet.passes.folding import fold, unfold
from ..errors import TrainingError
from ..graph import partition
from ..images.loader import KEPT_BYTES, Views, ahead
from ..network import Network
from ..tasks import metrics
from ..tasks.losses import BinaryCrossEntropy, CrossEntropy, Loss, SquaredError
from .features import Cache, features
from .head import fit_head, own_units
from .plan import Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .state import Standing

    Array = NDArray[Any]
    Row = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """What is learned from what, the same in every stage."""

    train: Views
    held: Optional[Views]
    loss: Loss
    devices: tuple[Device, ...]
    seed: int

    def targets(self, views: Views) -> Array:
        """The labels as the loss takes them: (N,) codes, or (N, K)."""
        y = views.images.y
        assert y is not None  # noqa: S101 - mxtrain() has seen to it
        return y if isinstance(self.loss, CrossEntropy) else y.reshape(len(y), -1).astype(np.float64)

    def score(self, outputs: Array) -> Row:
        """Validation figures of the outputs for `held`: its loss, and the metric of the task."""
        assert self.held is not None  # noqa: S101
        targets = self.targets(self.held)
        outputs = outputs.astype(np.float64)
        name, value = headline(self.loss, targets, outputs)
        return {"valid_loss": float(self.loss.each(outputs, targets).mean()), f"valid_{name}": value}


def train_head(network: Network, task: Task, stage: Stage, cache: Cache) -> tuple[Network, Row, bool]:
    """The network with its head trained on frozen features, the row of history, and whether Ctrl-C came in between."""
    sets = [task.train] if task.held is None else [task.train, task.held]
    found = features(network.body, sets, task.devices, stage.batch_size, cache)
    targets = task.targets(task.train)
    held = None if task.held is None else (found[1], task.targets(task.held))
    units = len(network.params[f"{network.classifier}_bias"])
    head, outputs = fit_head(found[0], targets, task.loss, units, held)
    found_weights = {f"{network.classifier}_weight": head.weight, f"{network.classifier}_bias": head.bias}
    row: Row = {"stage": stage.name, "epoch": 1, "train_loss": head.train_loss, "lr": None}
    if outputs is not None:
        row |= task.score(outputs)
    return replace(network, params={**network.params, **found_weights}), row, head.interrupted


def opened(network: Network, stage: Stage) -> frozenset[str]:
    """The parameters that a stage trains, BatchNorm's statistics among them where they move.

    The tail is what follows the last stage but one of the body; there, statistics stay as they are.
    """
    auxiliary = set(network.graph.auxiliary)
    free = {name for name in network.params if name not in network.frozen}
    if stage.name == "all":
        return frozenset(free)
    places = network.stages[:-1]
    if not places:
        return frozenset(free - auxiliary)
    behind = {places[-1]}
    chosen: set[str] = set()
    for node in network.graph.nodes:
        sources = {name for name, _ in node.inputs}
        if sources & behind:
            behind.add(node.name)
            chosen |= sources & free
    return frozenset(chosen - auxiliary)


_HEAD_FEATURES = 32  # as many of them learn at the full rate


class LayerTraining:
    """A stage that trains layers, epoch by epoch. What is not trained is fused and only computed forward.

    Numbers are trained in units of their spread, so that a learning rate means the same in millimetres and miles.

    Parameters
    ----------
    number
        Of the stage, from 0: batches and views depend on the seed, on it and on the epoch, and on nothing else.
    """

    def __init__(self, network: Network, task: Task, stage: Stage, number: int) -> None:
        self._task, self._stage, self._number = task, stage, number
        self._trainable = opened(network, stage)
        if number:  # the head was fitted to outputs under these statistics
            self._trainable -= set(network.graph.auxiliary)
        front, rest = partition(network.graph, self._trainable)
        self._data = network.input
        frozen = _of(front, network)
        self._front = Executor(front, frozen, task.devices) if front.heads else None
        self._room = KEPT_BYTES if frozen else 0  # for what a frozen part says; its zeros alone are not worth it
        self._head = (f"{network.classifier}_weight", f"{network.classifier}_bias")
        head_rate = stage.head_rate or _head_rate(network.params[self._head[0]].shape[1])
        rates = {self._head[0]: head_rate} if number else {}
        params = _of(rest, network)
        if number:  # first values of a head are in units of the spread already
            params = self._scaled(params)
        rest, params, trainable, self._folds = fold(rest, params, self._trainable)
        cuts = [name for name in rest.inputs if name != self._data]
        shapes = {**network.shapes, **{cut: (network.shapes[n][i],) for cut, (n, i) in zip(cuts, front.heads)}}
        rest, params = dense_depthwise(rest, params, trainable, shapes)
        self._executor = Executor(rest, params, task.devices, trainable, stage.decay, rates, task.seed)
        self._inputs = [name for name in rest.arguments if name not in params]
        self._held: Optional[list[dict[str, Array]]] = None

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return -(-len(self._task.train) // self._stage.batch_size)

    def epoch(self, epoch: int) -> Row:
        """Train one epoch, counted from 0, and return its row of the history.

        Raises
        ------
        TrainingError
            The loss is not a finite number, or a weight is none.
        """
        task, stage = self._task, self._stage
        reporter = progress.current()
        total, steps = 0.0, self.steps * stage.epochs
        calls = list(self._batches(epoch))
        round_ = self._number * 100_000 + epoch
        made = ahead(task.train.varied, [(indices, round_) for indices, _ in calls])
        targets = task.targets(task.train)
        if isinstance(task.loss, SquaredError):
            targets = (targets - np.asarray(task.loss.mean)) / np.asarray(task.loss.scale)
        rate = 0.0
        reporter.event(
            "start", title=f"{stage.name} {epoch + 1}/{stage.epochs}", total=len(task.train), unit="pictures"
        )
        try:
            for step, ((indices, counts), views) in enumerate(zip(calls, made)):
                rate = stage.rate(epoch * self.steps + step, steps)
                loss = self._loss(targets[indices], counts)
                value = self._executor.step(self._crossing(views), loss, rate)
                self._finite(value, epoch)
                total += value * float(counts.sum())
                reporter.event("advance", n=int(counts.sum()), loss=value)
        finally:
            made.close()
            reporter.event("end")
        row: Row = {"stage": stage.name, "epoch": epoch + 1, "train_loss": total / len(task.train), "lr": rate}
        if task.held is not None:
            row |= task.score(own_units(self._held_outputs(task.held), task.loss))
        self._finite(row.get("valid_loss", 0.0), epoch)
        if not all(np.isfinite(array).all() for array in self.parameters().values()):
            self._finite(float("nan"), epoch)
        return row

    def _finite(self, loss: float, epoch: int) -> None:
        if not np.isfinite(loss):
            raise TrainingError(
                f"The loss became {loss} in epoch {epoch + 1} of stage {self._stage.name}.",
                hint=f"Use a lower learning rate than lr = {self._stage.lr:g}.",
            )

    def parameters(self, state: Optional[Mapping[str, Array]] = None) -> dict[str, NDArray[np.float32]]:
        """What is trained, as it is now or was in that state."""
        learned = self._executor.parameters() if state is None else weights(state)
        return self._scaled(unfold(learned, self._folds), back=True)

    def state(self) -> dict[str, Array]:
        """What the next step depends on."""
        return self._executor.state()

    def restore(self, state: Mapping[str, Array]) -> None:
        """Go on from what `state` gave."""
        self._executor.restore(state)

    def _scaled(self, params: dict[str, NDArray[np.float32]], back: bool = False) -> dict[str, NDArray[np.float32]]:
        """Parameters whose head gives numbers in units of their spread; or back, in the numbers' own."""
        loss, (weight, bias) = self._task.loss, self._head
        if not isinstance(loss, SquaredError):
            return params
        mean, scale = np.asarray(loss.mean, np.float32), np.asarray(loss.scale, np.float32)
        if back:
            return {**params, weight: params[weight] * scale[:, None], bias: params[bias] * scale + mean}
        return {**params, weight: params[weight] / scale[:, None], bias: (params[bias] - mean) / scale}

    def _batches(self, epoch: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """Indices of each batch and how much each counts. The last one is filled up with pictures that count 0."""
        size, pictures = self._stage.batch_size, len(self._task.train)
        order = np.random.default_rng((self._task.seed, self._number, epoch)).permutation(pictures)
        for start in range(0, pictures, size):
            indices = order[start : start + size]
            counts = np.zeros(size)
            counts[: len(indices)] = 1
            yield np.concatenate([indices, order[: size - len(indices)]]), counts

    def _loss(self, targets: Array, counts: Array) -> Callable[[Array], tuple[float, Array]]:
        loss = self._task.loss
        if isinstance(loss, CrossEntropy):
            loss = replace(loss, smoothing=self._stage.smoothing)
        elif isinstance(loss, SquaredError):
            loss = replace(loss, mean=(0.0,) * loss.targets, scale=(1.0,) * loss.targets)
        return lambda outputs: loss(outputs.astype(np.float64), targets, counts)

    def _crossing(self, views: Array) -> dict[str, Array]:
        """What the trained part takes: what the frozen part says of the views, or the views themselves."""
        named = {self._data: views}
        if self._front is not None:
            said = self._front.predict(views)
            cuts = [name for name in self._inputs if name != self._data]
            named.update(zip(cuts, said if isinstance(said, list) else [said]))
        return {name: named[name] for name in self._inputs}

    def _held_outputs(self, held: Views) -> Array:
        """The outputs for the validation pictures. What the frozen part says of them is kept, where it is small."""
        size = self._stage.batch_size
        if self._held is not None:
            return np.concatenate([self._executor.predict(batch) for batch in self._held])
        outputs, kept, room = [], [], self._room
        for _, views in held.batches(size):
            batch = self._crossing(views)
            outputs.append(self._executor.predict(batch))
            room -= sum(array.nbytes for array in batch.values())
            if room > 0:
                kept.append(batch)
            else:
                kept.clear()
        self._held = kept or None
        return np.concatenate(outputs)


def _head_rate(features: int) -> float:
    """A factor on the learning rate of a head that is trained already.

    A step of AdamW changes every weight by about the rate, and so each logit by the rate times the number of
    features: some thousands of them would undo in one step what the head has learned.
    """
    return min(1.0, _HEAD_FEATURES / features)


def _of(graph: Any, network: Network) -> dict[str, NDArray[np.float32]]:
    return {name: array for name, array in network.params.items() if name in graph}


def better(standing: Standing, row: Row) -> bool:
    """Whether this epoch has the lowest validation loss so far; without validation every epoch is the best yet."""
    score = row.get("valid_loss")
    return score is None or standing.best_score is None or score < standing.best_score


def headline(loss: Loss, targets: Array, outputs: Array) -> tuple[str, float]:
    """The metric that a history shows, and its value."""
    said = loss.probabilities(outputs)
    if isinstance(loss, CrossEntropy):
        return "accuracy", float((said.argmax(axis=1) == targets).mean())
    if isinstance(loss, BinaryCrossEntropy):
        return "f1", metrics.multilabel(targets, said)["f1"]
    return "rmse", metrics.regression(targets, said)["rmse"]
