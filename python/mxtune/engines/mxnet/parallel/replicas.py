"""A program in several processes, by MXNet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...parallel.replicas import Replicas

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....tasks.losses import Loss

    Array = NDArray[Any]


class MXNetReplicas(Replicas):
    """Processes that are told each part of a step, so that none ever waits for another.

    Nothing of theirs has changed before the last part, which all do.
    """

    engine = "mxnet"

    def _step(self, batch: Mapping[str, Array], targets: Array, shares: Array, loss: Loss, lr: float) -> float:
        ask = self._processes.ask
        value = float(sum(ask("forward_share", targets, shares, loss, batch=batch)))
        if np.isfinite(value):  # otherwise the caller keeps the last good weights
            ask("backward_share")
            ask("sum_share")
            ask("move", lr)
        return value
