"""The phases of a training run, each from a Network to a better one: the head on frozen features, then layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from .. import interrupts, progress
from ..engines import AdamW, InputSpec, Program, picture_input
from ..errors import TrainingError
from ..graph import partition
from ..images.loader import KEPT_BYTES, Loader
from ..model.memory import MOST_IMAGES
from ..network import Network
from .features import Cache, features
from .folds import fit_folds
from .head import fit_head
from .phase import Phase
from .problem import Problem
from .remember import remembered, sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Row = dict[str, Any]


def train_head(
    network: Network, problem: Problem, phase: Phase, cache: Cache, remembers: bool = False
) -> tuple[Network, Row, bool, dict[str, Array], dict[str, Array]]:
    """The network with its head trained on frozen features, the row of history, whether Ctrl-C came in between, the
    arrays of `CrossValidated` where there are folds, and those of `Memory` where the model is to remember."""
    loaders = [problem.train] if problem.validation is None else [problem.train, problem.validation]
    arrays = features(network.body, loaders, problem.target, phase.batch_size, cache, problem.crew)
    interrupts.at_stake()
    if problem.int8 is not None:
        for array in arrays:
            problem.int8.restore(array)
    targets = problem.targets(problem.train)
    labels = np.asarray(problem.train.images.y)
    validation = None if problem.validation is None else (arrays[1], problem.targets(problem.validation))
    row: Row = {"stage": phase.name, "epoch": 1}
    unseen: dict[str, Array] = {}
    if problem.folds is None:
        head, outputs = fit_head(arrays[0], targets, problem.loss, problem.task.outputs, validation)
        measured = {} if outputs is None else problem.score(outputs)
    else:
        found = fit_folds(arrays[0], targets, problem.loss, problem.task.outputs, problem.folds)
        head, unseen = found.head, found.arrays()
        tested = found.fold >= 0
        measured = problem.scored(labels[tested], unseen["outputs"][tested]) if unseen else {}
    row |= {"train_loss": head.train_loss, "lr": None, **measured}
    memory: dict[str, Array] = {}
    if remembers and not head.interrupted:
        images = problem.train.images
        rows = sample(images, MOST_IMAGES, problem.seed)
        group = np.asarray(images.together(), np.int64) if problem.folds is None else found.group
        part = arrays[0] if len(rows) == len(images) else arrays[0][rows]
        memory = remembered(
            part, head.mean, head.scale, images, rows, group[rows], network.deepest, problem.seed
        ).arrays()
    trained = {f"{network.classifier}_weight": head.weight, f"{network.classifier}_bias": head.bias}
    return replace(network, params={**network.params, **trained}), row, head.interrupted, unseen, memory


def trainable_parameters(network: Network, phase: Phase) -> frozenset[str]:
    """The parameters that a phase trains, BatchNorm's statistics among them where they may move: not in the tail.

    The tail is what follows the last resolution stage but one of the body.
    """
    auxiliary = set(network.graph.auxiliary)
    free = {name for name in network.params if name not in network.frozen}
    if phase.name == "all":
        return frozenset(free)
    stage_ends = network.stages[:-1]
    if not stage_ends:
        return frozenset(free - auxiliary)
    tail = {stage_ends[-1]}
    chosen: set[str] = set()
    for node in network.graph.nodes:
        sources = {name for name, _ in node.inputs}
        if sources & tail:
            tail.add(node.name)
            chosen |= sources & free
    return frozenset(chosen - auxiliary)


_HEAD_FEATURES = 32  # as many of them learn at the full rate


class LayerTraining:
    """A phase that trains layers, epoch by epoch. What is not trained is fused and only computed forward.

    Numbers are trained in units of their spread, so that a learning rate means the same in millimetres and miles.

    Parameters
    ----------
    number
        Of the phase, from 0: batches depend on the seed, on it and on the epoch, and on nothing else.
    """

    def __init__(self, network: Network, problem: Problem, phase: Phase, number: int) -> None:
        self._problem, self._phase, self._number = problem, phase, number
        trainable = trainable_parameters(network, phase)
        if number:  # the head was fitted to outputs under these statistics
            trainable -= set(network.graph.auxiliary)
        front, rest = partition(network.main.graph, trainable)
        frozen, params = _of(front, network), _of(rest, network)
        pictures = {network.input: picture_input(network)}
        self._data = network.input
        self._front = problem.layers.bind(Program(front, frozen, pictures)) if front.heads else None
        self._room = KEPT_BYTES if frozen else 0  # for a frozen front's outputs; without weights they are cheap
        self._cuts = [name for name in rest.inputs if name != self._data]
        shapes = [network.shapes[name][output][1:] for name, output in front.heads]
        inputs = {**pictures, **{cut: InputSpec(shape) for cut, shape in zip(self._cuts, shapes)}}
        self._inputs = {name: inputs[name] for name in rest.arguments if name not in params}
        self._head = (f"{network.classifier}_weight", f"{network.classifier}_bias")
        head_multiplier = phase.head_lr_multiplier or _head_lr_multiplier(network.params[self._head[0]].shape[1])
        optimiser = AdamW({self._head[0]: head_multiplier} if number else {}, phase.weight_decay)
        if number:  # initial values of a head are in units of the spread already
            params = self._in_units(problem.loss.standardised_layer, params)
        program = Program(rest, params, self._inputs, frozenset(trainable & params.keys()), optimiser, problem.seed)
        self._executor = problem.layers.bind(program)
        for executor in (self._executor, self._front):
            if executor is not None:
                executor.expect(len(problem.train) * phase.epochs)
        self._front_state = {} if self._front is None else self._front.state()
        self._validation: Optional[list[dict[str, Array]]] = None

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return -(-len(self._problem.train) // self._phase.batch_size)

    def epoch(self, epoch: int) -> Row:
        """Train one epoch, counted from 0, and return its row of the history.

        Raises
        ------
        TrainingError
            The loss or a weight is not a finite number.
        """
        problem, phase = self._problem, self._phase
        reporter = progress.current()
        total, lr = 0.0, 0.0
        key = (problem.seed, self._number, epoch)
        parts = list(shuffled(len(problem.train), phase.batch_size, key))
        batches = problem.train.augmented_batches([rows for rows, _ in parts], self._number * 100_000 + epoch)
        targets = problem.loss.standardise(problem.targets(problem.train))
        loss = problem.loss.standardised().smoothed(phase.smoothing)
        reporter.event(
            "start", title=f"{phase.name} {epoch + 1}/{phase.epochs}", total=len(problem.train), unit="images"
        )
        try:
            for step, ((rows, counts), batch) in enumerate(zip(parts, batches)):
                lr = phase.lr_at(epoch * self.steps + step, self.steps * phase.epochs)
                value = self._executor.step(self._crossing(batch), targets[rows], counts, loss, lr)
                self._check_finite(value, epoch)
                total += value * float(counts.sum())
                reporter.event("advance", n=int(counts.sum()), loss=value)
        finally:
            batches.close()
            reporter.event("end")
        row: Row = {"stage": phase.name, "epoch": epoch + 1, "train_loss": total / len(problem.train), "lr": lr}
        if problem.validation is not None:
            row |= problem.score(problem.loss.own_units(self._validation_outputs(problem.validation)))
        self._check_finite(row.get("valid_loss", 0.0), epoch)
        if not all(np.isfinite(array).all() for array in self.parameters().values()):
            self._check_finite(float("nan"), epoch)
        return row

    def _check_finite(self, loss: float, epoch: int) -> None:
        if not np.isfinite(loss):
            raise TrainingError(
                f"The loss became {loss} in epoch {epoch + 1} of the phase {self._phase.name}.",
                hint=f"Use a lower learning rate than lr = {self._phase.lr:g}.",
            )

    def parameters(self, state: Optional[Mapping[str, Array]] = None) -> dict[str, NDArray[np.float32]]:
        """What is trained, as it is now; or as it was in that state, from which training then goes on."""
        if state is not None:
            self._executor.restore(state)
        return self._in_units(self._problem.loss.layer_in_own_units, self._executor.parameters())

    def state(self) -> dict[str, Array]:
        """What the next step depends on."""
        return self._executor.state()

    def restore(self, state: Mapping[str, Array]) -> None:
        """Continue from what `state` gave, also where processes were lost."""
        self._executor.restore(state)
        if self._front is not None:
            self._front.restore(self._front_state)

    def _in_units(
        self, converted: Callable[[Array, Array], tuple[Array, Array]], params: dict[str, NDArray[np.float32]]
    ) -> dict[str, NDArray[np.float32]]:
        """Parameters with the head in other units."""
        weight, bias = self._head
        if not {weight, bias} <= params.keys():
            return params
        return {**params, **dict(zip(self._head, converted(params[weight], params[bias])))}

    def _crossing(self, batch: Array) -> dict[str, Array]:
        """What the trained part takes: the frozen part's outputs for the batch, or the batch itself."""
        named = {self._data: batch}
        if self._front is not None:
            outputs = self._front.predict(batch)
            named.update(zip(self._cuts, outputs if isinstance(outputs, list) else [outputs]))
        return {name: named[name] for name in self._inputs}

    def _validation_outputs(self, validation: Loader) -> Array:
        """The outputs for the validation images. The frozen part's are kept, where they are small."""
        if self._validation is not None:
            return np.concatenate([self._executor.predict(batch) for batch in self._validation])
        outputs, kept, room = [], [], self._room
        for _, pictures in validation.eval_batches(self._phase.batch_size):
            batch = self._crossing(pictures)
            outputs.append(self._executor.predict(batch))
            room -= sum(array.nbytes for array in batch.values())
            if room > 0:
                kept.append(batch)
            else:
                kept.clear()
        self._validation = kept or None
        return np.concatenate(outputs)


def shuffled(pictures: int, size: int, key: tuple[int, ...]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Rows of each batch of an epoch, (size,), and how much each counts: the same for the same ``key``.

    The last batch is filled up with images that count 0.
    """
    order = np.random.default_rng(key).permutation(pictures)
    for start in range(0, pictures, size):
        rows = order[start : start + size]
        counts = np.zeros(size)
        counts[: len(rows)] = 1
        yield np.concatenate([rows, order[: size - len(rows)]]), counts


def _head_lr_multiplier(features: int) -> float:
    """A factor on the learning rate of a head that is trained already.

    A step of AdamW changes every weight by about the learning rate, and so each logit by that times the number of
    features: some thousands of them would undo in one step what the head has learned.
    """
    return min(1.0, _HEAD_FEATURES / features)


def _of(graph: Any, network: Network) -> dict[str, NDArray[np.float32]]:
    return {name: array for name, array in network.params.items() if name in graph}
