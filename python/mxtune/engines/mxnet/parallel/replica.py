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
        self._processes = len(told.devices)
        arrays = self._arrays[0]
        self._moving = sorted(self._trainable & arrays.keys() - {*self._learned})
        shapes = {name: arrays[name].shape for name in (*self._learned, *self._moving)}
        self.sums = told.sums(place, shapes)
        self._by_outputs: Optional[NDArray[np.float32]] = None
        self._sharing = 1  # how many have rows of the batch

    def predict_share(self, mine: Optional[Mapping[str, Array]], rows: Optional[slice]) -> Any:  # noqa: ARG002
        """The heads for the rows that are computed here; None where there are none."""
        return None if mine is None else self.predict(mine)

    def forward_share(
        self, mine: Optional[Mapping[str, Array]], rows: Optional[slice], targets: Array, shares: Array, loss: Loss
    ) -> float:
        """What the rows that are computed here add to the loss."""
        self._by_outputs, self._sharing = None, min(self._processes, len(targets))
        if mine is None or rows is None:
            return 0.0
        self._draw_anew()
        masks = self._shared_masks.drawn(self._mx, self._symbol, len(targets))
        outputs = self._forward({**mine, **{name: mask[rows] for name, mask in masks.items()}}, train=True)[0]
        value, gradient = loss.part(outputs.astype(np.float64), targets[rows], shares[rows])
        self._by_outputs = gradient.astype(np.float32)
        return value

    def backward_share(self) -> None:
        """Give the gradients of these rows to the sums, and what they move BatchNorm's statistics to."""
        if self._by_outputs is None:
            self.sums.put_nothing()
            return
        arrays, gradients = self._arrays[0], self._grads[0]
        before = {name: arrays[name].copy() for name in self._moving}
        self._backward(self._by_outputs)
        self.sums.put((name, gradients[name].asnumpy()) for name in self._learned)
        self.sums.put((name, arrays[name].asnumpy()) for name in self._moving)
        for name, array in before.items():  # the step may not be taken
            array.copyto(arrays[name])

    def move(self, lr: float) -> None:
        """The step, once all have added: statistics become the mean of what the shares moved them to."""
        sums = self.sums.get()
        for name in self._learned:
            self._set(self._grads[0][name], sums[name])
        for name in self._moving:
            self._set(self._arrays[0][name], sums[name] / self._sharing)
        self._update(lr, 1)
