"""A program in several processes, each of which has its share of every batch."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ...errors import EngineError
from ..base import Batch, LostProcessError, Program, named_rows
from ..devices import Device
from .processes import Processes
from .team import Start

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...tasks.losses import Loss

    Array = NDArray[Any]


class Replicas:
    """See `mxtune.engines.base.Executor`.

    It computes what the engine's executor does with these devices, in another order of sums. A process that ends or
    hangs makes every call an error, until `restore` starts them anew. What Ctrl-C came into is finished, or not begun.

    Parameters
    ----------
    program
        What to run.
    devices
        One for each process: the CPU, many times; or all GPUs.
    precision
        One of the engine's.
    passes
        Whether the program is rewritten first.
    start
        What starts the processes; without it they are of this machine.
    """

    engine: str

    def __init__(
        self,
        program: Program,
        devices: Sequence[Device],
        precision: str = "float32",
        passes: bool = True,
        start: Optional[Start] = None,
    ) -> None:
        self._inputs = {n: program.inputs[n] for n in program.graph.arguments if n not in program.params}
        self._bound = (self.engine, program, devices, precision, passes)
        self._start: Start = start or Processes
        self._processes = self._start(*self._bound)

    def _step(self, batch: Mapping[str, Array], targets: Array, shares: Array, loss: Loss, lr: float) -> float:
        """A step by all, with the share of each row in the loss; an error if one of them failed.

        Each part is a command, so that none ever waits for another; nothing of theirs has changed before the last one,
        which all do.
        """
        ask = self._processes.ask
        value = float(sum(ask("forward_share", targets, shares, loss, batch=batch)))
        if np.isfinite(value):  # otherwise the caller keeps the last good weights
            ask("backward_share")
            self._processes.sum()
            ask("move", lr)
        return value

    def predict(self, batch: Batch) -> Any:
        """The heads for a batch; see `Executor.predict`."""
        found = self._processes.ask("predict_share", batch=named_rows(self._inputs, batch))
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
        named, shares = named_rows(self._inputs, batch), loss.shares(targets, np.asarray(counts, np.float64))
        try:
            return self._step(named, targets, shares, loss, lr)
        except EngineError as error:
            self._processes.close(error)  # some may have taken the step
            raise

    def gradient(self, batch: Batch, weights: Array) -> dict[str, NDArray[np.float32]]:
        """The gradient with respect to each input of floats; see `Executor.gradient`. By the first process alone."""
        return dict(self._first("gradient", weights, batch=named_rows(self._inputs, batch)))

    def parameters(self) -> dict[str, NDArray[np.float32]]:
        """What is trainable, by its name; see `Executor.parameters`."""
        return dict(self._first("parameters"))

    def state(self) -> dict[str, Array]:
        """All that the next step depends on; see `Executor.state`."""
        return dict(self._first("state"))

    def restore(self, state: Mapping[str, Array]) -> None:
        """Continue from what `state` gave."""
        if not self._processes.lost:
            with contextlib.suppress(LostProcessError):  # as now is noticed, where a machine took others along
                self._processes.ask("restore", dict(state))
                return
        self._processes = self._start(*self._bound)
        self._processes.ask("restore", dict(state))

    def _first(self, name: str, *arguments: Any, **batch: Any) -> Any:
        return self._processes.ask(name, *arguments, every=False, **batch)[0]
