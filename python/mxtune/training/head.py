"""The head on frozen features: standardised, L2-regularised, converged, its penalty chosen by validation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from .. import progress
from ..blas import one_thread, shared, slices
from ..tasks.losses import Loss
from .convex import apply, minimise, onward
from .space import Space

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

PENALTIES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
"""Ridge penalties that are tried, per image and feature of unit variance."""

_CONSTANT = 1e-6
_FLOOR = 0.3  # of the median scale: a feature that hardly varies in training must not dominate when it does
_DEFAULT = 0.1  # where there is no validation
WORSE = 1.05  # how much worse the validation loss must get before weaker penalties are not tried
ROUGH = 2e-5  # what may be left of the loss to gain while penalties are compared


@dataclass(frozen=True)
class Head:
    """A dense layer: ``outputs = features @ weight.T + bias``.

    ``weight`` is (K, d) float32, ``bias`` (K,) float32, on features as the network gives them: the standardisation
    is folded in. ``interrupted``: Ctrl-C ended the search for it. ``mean`` and ``scale`` (d,) are what features were
    standardised by.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    penalty: float
    train_loss: float
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
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
        _as_standardised(validation[0], mean, scale)
    else:
        penalties = (_DEFAULT,)
    penalties = tuple(sorted(penalties, reverse=True))
    space = Space.of(features)
    reporter = progress.current()
    reporter.event("start", title="Training the head", total=len(penalties), unit="penalties")
    judged = None if validation is None else (space.place(validation[0]), validation[1])
    (penalty, solution), interrupted = _best(space, targets, loss, outputs, judged, penalties)
    solution = space.in_whole(solution)
    if not interrupted:
        solution, interrupted = minimise(
            space.whole, targets, loss, penalty, solution, space.tolerance, partial(space.step, penalty)
        )
    reporter.event("end")
    solution = space.on_features(solution)
    predicted = None if validation is None else apply(validation[0], solution, loss)
    train_loss = float(loss.each(apply(features, solution, loss), targets).mean())
    head = unfold(solution, mean, scale, loss, penalty, train_loss)
    return replace(head, interrupted=interrupted), predicted


def _best(
    space: Space,
    targets: Array,
    loss: Loss,
    outputs: int,
    validation: Optional[tuple[Array, Array]],
    penalties: tuple[float, ...],
) -> tuple[tuple[float, Array], bool]:
    """The best penalty on validation, with its solution along the widest axes; and whether Ctrl-C came."""
    best: Optional[tuple[float, Array]] = None
    trail: list[tuple[float, Array]] = []
    lowest, interrupted = np.inf, False
    try:
        for penalty in penalties:
            start = onward(trail, penalty) if trail else np.zeros((outputs, space.widest.shape[1] + 1))
            solution, interrupted = minimise(
                space.widest, targets, loss, penalty, start, ROUGH, partial(space.step, penalty)
            )
            trail.append((penalty, solution))
            score = 0.0
            if validation is not None:
                score = float(loss.each(apply(validation[0], solution, loss), validation[1]).mean())
            if best is None or score < lowest:
                lowest, best = score, (penalty, solution)
            elif score > lowest * WORSE:
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


def standardise(features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and scale of the columns, which become 0 and 1, in slices so that no second copy is made."""
    mean = _mean(features)

    def squares(part: slice) -> Array:
        total = np.zeros(features.shape[1])
        for rows in _blocks(part):
            features[rows] -= mean
            total += np.einsum("ij,ij->j", features[rows], features[rows])
        return total

    square = sum(shared(squares, slices(len(features))), np.zeros(features.shape[1]))
    scale = np.sqrt(square / max(len(features), 1)).astype(np.float32)
    varying = scale[scale > _CONSTANT]
    floor = _FLOOR * float(np.median(varying)) if len(varying) else 1.0
    scale = np.maximum(scale, np.float32(floor))
    _as_standardised(features, np.float32(0), scale)
    return mean, scale


def _mean(features: NDArray[np.float32]) -> NDArray[np.float32]:
    def total(part: slice) -> Array:
        return sum((features[rows].sum(axis=0) for rows in _blocks(part)), np.zeros(features.shape[1]))

    whole = sum(shared(total, slices(len(features))), np.zeros(features.shape[1]))
    return (whole / max(len(features), 1)).astype(np.float32)


def _as_standardised(features: NDArray[np.float32], mean: Any, scale: NDArray[np.float32]) -> None:
    def change(part: slice) -> None:
        for rows in _blocks(part):
            features[rows] -= mean
            features[rows] /= scale

    for _ in shared(change, slices(len(features))):
        pass


def _blocks(part: slice, size: int = 128) -> list[slice]:
    return [slice(start, min(start + size, part.stop)) for start in range(part.start, part.stop, size)]


def unfold(solution: Array, mean: Array, scale: Array, loss: Loss, penalty: float, train_loss: float) -> Head:
    """The head on features as they were before `standardise`."""
    weight = solution[:, :-1] / scale
    weight, bias = loss.layer_in_own_units(weight, solution[:, -1] - weight @ mean.astype(np.float64))
    return Head(weight.astype(np.float32), bias.astype(np.float32), penalty, train_loss, mean, scale)
