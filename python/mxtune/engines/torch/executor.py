"""A program bound to devices by PyTorch: it predicts a batch, takes a training step, returns parameters."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional, TypeVar

import numpy as np
import torch
from torch import Tensor

from ...errors import EngineError
from ...words import shape_text
from ..base import ROWS, Batch, Program, named_rows
from ..devices import Device
from ..passes import Pass, applied, freeze_statistics
from . import memory
from .arrays import Scale, array_of, parameter_of, tensor_of
from .compiling import Compiling, can_compile
from .gpus import build
from .load import load
from .losses import Goal, weighted_loss
from .operators import Run
from .optimiser import Stepper
from .runner import Runner, rows_at_once
from .settings import own_settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...tasks.losses import Loss

    Array = NDArray[Any]

_ALONE = threading.RLock()  # networks that compute at once would only take the CPUs from one another
_Result = TypeVar("_Result")


class Part(NamedTuple):
    """The rows of a batch that one device computes at once."""

    place: int
    rows: slice


class Gradients:
    """Gradients, and what BatchNorms moved, summed over the parts of a batch on the first device."""

    def __init__(self) -> None:
        self.parts = 0
        self.gradients: list[Tensor] = []
        self.moved: list[tuple[Tensor, Tensor]] = []

    def add(self, gradients: Sequence[Tensor], run: Run) -> None:
        """Those of one more part."""
        self.parts += 1
        if self.parts == 1:
            self.gradients, self.moved = list(gradients), run.moved
            return
        self.gradients = [one + more.to(one.device) for one, more in zip(self.gradients, gradients)]
        self.moved = [(to, one + more.to(one.device)) for (to, one), (_, more) in zip(self.moved, run.moved)]


class TorchExecutor:
    """See `mxtune.engines.base.Executor`.

    Where a GPU's memory does not hold a batch, it is computed in parts, from then on: the gradients of a step are
    summed, so that only BatchNorms in training see fewer rows at once.

    Parameters
    ----------
    program
        What to run.
    devices
        Where to run. More than one: each takes its share of every batch.
    passes
        What rewrites the program first. With none, nothing is fused either, for comparison.
    precision
        One of `settings.KINDS`.

    Examples
    --------
    >>> from mxtune.engines import Device, InputSpec
    >>> from mxtune.graph import Builder
    >>> b = Builder()
    >>> graph = b.graph(b.dense(b.data(), "fc", 2))
    >>> params = {"fc_weight": np.eye(2, dtype="float32"), "fc_bias": np.zeros(2, "float32")}
    >>> executor = TorchExecutor(Program(graph, params, {"data": InputSpec((2,))}), [Device("cpu")])
    >>> executor.predict(np.array([[1, 2]], "float32"))
    array([[1., 2.]], dtype=float32)
    """

    def __init__(
        self, program: Program, devices: Sequence[Device], passes: Sequence[Pass] = (), precision: str = "float32"
    ) -> None:
        load()
        self._inputs = {n: program.inputs[n] for n in program.graph.arguments if n not in program.params}
        self._seed, self._precision, self._deterministic = program.seed, precision, program.deterministic
        program, self._undo = applied(program, (freeze_statistics, *passes))
        graph, self._trainable = program.graph, program.trainable
        dropouts = [node for node in graph.nodes if node.has_role("dropout")]
        self._dropout = bool(dropouts)
        self._runner = Runner(graph, fuses=bool(passes))
        self._devices = [_device(device) for device in devices]
        learns = bool(self._trainable)
        # what is compiled is decided by the clock, and may round otherwise; dropout draws from a generator of its own
        draws = any(node.values.p > 0 and (learns or node.values.mode == "always") for node in dropouts)
        able = bool(passes) and len(devices) == 1 and not (self._deterministic or draws)
        self._compiling = Compiling(self._runner, learns, precision, able and can_compile(self._devices[0]))
        self._pieces = 1  # in which each device computes its share
        self._fitting: Optional[int] = None  # rows, once it is known
        self._at_once = rows_at_once(program) if self._devices[0].type == "cpu" else None
        names = [name for name in (*graph.arguments, *graph.auxiliary) if name not in self._inputs]
        self._learned = [name for name in graph.arguments if name in self._trainable]
        with own_settings(self._devices[0].type):
            self._arrays = [
                {name: parameter_of(program.params[name], device, name in self._learned) for name in names}
                for device in self._devices
            ]
            self._scales = [{n: Scale(spec, device) for n, spec in self._inputs.items()} for device in self._devices]
            first = {name: self._arrays[0][name].detach() for name in self._learned}
            self._stepper = Stepper(program.optimiser, first)

    def predict(self, batch: Batch) -> Any:
        """The heads for a batch; see `Executor.predict`."""
        named = named_rows(self._inputs, batch)

        def whole(parts: Sequence[Part]) -> list[NDArray[np.float32]]:
            # dropout may draw in prediction, too
            runs = [Run(generator=self._generator(part.place, part.rows.start)) for part in parts]
            heads = [map(array_of, self._forward(named, part, run)) for part, run in zip(parts, runs)]
            return [np.concatenate(arrays) for arrays in zip(*heads)]

        with self._running("run"), torch.no_grad():
            before, start = self._memory(), time.perf_counter()
            outputs = self._in_parts(named, whole, self._at_once)
            self._compiling.took(len(outputs[0]), time.perf_counter() - start, training=False)
            if len(outputs[0]) >= ROWS:  # of fewer, what a kernel needs besides would count too much
                self._note_memory(before, len(outputs[0]))
        return outputs[0] if len(outputs) == 1 else outputs

    def rows(self, asked: int) -> int:
        """How many rows had best be predicted at once; see `Executor.rows`."""
        return self._fitting or asked if asked == ROWS else asked

    def expect(self, rows: int) -> None:
        """So many rows are to come; see `Executor.expect`."""
        self._compiling.expect(rows)

    def step(self, batch: Batch, targets: Array, counts: Array, loss: Loss, lr: float) -> float:
        """Train on a batch and return its loss; see `Executor.step`."""
        named = named_rows(self._inputs, batch)
        weights = loss.shares(targets, np.asarray(counts, np.float64))

        with self._running("train"):
            start = time.perf_counter()
            value, sums = self._learned_from(named, targets, weights, loss)
            if np.isfinite(value):  # otherwise the caller keeps the last good weights
                self._update(sums, lr)
            self._compiling.took(len(counts), time.perf_counter() - start, training=True)
            return value

    def _learned_from(
        self, batch: Mapping[str, Array], targets: Array, weights: Array, loss: Loss, first: int = 0
    ) -> tuple[float, Gradients]:
        """The loss of a batch, and its gradients.

        Targets and weights are of a batch of which these may be some rows, from ``first``.
        """

        def whole(parts: Sequence[Part]) -> tuple[float, Gradients]:
            sums, values = Gradients(), []
            for part in parts:
                rows = slice(first + part.rows.start, first + part.rows.stop)
                run = Run(True, self._generator(part.place), (rows.start, rows.stop, len(targets)))
                goal = Goal.of(loss, targets[rows], weights[rows], self._devices[part.place])
                value = weighted_loss(loss, self._forward(batch, part, run)[0], goal)
                sums.add(self._gradients(value, part.place), run)
                values.append(value.detach())
            return sum(map(float, values)), sums

        return self._in_parts(batch, whole)

    def gradient(self, batch: Batch, weights: Array) -> dict[str, NDArray[np.float32]]:
        """The gradient with respect to each input of floats; see `Executor.gradient`. On the first device alone."""
        named, weights = named_rows(self._inputs, batch), np.asarray(weights, np.float32)
        wanted = [name for name, spec in self._inputs.items() if not spec.mean]
        if not wanted:
            raise EngineError(
                "There is no gradient with respect to images of 8 bits.", [f"{name}: uint8" for name in self._inputs]
            )
        with self._running("take the gradient of"):
            data = {name: scale(named[name]) for name, scale in self._scales[0].items()}
            for name in wanted:
                data[name].requires_grad_()
            head = self._runner({**self._arrays[0], **data}, Run())[0]
            if weights.shape != head.shape:
                raise EngineError(
                    f"The gradient takes weights of {shape_text(tuple(head.shape))}.",
                    [f"they are {shape_text(weights.shape)}"],
                )
            if not head.requires_grad:
                return {name: np.zeros(named[name].shape, np.float32) for name in wanted}
            seed = tensor_of(weights).to(head.device, head.dtype)
            found = torch.autograd.grad(head, [data[name] for name in wanted], seed, materialize_grads=True)
            return {name: array_of(gradient) for name, gradient in zip(wanted, found)}

    def parameters(self) -> dict[str, NDArray[np.float32]]:
        """What is trainable, as the program names it; see `Executor.parameters`."""
        return dict(self._undo(self._weights()))

    def _weights(self) -> dict[str, NDArray[np.float32]]:
        return {name: array_of(tensor) for name, tensor in self._arrays[0].items() if name in self._trainable}

    def state(self) -> dict[str, Array]:
        """All that the next step depends on; see `Executor.state`."""
        arrays: dict[str, Array] = {f"weight:{name}": value for name, value in self._weights().items()}
        arrays.update({f"mean:{name}": array_of(tensor) for name, tensor in self._stepper.mean.items()})
        arrays.update({f"var:{name}": array_of(tensor) for name, tensor in self._stepper.var.items()})
        arrays["steps"] = np.array([self._stepper.steps], dtype=np.int64)
        return arrays

    def restore(self, state: Mapping[str, Array]) -> None:
        """Continue from what `state` gave."""
        with self._running("restore"), torch.no_grad():
            self._stepper.steps = int(state["steps"][0])
            for name in self._learned:
                self._stepper.mean[name].copy_(tensor_of(state[f"mean:{name}"]))
                self._stepper.var[name].copy_(tensor_of(state[f"var:{name}"]))
            for name in self._trainable & self._arrays[0].keys():
                self._arrays[0][name].copy_(tensor_of(state[f"weight:{name}"]))
            self._share_weights()

    @contextlib.contextmanager
    def _running(self, verb: str) -> Iterator[None]:
        load()  # which refuses a forked process, where threads of the parent are missing
        with _ALONE, own_settings(self._devices[0].type, self._precision, self._deterministic):
            try:
                yield
            except RuntimeError as error:
                first = str(error).strip().splitlines()[0]
                raise EngineError(f"PyTorch failed to {verb} the network.", [first]) from error

    def _in_parts(
        self, batch: Mapping[str, Array], whole: Callable[[Sequence[Part]], _Result], at_once: Optional[int] = None
    ) -> _Result:
        """What is computed of a batch in parts: of so many rows, and of fewer where a GPU's memory holds no more."""
        rows = len(next(iter(batch.values())))
        while True:
            try:
                return whole(self._parts(rows, at_once or rows))
            except torch.cuda.OutOfMemoryError:
                if self._pieces >= rows:
                    raise
            self._pieces *= 2  # here, where the exception holds no tensors any more
            if self._devices[0].type == "cuda":
                torch.cuda.empty_cache()

    def _memory(self) -> list[Optional[memory.Figures]]:
        """The figures of each device's memory, where they are wanted: what fits is found out once."""
        if self._fitting is not None or self._deterministic:  # which parts a batch has would decide last bits
            return [None]
        return [memory.figures(device) for device in self._devices]

    def _note_memory(self, before: Sequence[Optional[memory.Figures]], rows: int) -> None:
        """Note how many rows fit, by those that were computed since; each device had a share of them."""
        largest = max(part.rows.stop - part.rows.start for part in self._parts(rows, rows))
        pairs = zip(before, self._memory())
        found = [memory.rows_that_fit(largest, one, two) for one, two in pairs if one and two]
        if len(found) == len(self._devices):
            self._fitting = max(ROWS, min(found) * len(found))

    def _parts(self, rows: int, at_once: int) -> list[Part]:
        """The share of each device, in pieces; fewer devices take part where there are fewer rows."""
        used = min(len(self._devices), rows)
        pieces = max(self._pieces, -(-rows // (used * at_once)))
        ends = np.cumsum([len(share) for share in np.array_split(np.empty(rows), min(used * pieces, rows))])
        return [
            Part(number * used // len(ends), slice(int(start), int(end)))
            for number, (start, end) in enumerate(zip((0, *ends), ends))
        ]

    def _forward(self, batch: Mapping[str, Array], part: Part, run: Run) -> list[Tensor]:
        """The heads for a part of a batch."""
        data = {name: scale(batch[name][part.rows]) for name, scale in self._scales[part.place].items()}
        return self._compiling({**self._arrays[part.place], **data}, run, part.rows.stop - part.rows.start)

    def _generator(self, place: int, first: int = 0) -> Any:
        """What dropout draws from: seed, step and row decide it alone, so that a resumed run draws the same."""
        if not self._dropout:
            return None
        generator = torch.Generator(self._devices[place])
        generator.manual_seed((self._seed * 1_000_003 + self._stepper.steps + first * 7_919) % 2**31)
        return generator

    def _gradients(self, value: Tensor, place: int) -> list[Tensor]:
        """The gradient by each parameter that learns."""
        learned = [self._arrays[place][name] for name in self._learned]
        if not learned or not value.requires_grad:
            return [torch.zeros_like(tensor) for tensor in learned]
        return list(torch.autograd.grad(value, learned, materialize_grads=True))

    def _update(self, sums: Gradients, lr: float) -> None:
        """One step on the first device, by the gradients of all parts; the other devices then copy its weights."""
        with torch.no_grad():
            for array, value in sums.moved:
                array.copy_(value / sums.parts)
            self._stepper.step(dict(zip(self._learned, sums.gradients)), lr)
            self._share_weights()

    def _share_weights(self) -> None:
        for arrays in self._arrays[1:]:
            for name in self._trainable & arrays.keys():
                arrays[name].copy_(self._arrays[0][name])


def _device(device: Device) -> torch.device:
    """PyTorch's name for a device."""
    return torch.device("cpu") if device.kind == "cpu" else torch.device(build().backend or "cuda", device.index)
