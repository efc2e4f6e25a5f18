"""The head on frozen features: standardised, L2-regularised, converged, its penalty chosen by validation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np

from .. import progress
from ..blas import one_thread, product
from ..tasks.losses import Loss
from .optimiser import lbfgs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

PENALTIES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
"""Ridge penalties that are tried, per image and feature of unit variance."""

_CONSTANT = 1e-6
_FLOOR = 0.3  # of the median scale: a feature that hardly varies in training must not dominate when it does
_DEFAULT = 0.1  # where there is no validation
WORSE = 1.05  # how much worse the validation loss must get before weaker penalties are not tried
_FEW = 1500  # images up to which their span is worth computing
_ITERATIONS = 200
_MANY = 16_000  # images from which a sample of them shows where to begin
_SAMPLE = 6000
_ITERATIONS_OF_MANY = 60  # each: a penalty starts from the stronger one
_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Head:
    """A dense layer: ``outputs = features @ weight.T + bias``.

    ``weight`` is (K, d) float32, ``bias`` (K,) float32, on features as the network gives them: the standardisation
    is folded in. ``interrupted``: Ctrl-C ended the search for it.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    penalty: float
    train_loss: float
    interrupted: bool = False


@one_thread()
def fit_head(
    features: NDArray[np.float32],
    targets: Array,
    loss: Loss,
    outputs: int,
    validation: Optional[tuple[NDArray[np.float32], Array]] = None,
    penalties: tuple[float, ...] = PENALTIES,
) -> tuple[Head, Optional[Array]]:
    """The head with the least loss on `validation`, of those fitted with each penalty, and its outputs there, (M, K).

    Multinomial logistic, logistic or ridge regression by L-BFGS (Liu & Nocedal, 1989), each penalty started from
    the stronger one before it; it stops when the validation loss gets worse. The same bits on any number of CPUs.

    Parameters
    ----------
    features
        (N, d) float32. **Standardised in place**; the head that comes back takes features as they were.
    targets
        Of the N images, as `loss` takes them.
    outputs
        K.
    validation
        Features (M, d) and targets to choose on. They are standardised in place too.
    penalties
        What is tried.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C came before there was anything to give back.
    """
    mean, scale = standardise(features)
    if validation is not None:
        validation[0][...] -= mean
        validation[0][...] /= scale
    else:
        penalties = (_DEFAULT,)
    axes: Optional[Array] = None
    trained, judged = features, validation
    if len(features) < min(features.shape[1], _FEW):
        trained, axes = _span(features)
        judged = None if validation is None else (product(validation[0], axes), validation[1])
    start, interrupted = np.zeros((outputs, trained.shape[1] + 1)), False
    reporter = progress.current()
    reporter.event("start", title="Training the head", total=len(penalties), unit="penalties")
    penalties, iterations = tuple(sorted(penalties, reverse=True)), _ITERATIONS
    if validation is not None and len(features) > _MANY:
        every = slice(None, None, len(features) // _SAMPLE)
        sample = features[every], targets[every]  # no copy
        penalties, start, interrupted = _from_sample(sample, loss, penalties, start, validation)
        iterations = _ITERATIONS_OF_MANY
    if interrupted:
        penalties, iterations = penalties[:1], 0
    found, ended_early = _search(trained, targets, loss, judged, penalties, start, iterations)
    reporter.event("end")
    _, solution, penalty, predicted = found
    train_loss = float(loss.each(apply(trained, solution, loss), targets).mean())
    if axes is not None:
        solution = np.concatenate([solution[:, :-1] @ axes.T, solution[:, -1:]], axis=1)
    head = unfold(solution, mean, scale, loss, penalty, train_loss)
    return replace(head, interrupted=interrupted or ended_early), predicted


def _search(
    features: NDArray[np.float32],
    targets: Array,
    loss: Loss,
    validation: Optional[tuple[Array, Array]],
    penalties: tuple[float, ...],
    start: Array,
    iterations: int,
) -> tuple[tuple[float, Array, float, Optional[Array]], bool]:
    """The best on validation: its loss there, the solution, the penalty, the outputs there; and whether Ctrl-C came."""
    best: Optional[tuple[float, Array, float, Optional[Array]]] = None
    solution, interrupted = start, False
    try:
        for penalty in penalties:
            solution, interrupted = minimise(features, targets, loss, penalty, solution, iterations)
            predicted = None if validation is None else apply(validation[0], solution, loss)
            score = 0.0
            if validation is not None and predicted is not None:
                score = float(loss.each(predicted, validation[1]).mean())
            if best is None or score < best[0]:
                best = (score, solution, penalty, predicted)
            elif score > best[0] * WORSE:
                break
            if interrupted:
                break
            progress.current().event("advance", n=1)
    except KeyboardInterrupt:
        if best is None:
            raise
        interrupted = True
    assert best is not None  # noqa: S101 - there is at least one penalty
    return best, interrupted


def _from_sample(
    sample: tuple[NDArray[np.float32], Array],
    loss: Loss,
    penalties: tuple[float, ...],
    start: Array,
    validation: tuple[NDArray[np.float32], Array],
) -> tuple[tuple[float, ...], Array, bool]:
    """Penalties worth a try on all images, the best on the sample and two weaker ones; where to begin; and whether
    Ctrl-C came."""
    lowest, solution, first = np.inf, start, penalties[0]
    for penalty in penalties:
        start, interrupted = minimise(*sample, loss, penalty, start, _ITERATIONS_OF_MANY)
        score = float(loss.each(apply(validation[0], start, loss), validation[1]).mean())
        if score >= lowest:
            break
        lowest, solution, first = score, start, penalty
        if interrupted:
            break
    return tuple(penalty for penalty in penalties if penalty <= first)[:3], solution, interrupted


def standardise(features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and scale of the columns, which become 0 and 1, in slices so that no second copy is made."""
    mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    square = np.zeros(features.shape[1])
    for rows in _slices(len(features)):
        features[rows] -= mean
        square += np.einsum("ij,ij->j", features[rows], features[rows])
    scale = np.sqrt(square / max(len(features), 1)).astype(np.float32)
    varying = scale[scale > _CONSTANT]
    floor = _FLOOR * float(np.median(varying)) if len(varying) else 1.0
    scale = np.maximum(scale, np.float32(floor))
    for rows in _slices(len(features)):
        features[rows] /= scale
    return mean, scale


def _slices(rows: int, size: int = 2048) -> list[slice]:
    return [slice(start, start + size) for start in range(0, rows, size)]


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
    iterations: int,
    steps: Union[float, Array] = 1.0,
    tolerance: float = _TOLERANCE,
) -> tuple[Array, bool]:
    """The solution, and whether Ctrl-C came first: then it is the best that was tried.

    ``steps`` (d + 1,) are the units of each direction: it ends when no gradient in these is above ``tolerance``.
    """
    best: tuple[float, Optional[Array]] = (np.inf, None)
    shape, weights = start.shape, np.ones(len(targets))

    def objective(flat: Array) -> tuple[float, Array]:
        progress.current().event("advance", n=0)  # an event: R checks for Ctrl-C at each
        solution = flat.reshape(shape) * steps
        value, gradient = loss(apply(features, solution, loss), targets, weights)
        gradient = loss.standardised_gradient(gradient)
        by_weight = product(gradient.T.astype(np.float32), features).astype(np.float64)
        full = np.concatenate([by_weight + penalty * solution[:, :-1], gradient.sum(axis=0)[:, None]], axis=1)
        value += 0.5 * penalty * float((solution[:, :-1] ** 2).sum())
        nonlocal best
        if value < best[0]:
            best = (value, solution)
        return value, (full * steps).ravel()

    try:
        return lbfgs(objective, (start / steps).ravel(), iterations, tolerance).reshape(shape) * steps, False
    except KeyboardInterrupt:
        if best[1] is None:
            raise
        return best[1], True


def _span(features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The images in coordinates of the space that they span, (N, r), and its axes, (d, r).

    With fewer images than features the ridge solution lies in that space: the same head for a fraction of the work.
    """
    gram = product(features.astype(np.float64), features.T.astype(np.float64))
    values, vectors = np.linalg.eigh(gram)
    significant = values > values[-1] * 1e-9
    root = np.sqrt(values[significant])
    axes = product(features.T, vectors[:, significant] / root).astype(np.float32)
    return (vectors[:, significant] * root).astype(np.float32), axes


def unfold(solution: Array, mean: Array, scale: Array, loss: Loss, penalty: float, train_loss: float) -> Head:
    """The head on features as they were before `standardise`."""
    weight = solution[:, :-1] / scale
    weight, bias = loss.layer_in_own_units(weight, solution[:, -1] - weight @ mean.astype(np.float64))
    return Head(weight.astype(np.float32), bias.astype(np.float32), penalty, train_loss)
