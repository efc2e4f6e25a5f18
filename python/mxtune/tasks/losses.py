"""Losses: from outputs and targets to a number and its gradient, and from outputs to probabilities.

A loss is data, which each engine may compute its own way; what it computes in NumPy here serves the convex head, and
is the reference for engines. All are means over the images that count.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


class Loss(ABC):
    """What training minimises. A loss whose targets have a unit trains in units of their spread, and converts."""

    @abstractmethod
    def probabilities(self, outputs: Array) -> Array:
        """What the outputs (N, K) mean, (N, K)."""

    @abstractmethod
    def each(self, outputs: Array, targets: Array) -> Array:
        """The loss of every image, (N,), without smoothing."""

    def __call__(self, outputs: Array, targets: Array, weights: Array) -> tuple[float, Array]:
        """The loss and its gradient by `outputs`; ``weights`` (N,) is how much each image counts."""
        return self.part(outputs, targets, self.shares(targets, weights))

    def shares(self, targets: Array, weights: Array) -> Array:  # noqa: ARG002 - some know what targets count
        """How much of the mean each image is, (N,): they sum to 1."""
        return np.asarray(weights / max(float(weights.sum()), 1e-12))

    @abstractmethod
    def part(self, outputs: Array, targets: Array, shares: Array) -> tuple[float, Array]:
        """What some of the images add to the loss, and its gradient by their `outputs`."""

    def smoothed(self, smoothing: float) -> Loss:  # noqa: ARG002 - some losses have none
        """The same loss with this much label smoothing, if it supports any."""
        return self

    # ---- units: for targets that have one

    def standardised(self) -> Loss:
        """The same loss for targets and outputs in units of their spread."""
        return self

    def standardise(self, targets: Array) -> Array:
        """Targets in units of their spread."""
        return targets

    def own_units(self, outputs: Array) -> Array:
        """Outputs in the targets' own units, from outputs in units of their spread."""
        return outputs

    def standardised_gradient(self, gradient: Array) -> Array:
        """The gradient by outputs in units of the spread, from that by outputs in their own units."""
        return gradient

    def layer_in_own_units(self, weight: Array, bias: Array) -> tuple[Array, Array]:
        """A last layer (K, d), (K,) whose outputs have the targets' units, of one in units of their spread."""
        return weight, bias

    def standardised_layer(self, weight: Array, bias: Array) -> tuple[Array, Array]:
        """The inverse of it."""
        return weight, bias


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Softmax and cross-entropy: one class of several.

    Parameters
    ----------
    classes
        How many.
    smoothing
        The share of each target that is spread over all classes (Szegedy et al., 2016), 0 to 1.
    class_weights
        A factor for each class.
    """

    classes: int
    smoothing: float = 0.0
    class_weights: Optional[tuple[float, ...]] = None

    def probabilities(self, outputs: Array) -> Array:
        """(N, K) that sum to 1 in each row."""
        shifted = outputs - outputs.max(axis=1, keepdims=True)
        exp = np.exp(shifted)
        return np.asarray(exp / exp.sum(axis=1, keepdims=True))

    def each(self, outputs: Array, targets: Array) -> Array:
        shifted = outputs - outputs.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=1))
        return np.asarray(log_sum - shifted[np.arange(len(targets)), targets])

    def shares(self, targets: Array, weights: Array) -> Array:
        if self.class_weights is not None:
            weights = weights * np.asarray(self.class_weights)[targets]
        return super().shares(targets, weights)

    def part(self, outputs: Array, targets: Array, shares: Array) -> tuple[float, Array]:
        rows = np.arange(len(targets))
        gradient = outputs - outputs.max(axis=1, keepdims=True)
        each = -(1 - self.smoothing) * gradient[rows, targets]
        if self.smoothing:
            each -= self.smoothing * gradient.mean(axis=1)
        np.exp(gradient, out=gradient)
        total = gradient.sum(axis=1, keepdims=True)
        each += np.log(total[:, 0])
        gradient /= total
        gradient[rows, targets] -= 1 - self.smoothing
        if self.smoothing:
            gradient -= self.smoothing / self.classes
        gradient *= shares[:, None]
        return float(shares @ each), gradient

    def smoothed(self, smoothing: float) -> CrossEntropy:
        return replace(self, smoothing=smoothing)


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """A sigmoid and cross-entropy for each label separately: any number of labels per image."""

    labels: int

    def probabilities(self, outputs: Array) -> Array:
        """(N, K), each from 0 to 1."""
        return np.asarray(0.5 * (1 + np.tanh(0.5 * outputs)))

    def each(self, outputs: Array, targets: Array) -> Array:
        """The loss of every image, (N,): the mean over its labels."""
        cost = np.maximum(outputs, 0) - outputs * targets + np.log1p(np.exp(-np.abs(outputs)))
        return np.asarray(cost.mean(axis=1))

    def part(self, outputs: Array, targets: Array, shares: Array) -> tuple[float, Array]:
        gradient = (self.probabilities(outputs) - targets) / self.labels
        gradient *= shares[:, None]
        return float(shares @ self.each(outputs, targets)), gradient


@dataclass(frozen=True)
class SquaredError(Loss):
    """Half the squared error of numbers, in units of their standard deviation in training.

    Parameters
    ----------
    mean, scale
        Mean and standard deviation of each of the K targets, in their own units.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    targets: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "targets", len(self.mean))

    @classmethod
    def of(cls, targets: Array) -> SquaredError:
        """The loss for training targets (N, K); those that are all the same have a scale of 1."""
        scale = targets.std(axis=0)
        return cls(
            tuple(float(value) for value in targets.mean(axis=0)),
            tuple(float(value) if value > 0 else 1.0 for value in scale),
        )

    def probabilities(self, outputs: Array) -> Array:
        """The outputs themselves."""
        return outputs

    def each(self, outputs: Array, targets: Array) -> Array:
        return np.asarray(0.5 * (((outputs - targets) / np.asarray(self.scale)) ** 2).mean(axis=1))

    def part(self, outputs: Array, targets: Array, shares: Array) -> tuple[float, Array]:
        gradient = (outputs - targets) / np.asarray(self.scale) ** 2 / self.targets
        gradient *= shares[:, None]
        return float(shares @ self.each(outputs, targets)), gradient

    def standardised(self) -> SquaredError:
        return replace(self, mean=(0.0,) * self.targets, scale=(1.0,) * self.targets)

    def standardise(self, targets: Array) -> Array:
        return np.asarray((targets - np.asarray(self.mean)) / np.asarray(self.scale))

    def own_units(self, outputs: Array) -> Array:
        return np.asarray(outputs * np.asarray(self.scale) + np.asarray(self.mean))

    def standardised_gradient(self, gradient: Array) -> Array:
        return np.asarray(gradient * np.asarray(self.scale))

    def layer_in_own_units(self, weight: Array, bias: Array) -> tuple[Array, Array]:
        mean, scale = np.asarray(self.mean, bias.dtype), np.asarray(self.scale, bias.dtype)
        return weight * scale[:, None], bias * scale + mean

    def standardised_layer(self, weight: Array, bias: Array) -> tuple[Array, Array]:
        mean, scale = np.asarray(self.mean, bias.dtype), np.asarray(self.scale, bias.dtype)
        return weight / scale[:, None], (bias - mean) / scale
