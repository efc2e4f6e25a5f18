"""An Executor is a network bound to a device: it predicts a batch, takes a training step, gives parameters back.

Above it there are only NumPy arrays. Another engine is another class with these methods.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np

from ...errors import EngineError
from ...graph import Graph, to_json
from . import load
from .devices import Device
from .passes.compile import even_kernels, frozen_statistics, fusible, quick_clip

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Batch = Union[Array, Mapping[str, Array]]
    Loss = Callable[[Array], tuple[float, Array]]

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8
_CPU = (Device("cpu", 0),)
_WEIGHT = "weight:"
_ALONE = threading.RLock()  # MXNet's operators share their scratch memory, and run in the thread that asks


class Executor:
    """A graph with its parameters, ready to run.

    Parameters
    ----------
    graph
        Its data variables are what a batch gives; its heads are what `predict` returns.
    params
        An array for every other variable.
    devices
        Where to run. More than one: each takes its share of every batch.
    trainable
        Parameters, and BatchNorm statistics, that `step` changes. With none, the network is fused for inference.
    decay
        Weight decay of AdamW (Loshchilov & Hutter, 2019) for weights; biases and BatchNorm have none.
    rates
        For some parameters, a factor on the learning rate.
    seed
        Of dropout.

    Examples
    --------
    >>> import numpy as np
    >>> from mxtune.graph import Builder
    >>> b = Builder()
    >>> graph = b.graph(b.dense(b.data(), "fc", 2))
    >>> params = {"fc_weight": np.eye(2, dtype="float32"), "fc_bias": np.zeros(2, "float32")}
    >>> Executor(graph, params).predict(np.array([[1, 2]], "float32"))
    array([[1., 2.]], dtype=float32)
    """

    def __init__(
        self,
        graph: Graph,
        params: Mapping[str, Array],
        devices: Sequence[Device] = _CPU,
        trainable: Collection[str] = (),
        decay: float = 0.0,
        rates: Optional[Mapping[str, float]] = None,
        seed: int = 0,
    ) -> None:
        mx = self._mx = load()
        self._trainable = frozenset(trainable)
        self._decay, self._rates, self._seed = decay, rates or {}, seed
        self._steps = 0
        graph, params = even_kernels(frozen_statistics(graph, self._trainable), params, self._trainable)
        graph = fusible(quick_clip(graph) if self._trainable else graph)
        self._inputs = tuple(name for name in graph.arguments if name not in params)
        self._arguments, self._auxiliary = graph.arguments, graph.auxiliary
        self._heads = len(graph.heads)
        self._dropout = any(node.op == "Dropout" for node in graph.nodes)
        self._contexts = [mx.gpu(d.index) if d.kind == "gpu" else mx.cpu(d.index) for d in devices]
        self._symbol = mx.sym.load_json(to_json(graph))
        if not self._trainable and all(d.kind == "cpu" for d in devices):
            self._symbol = self._fused(self._symbol)
        names = [n for n in (*self._arguments, *self._auxiliary) if n not in self._inputs]
        self._arrays = [
            {n: mx.nd.array(params[n], ctx=context, dtype="float32") for n in names} for context in self._contexts
        ]
        self._learned = [n for n in self._arguments if n in self._trainable]
        self._grads = [{n: mx.nd.zeros_like(arrays[n]) for n in self._learned} for arrays in self._arrays]
        self._mean = {n: mx.nd.zeros_like(self._arrays[0][n]) for n in self._learned}
        self._var = {n: mx.nd.zeros_like(self._arrays[0][n]) for n in self._learned}
        self._bound: dict[Any, Any] = {}

    @staticmethod
    def _fused(symbol: Any) -> Any:
        """The symbol with BatchNorm, ReLU and sums folded into the convolutions, where oneDNN is there."""
        try:
            return symbol.get_backend_symbol("MKLDNN")
        except Exception:  # noqa: BLE001 - a build without oneDNN runs the graph as it is
            return symbol

    def predict(self, batch: Batch) -> Any:
        """The heads for a batch: (N, ...) float32, or a list of them where the graph has several.

        Parameters
        ----------
        batch
            (N, ...) float32 for the only input, or an array by input name.
        """
        named = self._named(batch)
        with _ALONE:
            outputs = self._forward(named, train=False)
        return outputs[0] if self._heads == 1 else outputs

    def step(self, batch: Batch, loss: Loss, rate: float) -> float:
        """Train on a batch and return its loss.

        Parameters
        ----------
        batch
            As for `predict`.
        loss
            From the outputs (N, K) to the loss and its gradient by the outputs, (N, K).
        rate
            The learning rate of this step.
        """
        with _ALONE:
            return self._step(self._named(batch), loss, rate)

    def _step(self, batch: dict[str, Array], loss: Loss, rate: float) -> float:
        if self._dropout:  # a function of the step alone, so that a resumed run draws the same
            self._mx.random.seed((self._seed * 1_000_003 + self._steps) % 2**31)
        outputs = self._forward(batch, train=True)[0]
        value, gradient = loss(outputs)
        if not np.isfinite(value):
            return float(value)  # nothing was changed yet: the caller still has the last good weights
        shares = self._shares(gradient.astype(np.float32))
        for executor, context, part in zip(self._executors(len(outputs)), self._contexts, shares):
            executor.backward([self._mx.nd.array(part, ctx=context)])
        self._update(rate, len(shares))
        return float(value)

    def parameters(self) -> dict[str, NDArray[np.float32]]:
        """What is trainable, as it is now, by name."""
        return {name: array.asnumpy() for name, array in self._arrays[0].items() if name in self._trainable}

    def state(self) -> dict[str, Array]:
        """All that the next step depends on, for a checkpoint."""
        arrays = {_WEIGHT + name: value for name, value in self.parameters().items()}
        arrays.update({f"mean:{name}": value.asnumpy() for name, value in self._mean.items()})
        arrays.update({f"var:{name}": value.asnumpy() for name, value in self._var.items()})
        arrays["steps"] = np.array([self._steps], dtype=np.int64)
        return arrays

    def restore(self, state: Mapping[str, Array]) -> None:
        """Go on from what `state` gave."""
        self._steps = int(state["steps"][0])
        for name in self._learned:
            self._mean[name][:] = state[f"mean:{name}"]
            self._var[name][:] = state[f"var:{name}"]
        for arrays in self._arrays:
            for name in arrays:
                if name in self._trainable:
                    arrays[name][:] = state[_WEIGHT + name]

    def _named(self, batch: Batch) -> dict[str, Array]:
        named = batch if isinstance(batch, Mapping) else {self._inputs[0]: batch}
        wrong = [name for name in self._inputs if name not in named or len(named[name]) == 0]
        if wrong:
            raise EngineError("There is nothing to run the network on.", [f"{name}: nothing" for name in wrong])
        return {name: named[name] for name in self._inputs}

    def _shares(self, array: Array) -> list[Array]:
        """The rows for each device; fewer devices than there are where there are fewer rows."""
        return np.array_split(array, min(len(self._contexts), len(array)))

    def _forward(self, batch: dict[str, Array], train: bool) -> list[NDArray[np.float32]]:
        """Run a batch. In prediction it is filled up to a power of two, so that few sizes are ever planned."""
        mx = load()  # which refuses a forked process
        count = len(next(iter(batch.values())))
        rows = count if train else max(len(self._contexts), 1 << max(0, count - 1).bit_length())
        try:
            executors = self._executors(rows, batch)
            shares = {name: self._shares(_filled(array, rows)) for name, array in batch.items()}
            for place, executor in enumerate(executors):
                for name, parts in shares.items():
                    executor.arg_dict[name][:] = parts[place]
                executor.forward(is_train=train)
            heads = [[executor.outputs[h].asnumpy() for executor in executors] for h in range(self._heads)]
        except mx.MXNetError as error:
            raise EngineError("MXNet failed to run the network.", [_first_line(error)]) from error
        return [(parts[0] if len(parts) == 1 else np.concatenate(parts))[:count] for parts in heads]

    def _executors(self, rows: int, batch: Optional[Mapping[str, Array]] = None) -> list[Any]:
        """One executor of MXNet a device for a batch of so many rows, planned at its first use."""
        if batch is None:
            return list(self._bound[rows])
        if rows not in self._bound:
            self._bound[rows] = [
                self._bind(place, {name: (size, *array.shape[1:]) for name, array in batch.items()})
                for place, size in enumerate(len(part) for part in self._shares(np.empty(rows)))
            ]
        found = self._bound[rows]
        if any(found[0].arg_dict[name].shape[1:] != array.shape[1:] for name, array in batch.items()):
            del self._bound[rows]
            return self._executors(rows, batch)
        return list(found)

    def _bind(self, place: int, shapes: Mapping[str, tuple[int, ...]]) -> Any:
        mx, context, arrays = self._mx, self._contexts[place], self._arrays[place]
        data = {name: mx.nd.zeros(shape, ctx=context) for name, shape in shapes.items()}
        return self._symbol.bind(
            context,
            args={n: data[n] if n in data else arrays[n] for n in self._arguments},
            args_grad=self._grads[place],
            grad_req={n: "write" if n in self._grads[place] else "null" for n in self._arguments},
            aux_states={n: arrays[n] for n in self._auxiliary},
        )

    def _update(self, rate: float, devices: int) -> None:
        """One step of AdamW by the gradients of so many devices, on the first one; the others then take its weights."""
        nd = self._mx.nd
        self._steps += 1
        correction = np.sqrt(1 - _BETA2**self._steps) / (1 - _BETA1**self._steps)
        first = self._arrays[0]
        for name in self._learned:
            weight, gradient = first[name], self._grads[0][name]
            for other in self._grads[1:devices]:
                gradient += other[name].as_in_context(gradient.context)
            own_rate = rate * self._rates.get(name, 1.0)
            if self._decay and weight.ndim > 1:
                weight *= 1 - own_rate * self._decay
            nd.adam_update(
                weight,
                gradient,
                self._mean[name],
                self._var[name],
                lr=own_rate * correction,
                beta1=_BETA1,
                beta2=_BETA2,
                epsilon=_EPSILON,
                out=weight,
            )
        for arrays in self._arrays[1:]:
            for name in self._trainable & arrays.keys():
                first[name].copyto(arrays[name])


def _filled(array: Array, rows: int) -> Array:
    """The batch with its first row repeated behind it up to so many rows."""
    if len(array) == rows:
        return array
    return np.concatenate([array, np.repeat(array[:1], rows - len(array), axis=0)])


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if "Error in operator" in line or "Check failed" in line] or lines[:1]
    place = r"(MXNetError: )|(\[[\d:]+\] )|(\S+\.(cc|h):\d+: )"  # when, and where in MXNet's source
    return re.sub(place, "", told[0]) if told else type(error).__name__


def weights(state: Mapping[str, Array]) -> dict[str, NDArray[np.float32]]:
    """The trained parameters in what `Executor.state` gave."""
    return {name[len(_WEIGHT) :]: array for name, array in state.items() if name.startswith(_WEIGHT)}
