"""`Phase`: a part of a training run, as data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ..spec import json_values, settings

_WARM_UP = 0.1  # share of the steps in which the learning rate rises


@dataclass(frozen=True)
class Phase:
    """A part of a training run.

    Parameters
    ----------
    name
        ``"head"`` (on frozen features, to convergence), ``"tail"`` (the last layers), ``"all"``.
    epochs
        At most this many.
    lr
        The highest learning rate; the head has none.
    batch_size
        Images in a step.
    schedule
        ``"cosine"`` or ``"constant"``.
    patience
        Epochs without a lower validation loss after which it stops; 0 for never.
    weight_decay
        Of weights; biases and BatchNorm have none.
    smoothing
        Label smoothing.
    head_lr_multiplier
        A factor on the learning rate of a head that is trained already; by the number of its features if None.
    """

    name: str
    epochs: int = 1
    lr: float = 0.0
    batch_size: int = 32
    schedule: str = "cosine"
    patience: int = 0
    weight_decay: float = 0.01
    smoothing: float = 0.0
    head_lr_multiplier: Optional[float] = None

    def lr_at(self, step: int, steps: int) -> float:
        """The learning rate of a step, counted from 0: a rise in the first tenth, then down a cosine.

        Loshchilov & Hutter, 2017 (cosine); Goyal et al., 2017 (warm-up).
        """
        rise = max(1, round(_WARM_UP * steps))
        if step < rise:
            return self.lr * (step + 1) / rise
        if self.schedule == "constant":
            return self.lr
        return self.lr * 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))

    def to_dict(self) -> dict[str, Any]:
        """The phase as plain JSON values."""
        return json_values(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Phase:
        """The phase that `to_dict` wrote."""
        return cls(**settings(cls, values))
