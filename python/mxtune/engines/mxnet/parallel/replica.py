"""`Replica`: the whole network in one of several processes, with its share of each batch and the step that all take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ...base import Program
from ...devices import CPU
from ...parallel.told import Told
from ...passes import Pass
from ..executor import MXNetExecutor
from ..masks import Masks
from .sums import Sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....tasks.losses import Loss

    Array = NDArray[Any]


class Replica(MXNetExecutor):
    """The program in one of several processes, which compute on the CPU.

    Parameters
    ----------
    told
        What all are told.
    place
        Which of them it is.
    program, passes
        See `MXNetExecutor`.
    """

    def __init__(self, told: Told, place: int, program: Program, passes: Sequence[Pass]) -> None:
        masks = Masks()
        super().__init__(program, CPU, (*passes, masks.taken))
        self._shared_masks = masks
        self._told, self._place = told, place
        arrays = self._arrays[0]
        self._moving = sorted(self._trainable & arrays.keys() - {*self._learned})
        shapes = {name: arrays[name].shape for name in (*self._learned, *self._moving)}
        self._sums = Sums(told.store, place, len(told.devices), shapes)
        self._by_outputs: Optional[NDArray[np.float32]] = None
        self._sharing = 1  # how many have rows of the batch

    def predict_share(self, batch: Mapping[str, Array]) -> Any:
        """The heads for the rows that are computed here; None where there are none."""
        rows = self._told.rows(batch, self._place)
        return None if rows is None else self.predict({name: array[rows] for name, array in batch.items()})

    def forward_share(self, batch: Mapping[str, Array], targets: Array, shares: Array, loss: Loss) -> float:
        """What the rows that are computed here add to the loss."""
        rows, self._by_outputs = self._told.rows(batch, self._place), None
        self._sharing = min(len(self._told.devices), len(targets))
        if rows is None:
            return 0.0
        self._draw_anew()
        whole = {**batch, **self._shared_masks.drawn(self._mx, self._symbol, len(targets))}
        outputs = self._forward({name: array[rows] for name, array in whole.items()}, train=True)[0]
        value, gradient = loss.part(outputs.astype(np.float64), targets[rows], shares[rows])
        self._by_outputs = gradient.astype(np.float32)
        return value

    def backward_share(self) -> None:
        """Give the gradients of these rows to the sums, and what they move BatchNorm's statistics to."""
        if self._by_outputs is None:
            self._sums.put({})
            return
        arrays, gradients = self._arrays[0], self._grads[0]
        before = {name: arrays[name].copy() for name in self._moving}
        self._backward(self._by_outputs)
        self._sums.put({**{n: gradients[n] for n in self._learned}, **{n: arrays[n] for n in self._moving}})
        for name, array in before.items():  # the step may not be taken
            array.copyto(arrays[name])

    def sum_share(self) -> None:
        """Add, once all have given theirs."""
        self._sums.add()

    def move(self, lr: float) -> None:
        """The step, once all have added: statistics become the mean of what the shares moved them to."""
        sums = self._sums.get()
        for name in self._learned:
            self._set(self._grads[0][name], sums[name])
        for name in self._moving:
            self._set(self._arrays[0][name], sums[name] / self._sharing)
        self._update(lr, 1)
