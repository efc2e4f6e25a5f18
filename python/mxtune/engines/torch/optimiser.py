"""AdamW, as MXNet's executor steps it: epsilon is added before the moments are corrected, and decay comes first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby

import torch
from torch import Tensor

from ..base import AdamW


class Stepper:
    """The moments of each parameter, and the step that they give.

    Parameters
    ----------
    optimiser
        Its numbers.
    weights
        What learns, by name; changed in place.

    Attributes
    ----------
    steps
        How many were taken.
    mean, var
        The moments by name.
    """

    def __init__(self, optimiser: AdamW, weights: Mapping[str, Tensor]) -> None:
        self.steps = 0
        self.mean = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        self.var = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        self._optimiser, self._weights = optimiser, weights
        # one list for each learning rate and decay, so that a GPU gets few large pieces of work
        kinds = {name: self._kind(name) for name in weights}
        names = sorted(weights, key=kinds.__getitem__)
        self._groups = [(kind, list(group)) for kind, group in groupby(names, kinds.__getitem__)]

    def _kind(self, name: str) -> tuple[float, float]:
        """The factor on the learning rate, and the decay."""
        decay = self._optimiser.weight_decay if self._weights[name].ndim > 1 else 0.0
        return self._optimiser.lr_multipliers.get(name, 1.0), decay

    def step(self, gradients: Mapping[str, Tensor], lr: float) -> None:
        """Move each weight by its gradient."""
        self.steps += 1
        beta1, beta2 = self._optimiser.beta1, self._optimiser.beta2
        correction = math.sqrt(1 - beta2**self.steps) / (1 - beta1**self.steps)
        for (multiplier, decay), names in self._groups:
            weights, moved = self._lists(self._weights, names), self._lists(gradients, names)
            mean, var = self._lists(self.mean, names), self._lists(self.var, names)
            if decay:
                torch._foreach_mul_(weights, 1 - lr * multiplier * decay)
            torch._foreach_mul_(mean, beta1)
            torch._foreach_add_(mean, moved, alpha=1 - beta1)
            torch._foreach_mul_(var, beta2)
            torch._foreach_addcmul_(var, moved, moved, 1 - beta2)
            deviation = torch._foreach_sqrt(var)
            torch._foreach_add_(deviation, self._optimiser.epsilon)
            torch._foreach_addcdiv_(weights, mean, deviation, -lr * multiplier * correction)

    @staticmethod
    def _lists(tensors: Mapping[str, Tensor], names: Sequence[str]) -> list[Tensor]:
        return [tensors[name] for name in names]
