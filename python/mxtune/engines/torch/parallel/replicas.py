"""A program on several devices, each with a process of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ....errors import EngineError
from ...base import Batch, Program
from ...devices import Device
from ..executor import named_rows
from ..losses import shares
from .processes import Processes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....tasks.losses import Loss

    Array = NDArray[Any]


class Replicas:
    """See `mxtune.engines.base.Executor`.

    It computes what `TorchExecutor` does with these devices, in another order of sums. A process that ends or hangs
    makes every call an error, until `restore` starts them anew. After Ctrl-C in the middle of a step that is taken.

    Parameters
    ----------
    program
        What to run.
    devices
        All CPUs, for tests; or all GPUs of NVIDIA's or AMD's.
    precision
        One of `settings.KINDS`.
    passes
        Whether the program is rewritten first.
    """

    def __init__(
        self, program: Program, devices: Sequence[Device], precision: str = "float32", passes: bool = True
    ) -> None:
        self._inputs = {n: program.inputs[n] for n in program.graph.arguments if n not in program.params}
        self._bound = (program, devices, precision, passes)
        self._processes = Processes(*self._bound)

    def predict(self, batch: Batch) -> Any:
        """The heads for a batch; see `Executor.predict`."""
        found = self._processes.ask("predict", batch=named_rows(self._inputs, batch))
        parts = [one for one in found if one is not None]
        if isinstance(parts[0], list):
            return [np.concatenate(heads) for heads in zip(*parts)]
        return np.concatenate(parts)

    def rows(self, asked: int) -> int:
        """As many as asked for: validation has the batches of the training."""
        return asked

    def expect(self, rows: int) -> None:
        """Nothing is compiled: the processes would do so at different times, by their clocks."""

    def step(self, batch: Batch, targets: Array, counts: Array, loss: Loss, lr: float) -> float:
        """Train on a batch and return its loss; see `Executor.step`."""
        named, weights = named_rows(self._inputs, batch), shares(loss, targets, counts)
        try:
            return float(self._processes.ask("step", targets, weights, loss, lr, batch=named)[0])
        except EngineError as error:
            self._processes.close(error)  # some may have taken the step
            raise

    def gradient(self, batch: Batch, weights: Array) -> dict[str, NDArray[np.float32]]:
        """The gradient with respect to each input of floats; see `Executor.gradient`. On the first device alone."""
        return dict(self._processes.ask("gradient", weights, batch=named_rows(self._inputs, batch))[0])

    def parameters(self) -> dict[str, NDArray[np.float32]]:
        """What is trainable, by its name; see `Executor.parameters`."""
        return dict(self._processes.ask("parameters")[0])

    def state(self) -> dict[str, Array]:
        """All that the next step depends on; see `Executor.state`."""
        return dict(self._processes.ask("state")[0])

    def restore(self, state: Mapping[str, Array]) -> None:
        """Continue from what `state` gave."""
        if self._processes.lost:
            self._processes = Processes(*self._bound)
        self._processes.ask("restore", dict(state))
