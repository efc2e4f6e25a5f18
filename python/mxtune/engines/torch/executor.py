"""A program bound to devices by PyTorch: it predicts a batch, takes a training step, returns parameters."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ...errors import EngineError
from ...words import shape_text
from ..base import Batch, InputSpec, Program
from ..devices import Device
from ..passes import Pass, applied, freeze_statistics
from .load import load
from .losses import mean_loss
from .operators import Run
from .optimiser import Stepper
from .runner import Runner

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...tasks.losses import Loss

    Array = NDArray[Any]

_ALONE = threading.RLock()  # networks that compute at once would only take the CPUs from one another
_NOTHING = np.empty(0, np.float32)


class TorchExecutor:
    """See `mxtune.engines.base.Executor`.

    Parameters
    ----------
    program
        What to run.
    devices
        Where to run. More than one: each takes its share of every batch.
    passes
        What rewrites the program first.

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

    def __init__(self, program: Program, devices: Sequence[Device], passes: Sequence[Pass] = ()) -> None:
        load()
        self._inputs = {n: program.inputs[n] for n in program.graph.arguments if n not in program.params}
        self._seed = program.seed
        program, self._undo = applied(program, (freeze_statistics, *passes))
        graph, self._trainable = program.graph, program.trainable
        self._dropout = any(node.has_role("dropout") for node in graph.nodes)
        self._runner = Runner(graph)
        self._devices = [_device(device) for device in devices]
        names = [name for name in (*graph.arguments, *graph.auxiliary) if name not in self._inputs]
        self._learned = [name for name in graph.arguments if name in self._trainable]
        with _own_settings():
            self._arrays = [
                {name: _parameter(program.params[name], device, name in self._learned) for name in names}
                for device in self._devices
            ]
            first = {name: self._arrays[0][name].detach() for name in self._learned}
            self._stepper = Stepper(program.optimiser, first)

    def predict(self, batch: Batch) -> Any:
        """The heads for a batch; see `Executor.predict`."""
        named = self._named(batch)
        load()  # which refuses a forked process, where threads of the parent are missing
        with _running("run"), torch.no_grad():
            shares = self._forward(named, [Run() for _ in self._devices])
            outputs = [_array(torch.cat([share[h].to("cpu") for share in shares])) for h in range(len(shares[0]))]
        return outputs[0] if len(outputs) == 1 else outputs

    def step(self, batch: Batch, targets: Array, counts: Array, loss: Loss, lr: float) -> float:
        """Train on a batch and return its loss; see `Executor.step`."""
        named = self._named(batch)
        load()
        with _running("train"):
            runs = [Run(True, self._generator(device)) for device in self._devices]
            shares = self._forward(named, runs)
            outputs = torch.cat([share[0].to(self._devices[0]) for share in shares])
            value = mean_loss(loss, outputs, targets, counts)
            gradients = self._gradients(value, len(shares))
            number = float(value.detach())
            if np.isfinite(number):  # otherwise the caller keeps the last good weights
                self._update(gradients, runs[0], lr)
            return number

    def gradient(self, batch: Batch, weights: Array) -> dict[str, NDArray[np.float32]]:
        """The gradient with respect to each input of floats; see `Executor.gradient`. On the first device alone."""
        named = self._named(batch)
        wanted = [name for name, spec in self._inputs.items() if not spec.mean]
        if not wanted:
            raise EngineError(
                "There is no gradient with respect to images of 8 bits.", [f"{name}: uint8" for name in self._inputs]
            )
        load()
        with _running("take the gradient of"):
            data = {name: _input(spec, named[name], self._devices[0]) for name, spec in self._inputs.items()}
            for name in wanted:
                data[name].requires_grad_()
            weights = np.asarray(weights)
            head = self._runner({**self._arrays[0], **data}, Run())[0]
            if weights.shape != head.shape:
                raise EngineError(
                    f"The gradient takes weights of {shape_text(tuple(head.shape))}.",
                    [f"they are {shape_text(weights.shape)}"],
                )
            if not head.requires_grad:
                return {name: np.zeros(named[name].shape, np.float32) for name in wanted}
            seed = _tensor(weights.astype(np.float32)).to(head.device)
            found = torch.autograd.grad(head, [data[name] for name in wanted], seed, materialize_grads=True)
            return {name: _array(gradient) for name, gradient in zip(wanted, found)}

    def parameters(self) -> dict[str, NDArray[np.float32]]:
        """What is trainable, as the program names it; see `Executor.parameters`."""
        return dict(self._undo(self._weights()))

    def _weights(self) -> dict[str, NDArray[np.float32]]:
        return {name: _array(tensor) for name, tensor in self._arrays[0].items() if name in self._trainable}

    def state(self) -> dict[str, Array]:
        """All that the next step depends on; see `Executor.state`."""
        arrays: dict[str, Array] = {f"weight:{name}": value for name, value in self._weights().items()}
        arrays.update({f"mean:{name}": _array(tensor) for name, tensor in self._stepper.mean.items()})
        arrays.update({f"var:{name}": _array(tensor) for name, tensor in self._stepper.var.items()})
        arrays["steps"] = np.array([self._stepper.steps], dtype=np.int64)
        return arrays

    def restore(self, state: Mapping[str, Array]) -> None:
        """Continue from what `state` gave."""
        load()
        with _own_settings(), torch.no_grad():
            self._stepper.steps = int(state["steps"][0])
            for name in self._learned:
                self._stepper.mean[name].copy_(_tensor(state[f"mean:{name}"]))
                self._stepper.var[name].copy_(_tensor(state[f"var:{name}"]))
            for arrays in self._arrays:
                for name in self._trainable & arrays.keys():
                    arrays[name].copy_(_tensor(state[f"weight:{name}"]))

    def _named(self, batch: Batch) -> dict[str, Array]:
        """The rows of every input, checked."""
        named = batch if isinstance(batch, Mapping) else dict.fromkeys(list(self._inputs)[:1], batch)
        rows = {name: spec.checked(name, named.get(name, _NOTHING)) for name, spec in self._inputs.items()}
        if len({len(array) for array in rows.values()}) > 1:
            raise EngineError(
                "The inputs of a batch have different numbers of rows.",
                [f"{name}: {len(array)}" for name, array in rows.items()],
            )
        return rows

    def _forward(self, batch: Mapping[str, Array], runs: Sequence[Run]) -> list[list[Tensor]]:
        """The heads of each device's share; fewer devices take part where there are fewer rows."""
        used = min(len(self._devices), len(next(iter(batch.values()))))
        shares = [dict(zip(batch, parts)) for parts in zip(*(np.array_split(rows, used) for rows in batch.values()))]
        heads = []
        for arrays, device, share, run in zip(self._arrays, self._devices, shares, runs):
            data = {name: _input(self._inputs[name], part, device) for name, part in share.items()}
            heads.append(self._runner({**arrays, **data}, run))
        return heads

    def _generator(self, device: torch.device) -> Any:
        """What dropout draws from: a function of the seed and the step alone, so that a resumed run draws the same."""
        if not self._dropout:
            return None
        generator = torch.Generator(device)
        generator.manual_seed((self._seed * 1_000_003 + self._stepper.steps) % 2**31)
        return generator

    def _gradients(self, value: Tensor, used: int) -> dict[str, Tensor]:
        """The gradient by each parameter, summed over the devices that took part, on the first one."""
        learned = [self._arrays[place][name] for place in range(used) for name in self._learned]
        if not learned or not value.requires_grad:
            return {name: torch.zeros_like(self._arrays[0][name]) for name in self._learned}
        found = torch.autograd.grad(value, learned, materialize_grads=True)
        names = len(self._learned)
        sums = list(found[:names])
        for start in range(names, len(found), names):
            sums = [one + other.to(one.device) for one, other in zip(sums, found[start : start + names])]
        return dict(zip(self._learned, sums))

    def _update(self, gradients: Mapping[str, Tensor], run: Run, lr: float) -> None:
        """One step on the first device; the others then copy its weights."""
        with torch.no_grad():
            for array, moved in run.moved:
                array.copy_(moved)
            self._stepper.step(gradients, lr)
            for arrays in self._arrays[1:]:
                for name in self._trainable & arrays.keys():
                    arrays[name].copy_(self._arrays[0][name])


