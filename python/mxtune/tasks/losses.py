"""Losses: from outputs and targets to a number, its gradient, and what the outputs mean.

One file serves the convex head and the training of layers. All are means over the pictures that count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


@dataclass(frozen=True)
class CrossEntropy:
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
        """The loss of every picture, (N,), without smoothing."""
        shifted = outputs - outputs.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=1))
        return np.asarray(log_sum - shifted[np.arange(len(targets)), targets])

    def __call__(self, outputs: Array, targets: Array, weights: Array) -> tuple[float, Array]:
        """The loss and its gradient by `outputs`; ``weights`` (N,) says how much each picture counts."""
        if self.class_weights is not None:
            weights = weights * np.asarray(self.class_weights)[targets]
        total = max(float(weights.sum()), 1e-12)
        rows = np.arange(len(targets))
        shifted = outputs - outputs.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        log_p = shifted - log_sum
        each = -(1 - self.smoothing) * log_p[rows, targets] - self.smoothing * log_p.mean(axis=1)
        gradient = np.exp(log_p)
        gradient[rows, targets] -= 1 - self.smoothing
        gradient -= self.smoothing / self.classes
        gradient *= (weights / total)[:, None]
        return float((weights * each).sum() / total), gradient


@dataclass(frozen=True)
class BinaryCrossEntropy:
    """A sigmoid and cross-entropy for each label by itself: any number of labels a picture."""

    labels: int

    def probabilities(self, outputs: Array) -> Array:
        """(N, K), each from 0 to 1."""
        return np.asarray(0.5 * (1 + np.tanh(0.5 * outputs)))

    def each(self, outputs: Array, targets: Array) -> Array:
        """The loss of every picture, (N,): the mean over its labels."""
        cost = np.maximum(outputs, 0) - outputs * targets + np.log1p(np.exp(-np.abs(outputs)))
        return np.asarray(cost.mean(axis=1))

    def __call__(self, outputs: Array, targets: Array, weights: Array) -> tuple[float, Array]:
        """The loss and its gradient by `outputs`."""
        total = max(float(weights.sum()), 1e-12)
        gradient = (self.probabilities(outputs) - targets) / self.labels
        gradient *= (weights / total)[:, None]
        return float((weights * self.each(outputs, targets)).sum() / total), gradient


@dataclass(frozen=True)
class SquaredError:
    """Half the squared error of numbers, in units of their standard deviation in training."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    targets: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "targets", len(self.mean))

    def probabilities(self, outputs: Array) -> Array:
        """The outputs themselves."""
        return outputs

    def each(self, outputs: Array, targets: Array) -> Array:
        """The loss of every picture, (N,)."""
        return np.asarray(0.5 * (((outputs - targets) / np.asarray(self.scale)) ** 2).mean(axis=1))

    def __call__(self, outputs: Array, targets: Array, weights: Array) -> tuple[float, Array]:
        """The loss and its gradient by `outputs`."""
        total = max(float(weights.sum()), 1e-12)
        scale = np.asarray(self.scale)
        gradient = (outputs - targets) / scale**2 / self.targets
        gradient *= (weights / total)[:, None]
        return float((weights * self.each(outputs, targets)).sum() / total), gradient


Loss = Union[CrossEntropy, BinaryCrossEntropy, SquaredError]


def loss_for(
    task: str,
    y: Array,
    outputs: int,
    smoothing: float = 0.0,
    class_weights: Optional[tuple[float, ...]] = None,
) -> Loss:
    """The loss of a task, for training targets ``y``."""
    if task == "classification":
        return CrossEntropy(outputs, smoothing, class_weights)
    if task == "multilabel":
        return BinaryCrossEntropy(outputs)
    columns = y.reshape(len(y), -1)
    scale = columns.std(axis=0)
    return SquaredError(
        tuple(float(value) for value in columns.mean(axis=0)),
        tuple(float(value) if value > 0 else 1.0 for value in scale),
    )
