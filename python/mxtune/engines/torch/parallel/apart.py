"""`Apart`: the whole network on one of several machines, with its share of each batch and the step that all take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Optional

import torch

from ...parallel.told import Told
from ..arrays import array_of, tensor_of
from ..executor import Gradients, TorchExecutor
from ..passes import passes_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....tasks.losses import Loss

    Array = NDArray[Any]


class Apart(TorchExecutor):
    """The program in one of several processes, which are told each part of a step.

    Parameters
    ----------
    told
        What all are told.
    place
        Which of them it is.
    """

    def __init__(self, told: Told, place: int) -> None:
        device = told.devices[place]
        super().__init__(told.program, [device], passes_for([device]) if told.passes else (), told.precision)
        self._processes = len(told.devices)
        arrays = self._arrays[0]
        self._moving = sorted(self._trainable & arrays.keys() - {*self._learned})
        shapes = {name: tuple(arrays[name].shape) for name in (*self._learned, *self._moving)}
        self.sums = told.sums(place, shapes)
        self._found: Optional[Gradients] = None
        self._sharing = 1  # how many have rows of the batch

    def predict_share(self, mine: Optional[Mapping[str, Array]], rows: Optional[slice]) -> Any:  # noqa: ARG002
        """The heads for the rows that are computed here; None where there are none."""
        return None if mine is None else self.predict(mine)

    def forward_share(
        self, mine: Optional[Mapping[str, Array]], rows: Optional[slice], targets: Array, shares: Array, loss: Loss
    ) -> float:
        """What the rows that are computed here add to the loss; gradients are found on the way."""
        self._found, self._sharing = None, min(self._processes, len(targets))
        if mine is None or rows is None:
            return 0.0
        with self._running("train"):
            value, self._found = self._learned_from(mine, targets, shares, loss, rows.start)
        return value

    def backward_share(self) -> None:
        """Give the gradients of these rows to the sums, and what they move BatchNorm's statistics to."""
        found = self._found
        if found is None:
            self.sums.put_nothing()
            return
        moved = {id(to): value.detach() / found.parts for to, value in found.moved}
        arrays = self._arrays[0]
        self.sums.put((name, array_of(gradient)) for name, gradient in zip(self._learned, found.gradients))
        self.sums.put((name, array_of(moved.get(id(arrays[name]), arrays[name]))) for name in self._moving)
        self._found = None

    def move(self, lr: float) -> None:
        """The step, once all have added: statistics become the mean of what the shares moved them to."""
        sums, arrays = self.sums.get(), self._arrays[0]
        with self._running("train"), torch.no_grad():
            for name in self._moving:
                arrays[name].copy_(tensor_of(sums[name] / self._sharing))
            # in the layout of the parameter, as the step is fast then
            gradients = {name: torch.empty_like(arrays[name]).copy_(tensor_of(sums[name])) for name in self._learned}
            self._stepper.step(gradients, lr)