@contextlib.contextmanager
def _running(verb: str) -> Iterator[None]:
    with _ALONE, _own_settings():
        try:
            yield
        except RuntimeError as error:
            raise EngineError(f"PyTorch failed to {verb} the network.", [str(error).strip().splitlines()[0]]) from error


@contextlib.contextmanager
def _own_settings() -> Iterator[None]:
    """Inside, the user's modes of PyTorch, which hold for a thread, do not."""
    with torch.inference_mode(False), torch.enable_grad(), torch.autocast("cpu", enabled=False):
        yield


def _device(device: Device) -> torch.device:
    return torch.device("cpu") if device.kind == "cpu" else torch.device("cuda", device.index)


def _tensor(array: Array) -> Tensor:
    """An array as a tensor on the CPU that may share its memory."""
    array = np.require(array, requirements="C")
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def _parameter(array: Array, device: torch.device, learned: bool) -> Tensor:
    """A copy of a parameter on a device; kernels in the layout of the maps."""
    tensor = torch.from_numpy(np.array(array, np.float32)).to(device)
    if tensor.ndim == 4:
        tensor = tensor.contiguous(memory_format=torch.channels_last)
    return tensor.requires_grad_(learned)


def _input(spec: InputSpec, rows: Array, device: torch.device) -> Tensor:
    """Rows as the graph takes them: of images, (N, C, H, W) normalised on the device, with channels last in memory."""
    tensor = _tensor(rows).to(device)
    if not spec.mean:
        return tensor
    maps = tensor.permute(0, 3, 1, 2).to(torch.float32)
    mean = torch.tensor(spec.mean, dtype=torch.float32, device=device).view(-1, 1, 1)
    factor = torch.from_numpy(np.array([np.float32(1 / scale) for scale in spec.std])).to(device).view(-1, 1, 1)
    return maps.sub_(mean).mul_(factor)


def _array(tensor: Tensor) -> NDArray[np.float32]:
    """A copy of a tensor."""
    return np.array(tensor.detach().to("cpu").contiguous().numpy())
