"""A program in several processes, by PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...parallel.replicas import Replicas

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....tasks.losses import Loss

    Array = NDArray[Any]


class TorchReplicas(Replicas):
    """Processes of this machine, one for each device, that sum gradients by PyTorch's own ways.

    They do so while the backward pass goes on.
    """

    engine = "torch"

    def _step(self, batch: Mapping[str, Array], targets: Array, shares: Array, loss: Loss, lr: float) -> float:
        return float(self._processes.ask("step_together", targets, shares, loss, lr, batch=batch)[0])


class TorchApart(Replicas):
    """Processes of several machines, which hear of each other only by who tells them each part of a step."""

    engine = "torch"
