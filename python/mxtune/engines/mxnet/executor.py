"""A program bound to devices by MXNet: it predicts a batch, takes a training step, returns parameters."""

from __future__ import annotations

import ctypes
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Optional

import numpy as np

from ...errors import EngineError
from ...graph import to_json
from ..base import Batch, InputSpec, Program, named_rows
from ..devices import Device
from ..passes import Pass, applied, freeze_statistics, largest_in
from ..threads import mxnet_threads
from . import side_by_side
from .gradient import InputGradient
from .int8 import quantised_symbol
from .load import load
from .masks import Masks
from .passes.align_channels import align_channels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...tasks.losses import Loss

    Array = NDArray[Any]

_ALONE = threading.RLock()  # MXNet's operators share their scratch memory, and run in the calling thread

_NEAR = 40_000_000
"""Bytes of the largest map of those rows that a CPU predicts at once: what the next layer reads is then in its cache.

In parts of 8 instead of batches of 32 images of 224 x 224, features of every stage took .92 of the time with
EfficientNet-Lite0, .87 with MobileNetV2, .95 with ResNet-50, on 2 CPUs with 32 MiB of L3 cache."""
_ROWS_EACH = 4  # of a thread, at least


class MXNetExecutor:
    """See `mxtune.engines.base.Executor`.

    Parameters
    ----------
    program
        What to run.
    devices
        Where to run. More than one: each takes its share of every batch.
    passes
        What rewrites the program first. With none, MXNet's fusion is off too, for comparison.
    int8
        Whether what is not in training is computed in int8, by the program's ranges.
    shared
        Whether the CPUs share the batches of a training, see `side_by_side`.

    Examples
    --------
    >>> from mxtune.engines import Device, InputSpec
    >>> from mxtune.graph import Builder
    >>> b = Builder()
    >>> graph = b.graph(b.dense(b.data(), "fc", 2))
    >>> params = {"fc_weight": np.eye(2, dtype="float32"), "fc_bias": np.zeros(2, "float32")}
    >>> executor = MXNetExecutor(Program(graph, params, {"data": InputSpec((2,))}), [Device("cpu")])
    >>> executor.predict(np.array([[1, 2]], "float32"))
    array([[1., 2.]], dtype=float32)
    """

    def __init__(
        self,
        program: Program,
        devices: Sequence[Device],
        passes: Sequence[Pass] = (),
        int8: bool = False,
        shared: bool = False,
    ) -> None:
        mx = self._mx = load()
        self._inputs = {n: program.inputs[n] for n in program.graph.arguments if n not in program.params}
        self._program = replace(program, inputs=self._inputs)  # as it came
        self._input_gradient: Optional[InputGradient] = None
        self._optimiser, self._seed, self._steps = program.optimiser, program.seed, 0
        at = passes.index(align_channels) if align_channels in passes else len(passes)
        program, self._undo = applied(program, (freeze_statistics, *passes[:at]))
        program, self._cut = applied(program, passes[at:])  # apart, so that a state is the same with them and without
        self._shared_masks, self._parts, self._fewest_rows = Masks(), 1, 0
        if shared:
            masks = Masks()
            masked, _ = masks.taken(program)
            self._parts = side_by_side.parts(masked)
            if self._parts > 1:
                program, self._shared_masks = masked, masks
                self._fewest_rows = side_by_side.fewest_rows(program)
        self._fed = {n: program.inputs[n] for n in program.graph.arguments if n not in program.params}
        graph, self._trainable = program.graph, program.trainable
        self._arguments, self._auxiliary = graph.arguments, graph.auxiliary
        self._heads = len(graph.heads)
        self._dropout = any(node.has_role("dropout") for node in self._program.graph.nodes)
        self._devices = len(devices)
        self._contexts = [mx.gpu(d.index) if d.kind == "gpu" else mx.cpu(d.index) for d in devices]
        self._symbol = mx.sym.load_json(to_json(graph))
        names = [n for n in (*self._arguments, *self._auxiliary) if n not in self._fed]
        self._arrays = [
            {n: mx.nd.array(program.params[n], ctx=context, dtype="float32") for n in names}
            for context in self._contexts
        ]
        self._learned = [n for n in self._arguments if n in self._trainable]
        self._int8 = int8 and not self._trainable
        if self._int8:
            self._symbol, quantised = quantised_symbol(self._symbol, self._arrays[0], program.ranges)
            self._arguments, self._auxiliary = self._symbol.list_arguments(), self._symbol.list_auxiliary_states()
            names = [n for n in (*self._arguments, *self._auxiliary) if n not in self._fed]
            self._arrays = [{n: quantised[n].as_in_context(context) for n in names} for context in self._contexts]
        # on a CPU MXNet fuses what it binds without a gradient: BatchNorm, ReLU and sums go into the convolutions
        derived = self._learned if passes or self._learned else names[:1]
        self._grads = [{n: mx.nd.zeros_like(arrays[n]) for n in derived} for arrays in self._arrays]
        self._mean = {n: mx.nd.zeros_like(self._arrays[0][n]) for n in self._learned}
        self._var = {n: mx.nd.zeros_like(self._arrays[0][n]) for n in self._learned}
        self._bound: dict[int, list[Any]] = {}  # by rows
        in_parts = passes and not self._trainable and [device.kind for device in devices] == ["cpu"]
        self._at_once = _rows_at_once(program, 1 if self._int8 else 4) if in_parts else None

    def predict(self, batch: Batch) -> Any:
        """The heads for a batch; see `Executor.predict`."""
        named = named_rows(self._inputs, batch)
        load()  # which refuses a forked process, where a lock taken in the parent would never be free
        with _ALONE:
            rows = len(next(iter(named.values())))
            outputs = self._in_parts({**named, **self._shared_masks.none(rows)})
        return outputs[0] if self._heads == 1 else outputs

    def rows(self, asked: int) -> int:
        """As many as were asked for; see `Executor.rows`."""
        return asked

    def expect(self, rows: int) -> None:
        """Nothing is prepared; see `Executor.expect`."""

    def step(self, batch: Batch, targets: Array, counts: Array, loss: Loss, lr: float) -> float:
        """Train on a batch and return its loss; see `Executor.step`."""
        named = named_rows(self._inputs, batch)
        load()
        with _ALONE:
            self._draw_anew()
            masks = self._shared_masks.drawn(self._mx, self._symbol, len(targets))
            outputs = self._forward({**named, **masks}, train=True)[0]
            value, gradient = loss(outputs.astype(np.float64), targets, counts)
            if np.isfinite(value):  # otherwise the caller keeps the last good weights
                self._backward(gradient.astype(np.float32))
                self._update(lr, self._used(len(outputs)))
            return float(value)

    def gradient(self, batch: Batch, weights: Array) -> dict[str, NDArray[np.float32]]:
        """The gradient with respect to each input of floats; see `Executor.gradient`. On the first device alone."""
        named = named_rows(self._inputs, batch)
        load()
        with _ALONE:
            try:
                if self._input_gradient is None:
                    params = {**self._program.params, **self.parameters()}
                    self._input_gradient = InputGradient(replace(self._program, params=params), self._contexts[0])
                return self._input_gradient(named, np.asarray(weights))
            except self._mx.MXNetError as error:
                raise EngineError("MXNet failed to take the gradient.", [_first_line(error)]) from error

    def parameters(self) -> dict[str, NDArray[np.float32]]:
        """What is trainable, as the program names it; see `Executor.parameters`."""
        return dict(self._undo(self._weights()))

    def _weights(self) -> dict[str, NDArray[np.float32]]:
        return self._of_program({n: array for n, array in self._arrays[0].items() if n in self._trainable})

    def _of_program(self, arrays: Mapping[str, Any]) -> dict[str, NDArray[np.float32]]:
        """MXNet's arrays for parameters, in NumPy, in the shapes that the parameters had before they were grown."""
        return dict(self._cut({name: array.asnumpy() for name, array in arrays.items()}))

    def state(self) -> dict[str, Array]:
        """All that the next step depends on; see `Executor.state`."""
        arrays: dict[str, Array] = {f"weight:{name}": value for name, value in self._weights().items()}
        arrays.update({f"mean:{name}": value for name, value in self._of_program(self._mean).items()})
        arrays.update({f"var:{name}": value for name, value in self._of_program(self._var).items()})
        arrays["steps"] = np.array([self._steps], dtype=np.int64)
        return arrays

    def restore(self, state: Mapping[str, Array]) -> None:
        """Continue from what `state` gave."""
        self._steps, self._input_gradient = int(state["steps"][0]), None
        for name in self._learned:
            self._set(self._mean[name], state[f"mean:{name}"])
            self._set(self._var[name], state[f"var:{name}"])
        for arrays in self._arrays:
            for name in self._trainable & arrays.keys():
                self._set(arrays[name], state[f"weight:{name}"])

    def _set(self, array: Any, value: Array) -> None:
        """Give an array of MXNet its values by way of another one: NumPy's can't get into oneDNN's layout."""
        value = np.pad(value, [(0, grown - own) for own, grown in zip(value.shape, array.shape)])
        self._mx.nd.array(value, dtype="float32").copyto(array)

    def _draw_anew(self) -> None:
        """Let dropout draw what is a function of the step alone, so that a resumed run draws the same."""
        if self._dropout:
            self._mx.random.seed((self._seed * 1_000_003 + self._steps) % 2**31)

    def _used(self, rows: int) -> int:
        """How many devices, or parts of one, take part in a batch: fewer than there are where there are few rows."""
        if self._parts > 1 and rows >= self._fewest_rows:
            return side_by_side.used(self._parts, rows)
        return min(self._devices, rows)

    def _shares(self, array: Array) -> list[Array]:
        """The rows for each device."""
        return np.array_split(array, self._used(len(array)))

    def _in_parts(self, batch: Mapping[str, Array]) -> list[NDArray[np.float32]]:
        """Predict a batch, in parts of one size where that is faster."""
        count, size = len(next(iter(batch.values()))), self._at_once
        if size is None or count <= size:
            return self._forward(batch, train=False)
        cuts = [{name: _filled(array[at : at + size], size) for name, array in batch.items()}
                for at in range(0, count, size)]  # fmt: skip
        parts = [self._forward(cut, train=False) for cut in cuts]
        return [np.concatenate(heads)[:count] for heads in zip(*parts)]

    def _forward(self, batch: Mapping[str, Array], train: bool) -> list[NDArray[np.float32]]:
        """Run a batch. In prediction it is filled up to a power of two, so that few sizes are ever planned."""
        mx, count = self._mx, len(next(iter(batch.values())))
        rows = count if train else max(self._devices, 1 << (count - 1).bit_length())
        try:
            executors = self._executors(rows)
            shares = zip(*(self._shares(_filled(array, rows)) for array in batch.values()))
            self._run([partial(self._run_forward, e, dict(zip(batch, s)), train) for e, s in zip(executors, shares)])
            heads = [[executor.outputs[h].asnumpy() for executor in executors] for h in range(self._heads)]
        except mx.MXNetError as error:
            raise EngineError("MXNet failed to run the network.", [_first_line(error)]) from error
        return [(parts[0] if len(parts) == 1 else np.concatenate(parts))[:count] for parts in heads]

    def _run_forward(self, executor: Any, rows: Mapping[str, Array], train: bool) -> None:
        for name, array in rows.items():
            self._fill(executor.arg_dict[name], self._fed[name], array)
        executor.forward(is_train=train)

    def _run(self, jobs: Sequence[Callable[[], None]]) -> None:
        """Run a job for each device, or part of a batch; devices compute while this thread goes on."""
        if len(jobs) > self._devices:
            side_by_side.run(jobs)
        else:
            for job in jobs:
                job()

    def _fill(self, array: Any, spec: InputSpec, rows: Array) -> None:
        """Write rows to an array of MXNet, on a CPU without a copy in between."""
        on_cpu = array.context.device_type == "cpu"
        memory = self._memory(array) if on_cpu else np.empty(array.shape, np.float32)
        spec.prepare(rows, memory)
        if not on_cpu:
            array[:] = memory

    def _memory(self, array: Any) -> NDArray[np.float32]:
        """The memory of an MXNet array on a CPU, to be written to."""
        base, pointer = self._mx.base, ctypes.POINTER(ctypes.c_float)()
        base.check_call(base._LIB.MXNDArrayWaitToWrite(array.handle))
        base.check_call(base._LIB.MXNDArrayGetData(array.handle, ctypes.byref(pointer)))
        return np.ctypeslib.as_array(pointer, array.shape)

    def _backward(self, gradient: NDArray[np.float32]) -> None:
        try:
            each = zip(self._executors(len(gradient)), self._contexts * self._parts, self._shares(gradient))
            self._run([partial(self._run_backward, *one) for one in each])
        except self._mx.MXNetError as error:
            raise EngineError("MXNet failed to train the network.", [_first_line(error)]) from error

    def _run_backward(self, executor: Any, context: Any, gradient: Array) -> None:
        executor.backward([self._mx.nd.array(gradient, ctx=context)])

    def _executors(self, rows: int) -> list[Any]:
        """One MXNet executor per device for a batch of this many rows, planned at its first use."""
        if rows not in self._bound:
            sizes = [len(share) for share in self._shares(np.empty(rows))]
            while len(self._arrays) < len(sizes):  # each part has its own: oneDNN orders them anew in place
                self._arrays.append({name: array.copy() for name, array in self._arrays[0].items()})
                self._grads.append({name: array.copy() for name, array in self._grads[0].items()})
            self._bound[rows] = [self._bind(place, size) for place, size in enumerate(sizes)]
        return self._bound[rows]

    def _bind(self, place: int, rows: int) -> Any:
        mx, arrays = self._mx, self._arrays[place]
        context = self._contexts[place % self._devices]
        if self._int8:  # its convolutions reorder weights in place, in an order that depends on the batch's size
            arrays = {name: array.copy() for name, array in arrays.items()}
        data = {name: mx.nd.zeros((rows, *spec.row), ctx=context) for name, spec in self._fed.items()}
        return self._symbol.bind(
            context,
            args={n: data[n] if n in data else arrays[n] for n in self._arguments},
            args_grad=self._grads[place],
            grad_req={n: "write" if n in self._grads[place] else "null" for n in self._arguments},
            aux_states={n: arrays[n] for n in self._auxiliary},
        )

    def _update(self, lr: float, devices: int) -> None:
        """One step of AdamW on the first device, by the gradients of all; the others then copy its weights."""
        nd, optimiser = self._mx.nd, self._optimiser
        self._steps, self._input_gradient = self._steps + 1, None  # it holds the parameters of before
        correction = np.sqrt(1 - optimiser.beta2**self._steps) / (1 - optimiser.beta1**self._steps)
        first = self._arrays[0]
        for name in self._learned:
            weight, gradient = first[name], self._grads[0][name]
            for other in self._grads[1:devices]:
                gradient += other[name].as_in_context(gradient.context)
            own_lr = lr * optimiser.lr_multipliers.get(name, 1.0)
            if optimiser.weight_decay and weight.ndim > 1:
                weight *= 1 - own_lr * optimiser.weight_decay
            nd.adam_update(
                weight,
                gradient,
                self._mean[name],
                self._var[name],
                lr=own_lr * correction,
                beta1=optimiser.beta1,
                beta2=optimiser.beta2,
                epsilon=optimiser.epsilon,
                out=weight,
            )
        for arrays in self._arrays[1:]:
            for name in self._trainable & arrays.keys():
                first[name].copyto(arrays[name])


def _filled(array: Array, rows: int) -> Array:
    """The batch, its first row repeated at the end up to this many rows."""
    if len(array) == rows:
        return array
    return np.concatenate([array, np.repeat(array[:1], rows - len(array), axis=0)])


def _rows_at_once(program: Program, itemsize: int) -> Optional[int]:
    """How many rows of a batch a CPU had best predict at once, a power of two; None where the shapes don't tell."""
    largest = largest_in(program)
    if largest is None:
        return None
    rows = max(_NEAR // (itemsize * largest), _ROWS_EACH * mxnet_threads(), 1)
    return 1 << (int(rows).bit_length() - 1)


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    faults = [line for line in lines if "Error in operator" in line or "Check failed" in line] or lines[:1]
    place = r"(MXNetError: )|(\[[\d:]+\] )|(\S+\.(cc|h):\d+: )"  # when, and where in MXNet's source
    return re.sub(place, "", faults[0]) if faults else type(error).__name__
