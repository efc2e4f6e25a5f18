"""`Replica`: the whole network on one of several devices, with its share of each batch and the step that all take."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Optional

import numpy as np
import torch
import torch.distributed as dist

from ...parallel.told import AloneError, Told
from ..executor import TorchExecutor
from ..losses import Goal, weighted_loss
from ..operators import Run
from ..passes import passes_for
from .exchange import Exchange

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....tasks.losses import Loss

    Array = NDArray[Any]

_PATIENCE = timedelta(minutes=10)  # for the others, in a step


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
        cuda = device.kind == "gpu"
        if cuda:
            torch.cuda.set_device(device.index)
        self._store = dist.FileStore(f"/proc/self/fd/{told.store}", len(told.devices))
        dist.init_process_group(
            "nccl" if cuda else "gloo", store=self._store, rank=place, world_size=len(told.devices), timeout=_PATIENCE
        )
        super().__init__(told.program, [device], passes_for([device]) if told.passes else (), told.precision)
        self._place, self._first = place, 0
        moving = sorted(self._trainable & self._arrays[0].keys() - {*self._learned})
        learned, moved = ([self._arrays[0][name] for name in names] for names in (self._learned, moving))
        self._exchange = Exchange(learned, moved, self._devices[0])
        greeting = torch.ones(1, device=self._devices[0])
        dist.all_reduce(greeting)  # connections are made here, and their memory taken
        greeting.item()

    def predict_share(self, mine: Optional[Mapping[str, Array]], rows: Optional[slice]) -> Any:  # noqa: ARG002
        """The heads for the rows that are computed here; None where there are none."""
        return None if mine is None else self.predict(mine)

    def step_together(
        self,
        mine: Optional[Mapping[str, Array]],
        rows: Optional[slice],
        targets: Array,
        weights: Array,
        loss: Loss,
        lr: float,
    ) -> Optional[float]:
        """A step by all devices, each for its share of the batch: its loss; None where one of the others failed."""
        self._first = 0 if rows is None else rows.start
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
                there = slice(self._first + part.rows.start, self._first + part.rows.stop)
                run = Run(True, self._generator(0), (there.start, there.stop, len(targets)))
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
