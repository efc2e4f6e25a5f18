"""A penalised loss of dense layers on features, minimised: convex, so that there is one solution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from .. import progress
from ..blas import product, shared, slices
from ..tasks.losses import Loss
from .optimiser import lbfgs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_ITERATIONS = 200
_BLOCK = 2**20  # numbers of features that are worked on at a time, so that they stay in the CPU's cache
_FEW, _SMALL = 8, 2**20  # slices for large layers, whose gradients take memory, and what is large
_ALONE = 2**21  # multiplications that take less time than handing them over would


def apply(features: Array, solution: Array, loss: Loss) -> Array:
    """The outputs (N, K) float64 of a solution (K, d + 1), its bias last, in the targets' own units."""
    outputs = product(features, solution[:, :-1].T.astype(np.float32)) + solution[:, -1].astype(np.float32)
    return loss.own_units(outputs.astype(np.float64))


def minimise(
    features: NDArray[np.float32],
    targets: Array,
    loss: Loss,
    penalty: float,
    start: Array,
    tolerance: float,
    step: Callable[[Array], Array],
    weights: Optional[Array] = None,
) -> tuple[Array, bool]:
    """The solution, and whether Ctrl-C came first: then it is the best that was tried.

    Parameters
    ----------
    features, targets, loss
        (N, d), of N images, and what is minimised, with half the penalty times the squares of the weights.
    start
        (K, d + 1): where it begins, the bias last.
    tolerance
        It ends when less than this is left to gain.
    step
        From a gradient to a step (K, d + 1), roughly by the inverse of the curvature: `Space.step`.
    weights
        How much each image counts, as `loss` takes it; 1 if None.
    """
    best: tuple[float, Optional[Array]] = (np.inf, None)
    shape = start.shape
    shares = loss.shares(targets, np.ones(len(targets)) if weights is None else weights)

    def objective(flat: Array) -> tuple[float, Array]:
        progress.current().event("advance", n=0)  # an event: R checks for Ctrl-C at each
        solution = flat.reshape(shape)
        value, gradient = _mean_loss(features, targets, loss, shares, solution)
        value += 0.5 * penalty * float((solution[:, :-1] ** 2).sum())
        gradient[:, :-1] += penalty * solution[:, :-1]
        nonlocal best
        if value < best[0]:
            best = (value, solution)
        return value, gradient.ravel()

    def scaled(flat: Array) -> Array:
        return step(flat.reshape(shape)).ravel()

    try:
        return lbfgs(objective, start.ravel(), _ITERATIONS, tolerance, scaled).reshape(shape), False
    except KeyboardInterrupt:
        if best[1] is None:
            raise
        return best[1], True


def onward(trail: Sequence[tuple[float, Array]], penalty: float) -> Array:
    """Where the solution for a penalty probably lies, from those for stronger ones: in a line by its logarithm."""
    (_, last), *before = reversed(trail)
    if not before:
        return last
    (stronger, first), weaker = before[0], trail[-1][0]
    return np.asarray(last + (last - first) * min(1.0, np.log(weaker / penalty) / np.log(stronger / weaker)))


def _mean_loss(
    features: NDArray[np.float32], targets: Array, loss: Loss, shares: Array, solution: Array
) -> tuple[float, Array]:
    """The loss without penalty, and its gradient by the solution, float64."""
    weight, bias = np.ascontiguousarray(solution[:, :-1].T, np.float32), solution[:, -1].astype(np.float32)
    block = max(128, _BLOCK // max(*weight.shape, 1))

    def of_part(part: slice) -> tuple[float, Array, Array]:
        value, by_weight, by_bias = 0.0, np.zeros(weight.T.shape, np.float32), np.zeros(len(bias))
        for first in range(part.start, part.stop, block):
            rows = slice(first, min(first + block, part.stop))
            outputs = loss.own_units((features[rows] @ weight + bias).astype(np.float64))
            added, gradient = loss.part(outputs, targets[rows], shares[rows])
            gradient = loss.standardised_gradient(gradient)
            value += added
            by_weight += np.ascontiguousarray(gradient.T, np.float32) @ features[rows]
            by_bias += gradient.sum(axis=0)
        return value, by_weight, by_bias

    whole = len(features) * weight.size <= _ALONE
    parts = [slice(0, len(features))] if whole else slices(len(features), *([_FEW] if weight.size > _SMALL else []))
    total, gradient = 0.0, np.zeros(solution.shape)
    for value, by_weight, by_bias in shared(of_part, parts):
        total += value
        gradient[:, :-1] += by_weight
        gradient[:, -1] += by_bias
    return total, gradient
