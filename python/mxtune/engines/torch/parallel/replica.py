"""`Replica`: the whole network on one of several devices, with its share of each batch and the step that all take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Optional

import numpy as np
import torch

from ..executor import Part, TorchExecutor
from ..losses import Goal, weighted_loss
from ..operators import Run
from ..passes import passes_for
from .exchange import Exchange
from .told import AloneError, Told

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....tasks.losses import Loss

    Array = NDArray[Any]


class Replica(TorchExecutor):
    """The program on one of several devices.

    Parameters
    ----------
    told
        What all are told.
    place
        Which of the devices is its own.
    """

    def __init__(self, told: Told, place: int) -> None:
        device = told.devices[place]
        super().__init__(told.program, [device], passes_for([device]) if told.passes else (), told.precision)
        self._place, self._many, self._first = place, len(told.devices), 0
        moving = sorted(self._trainable & self._arrays[0].keys() - {*self._learned})
        learned, moved = ([self._arrays[0][name] for name in names] for names in (self._learned, moving))
        self._exchange = Exchange(learned, moved, self._devices[0])

    def share(self, batch: Mapping[str, Array]) -> Optional[dict[str, Array]]:
        """The rows of a batch that are computed here; None where there are fewer rows than devices."""
        rows = len(next(iter(batch.values())))
        used = min(self._many, rows)
        if self._place >= used:
            return None
        mine = np.array_split(np.arange(rows), used)[self._place]
        self._first = int(mine[0])
        return {name: array[mine[0] : mine[-1] + 1] for name, array in batch.items()}

    def step_together(
        self, batch: Mapping[str, Array], targets: Array, weights: Array, loss: Loss, lr: float
    ) -> Optional[float]:
        """A step by all devices, each for its share of the batch: its loss; None where one of the others failed."""
        mine = self.share(batch)
        with self._running("train"):
            while True:
                value, short, failed = self._sums(mine, targets, weights, loss)
                if failed:
                    return None
                if not short:
                    break
                self._pieces *= 2
                if self._devices[0].type == "cuda":
                    torch.cuda.empty_cache()
            if np.isfinite(value):
                with torch.no_grad():
                    self._exchange.move()
                    self._stepper.step(dict(zip(self._learned, self._exchange.gradients)), lr)
            return value

    def _sums(
        self, mine: Optional[Mapping[str, Array]], targets: Array, weights: Array, loss: Loss
    ) -> tuple[float, bool, bool]:
        """See `Exchange.end`; an error of this device is raised, but for memory that would hold fewer rows at once."""
        error: Optional[Exception] = None
        rows = 0 if mine is None else len(next(iter(mine.values())))
        exchange = self._exchange
        with torch.no_grad():
            exchange.begin()
        try:
            parts = self._parts(rows, rows) if rows else []
            for part in parts:
                if part is parts[-1]:
                    exchange.last_part()
                run = Run(True, self._generator(part))
                there = slice(self._first + part.rows.start, self._first + part.rows.stop)
                goal = Goal.of(loss, targets[there], weights[there], self._devices[0])
                value = weighted_loss(loss, self._forward(mine or {}, part, run)[0], goal)
                self._gradients(value, 0)  # which the exchange gets one by one
                with torch.no_grad():
                    exchange.add(value.detach(), run.moved)
        except Exception as caught:  # noqa: BLE001 - the others must hear of it, whatever it is
            error = caught.with_traceback(None)  # its frames hold tensors
        short = isinstance(error, torch.cuda.OutOfMemoryError) and self._pieces < rows
        failed = error is not None and not short
        try:
            with torch.no_grad():
                sums = exchange.end(short, failed)
        except RuntimeError as caught:
            if not failed or exchange.broken:
                raise AloneError("PyTorch lost touch with the other devices.", [str(caught).splitlines()[0]]) from None
        if error is not None and failed:
            raise error
        return sums

    def _generator(self, part: Part) -> Any:
        """By the place in the whole batch, as one process has it."""
        rows = slice(self._first + part.rows.start, self._first + part.rows.stop)
        return super()._generator(Part(part.place, rows))
