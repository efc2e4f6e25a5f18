"""The head on frozen features: standardised, L2-regularised, trained to convergence, its strength chosen by data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from .. import progress
from ..tasks.losses import Loss, SquaredError
from .optimiser import lbfgs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

STRENGTHS = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
"""Ridge penalties that are tried, per picture and feature of unit variance."""

_CONSTANT = 1e-6
_FLOOR = 0.3  # of the median scale: a feature that hardly varies in training must not shout when it does
_DEFAULT = 0.1  # where there is nothing to choose on
_WORSE = 1.05  # how much worse the held loss must get before weaker strengths are not tried
_FEW = 1500  # pictures up to which their span is worth finding
_ITERATIONS = 200
_MANY = 16_000  # pictures from which a sample of them tells where to begin
_SAMPLE = 6000
_ITERATIONS_OF_MANY = 60  # each: a penalty goes on from the stronger one
_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Head:
    """A dense layer: ``outputs = features @ weight.T + bias``.

    ``weight`` is (K, d) float32, ``bias`` (K,) float32, on features as the network gives them: the standardisation
    is folded in. ``interrupted``: Ctrl-C ended the search for it.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    strength: float
    train_loss: float
    interrupted: bool = False


def fit_head(
    features: NDArray[np.float32],
    targets: Array,
    loss: Loss,
    outputs: int,
    held: Optional[tuple[NDArray[np.float32], Array]] = None,
    strengths: tuple[float, ...] = STRENGTHS,
) -> tuple[Head, Optional[Array]]:
    """The head with the least loss on `held`, of those fitted with each strength, and its outputs there, (M, K).

    Multinomial logistic, logistic or ridge regression by L-BFGS (Liu & Nocedal, 1989), each strength started from
    the stronger one before it; it stops when the held loss gets worse.

    Parameters
    ----------
    features
        (N, d) float32. **Standardised in place**; the head that comes back takes features as they were.
    targets
        Of the N pictures, as `loss` takes them.
    held
        Features (M, d) and targets to choose on. They are standardised in place too.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C came before there was anything to give back.
    """
    mean, scale = _standardise(features)
    if held is not None:
        held[0][...] -= mean
        held[0][...] /= scale
    else:
        strengths = (_DEFAULT,)
    axes: Optional[Array] = None
    trained, tested = features, None if held is None else held[0]
    if len(features) < min(features.shape[1], _FEW):
        trained, axes = _span(features)
        tested = None if tested is None else tested @ axes
    solution = np.zeros((outputs, trained.shape[1] + 1))
    chosen: Optional[tuple[float, Array, float, Optional[Array]]] = None
    interrupted = False
    reporter = progress.current()
    reporter.event("start", title="Training the head", total=len(strengths), unit="strengths")
    strengths, iterations = tuple(sorted(strengths, reverse=True)), _ITERATIONS
    if held is not None and len(features) > _MANY:
        every = slice(None, None, len(features) // _SAMPLE)
        sample = features[every], targets[every]  # no copy
        strengths, solution = _from_sample(sample, loss, strengths, solution, held)
        iterations = _ITERATIONS_OF_MANY
    for strength in strengths:
        solution, interrupted = _minimise(trained, targets, loss, strength, solution, iterations)
        reporter.event("advance", n=1)
        said = None if tested is None else _apply(tested, solution, loss)
        value = 0.0 if held is None or said is None else float(loss.each(said, held[1]).mean())
        if chosen is None or value < chosen[0]:
            chosen = (value, solution, strength, said)
        elif value > chosen[0] * _WORSE:
            break
        if interrupted:
            break
    reporter.event("end")
    assert chosen is not None  # noqa: S101 - there is at least one strength
    _, solution, strength, said = chosen
    train_loss = float(loss.each(_apply(trained, solution, loss), targets).mean())
    if axes is not None:
        solution = np.concatenate([solution[:, :-1] @ axes.T, solution[:, -1:]], axis=1)
    head = _unfold(solution, mean, scale, loss, strength, train_loss)
    return replace(head, interrupted=interrupted), said


def _from_sample(
    sample: tuple[NDArray[np.float32], Array],
    loss: Loss,
    strengths: tuple[float, ...],
    start: Array,
    held: tuple[NDArray[np.float32], Array],
) -> tuple[tuple[float, ...], Array]:
    """Strengths worth a try on all pictures, the best on the sample and two weaker ones, and where to begin."""
    best, solution, first = np.inf, start, strengths[0]
    for strength in strengths:
        start, interrupted = _minimise(*sample, loss, strength, start, _ITERATIONS_OF_MANY)
        if interrupted:
            raise KeyboardInterrupt
        value = float(loss.each(_apply(held[0], start, loss), held[1]).mean())
        if value >= best:
            break
        best, solution, first = value, start, strength
    return tuple(strength for strength in strengths if strength <= first)[:3], solution


def _standardise(features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
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


def _apply(features: Array, solution: Array, loss: Loss) -> Array:
    outputs = features @ solution[:, :-1].T.astype(np.float32) + solution[:, -1].astype(np.float32)
    return own_units(outputs.astype(np.float64), loss)


def own_units(outputs: Array, loss: Loss) -> Array:
    """Outputs in the units of the targets: numbers are fitted in units of their spread."""
    if isinstance(loss, SquaredError):
        return np.asarray(outputs * np.asarray(loss.scale) + np.asarray(loss.mean))
    return outputs


def _minimise(
    features: NDArray[np.float32], targets: Array, loss: Loss, strength: float, start: Array, iterations: int
) -> tuple[Array, bool]:
    """The solution, and whether Ctrl-C came first: then it is the best that was tried."""
    best: tuple[float, Optional[Array]] = (np.inf, None)
    shape, weights = start.shape, np.ones(len(targets))
    scale = np.asarray(loss.scale) if isinstance(loss, SquaredError) else None

    def objective(flat: Array) -> tuple[float, Array]:
        progress.current().event("advance", n=0)  # a sign of life: R's Ctrl-C is heard at such
        solution = flat.reshape(shape)
        value, gradient = loss(_apply(features, solution, loss), targets, weights)
        if scale is not None:
            gradient = gradient * scale
        by_weight = (gradient.T.astype(np.float32) @ features).astype(np.float64)
        full = np.concatenate([by_weight + strength * solution[:, :-1], gradient.sum(axis=0)[:, None]], axis=1)
        value += 0.5 * strength * float((solution[:, :-1] ** 2).sum())
        nonlocal best
        if value < best[0]:
            best = (value, solution.copy())
        return value, full.ravel()

    try:
        return lbfgs(objective, start.ravel(), iterations, _TOLERANCE).reshape(shape), False
    except KeyboardInterrupt:
        if best[1] is None:
            raise
        return best[1], True


def _span(features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The pictures in coordinates of the space that they span, (N, r), and its axes, (d, r).

    With fewer pictures than features the ridge solution lies in that space: the same head for a fraction of the work.
    """
    gram = features.astype(np.float64) @ features.T.astype(np.float64)
    values, vectors = np.linalg.eigh(gram)
    kept = values > values[-1] * 1e-9
    root = np.sqrt(values[kept])
    axes = (features.T @ (vectors[:, kept] / root)).astype(np.float32)
    return (vectors[:, kept] * root).astype(np.float32), axes


def _unfold(solution: Array, mean: Array, scale: Array, loss: Loss, strength: float, train_loss: float) -> Head:
    weight = solution[:, :-1] / scale
    bias = solution[:, -1] - weight @ mean.astype(np.float64)
    if isinstance(loss, SquaredError):
        weight = weight * np.asarray(loss.scale)[:, None]
        bias = bias * np.asarray(loss.scale) + np.asarray(loss.mean)
    return Head(weight.astype(np.float32), bias.astype(np.float32), strength, train_loss)
