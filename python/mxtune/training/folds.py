"""Cross-validation of the head: each image is predicted by a head that has not seen it, for the price of one head.

Features are computed once. Along their principal axes the heads of all folds are solved together: one product gives the
outputs of all, and each direction has steps of its own size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from .. import progress
from ..blas import one_thread, product
from ..calls import option
from ..errors import ArgumentError
from ..images import ImageSet
from ..images.groups import Links, joined
from ..images.split import fold_numbers
from ..tasks.losses import Loss
from ..tasks.temperature import calibrated
from ..words import counted
from .head import PENALTIES, WORSE, Head, apply, minimise, standardise, unfold
from .options import USUAL_FOLDS, Options
from .pictures import is_auto

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Rows = NDArray[np.int64]

_MOST_IMAGES, _MOST_OUTPUTS = 20_000, 400_000  # without being asked: images, and images times classes
_LEAST_GROUPS = 4  # a fold
_BASIS = 2048  # images whose features span the axes
_AXES = 1024  # along which folds are compared; more changed no accuracy of 2,000 images by more than .0002
_TOLERANCE = 1e-4  # of the scaled gradient
_ITERATIONS, _MOST, _POLISH = 100, 200, 60
_CURVATURE = 0.1  # of the loss by an output, roughly: most answers are sure
_NEAR = 0.5  # of the distance to the 25th nearest: copies of 1,000 garments had .15 to .7, two garments .6 at least
_NEIGHBOUR, _LARGEST = 25, 0.1


@dataclass(frozen=True)
class Folds:
    """How images are divided: into ``count`` folds, by ``seed``, evenly by ``strata``; equal ``groups`` stay together.

    ``strata`` is (N,) int64 or (N, K) bool; ``groups`` has N numbers; ``classes``: each stratum is a class; ``given``:
    the user has told groups, and what the network finds alike does not join them.
    """

    count: int
    seed: int
    strata: Array
    groups: list[int]
    classes: bool
    given: bool = False

    @classmethod
    def of(cls, images: ImageSet, count: int, seed: int) -> Folds:
        """The folds of labelled images, whose copies and groups stay together."""
        strata = images.labels.strata(np.arange(len(images)), 1 / count)
        classes = images.has_classes and strata.ndim == 1
        return cls(count, seed, strata, images.together(), classes, images.groups is not None)

    @property
    def are_possible(self) -> bool:
        """Whether each fold has some images to test."""
        fold = self.numbers()
        return len(np.unique(fold[fold >= 0])) == self.count

    @property
    def are_worthwhile(self) -> bool:
        """Whether each fold has several groups, and heads for all of them take little memory."""
        if len(set(self.groups)) < _LEAST_GROUPS * self.count:
            return False
        n = len(self.groups)
        outputs = self.strata.shape[1] if self.strata.ndim > 1 else len(np.unique(self.strata))
        return n <= _MOST_IMAGES and n * outputs <= _MOST_OUTPUTS

    def numbers(self) -> Rows:
        """(N,): the fold of each image; -1 where all of a class is one group, which no head could learn without it."""
        fold = fold_numbers(self.strata, self.groups, self.count, self.seed)
        if self.classes:
            groups_of_class = np.unique(np.column_stack([self.strata, self.groups]), axis=0)[:, 0]
            fold[np.bincount(groups_of_class)[self.strata] < 2] = -1
        return fold

    def with_near(self, near: list[tuple[int, int]]) -> Folds:
        """The folds in which these pairs of images stay together, too."""
        if not near:
            return self
        links = Links(len(self.groups))
        links.add(near)
        folds = replace(self, groups=joined(self.groups, links.groups()))
        return folds if folds.are_possible else self


def folds_of(
    images: ImageSet, validation: Optional[ImageSet], valid: Any, options: Options, pretrained: bool
) -> Optional[Folds]:
    """The folds of a training run for heads; None without.

    Raises
    ------
    ArgumentError
        They are asked for, and can't be made, or there are images for validation, too.
    """
    if options.folds not in (0, "auto") and (validation is not None or not (valid is None or is_auto(valid))):
        hint = "Leave `valid` out; for a last test give images to evaluate()."
        raise ArgumentError("The folds are the validation, and there are images for validation, too.", hint=hint)
    by_itself = options.folds == "auto"
    if not options.divides_for_heads or (by_itself and (validation is not None or not is_auto(valid))):
        return None
    if not pretrained:
        if by_itself or options.folds == "full":
            return None
        hint = f"Use {option('folds', 'full')}: each fold is then a training of its own."
        raise ArgumentError("`folds` are for the head, and a network without weights is trained whole.", hint=hint)
    count = options.folds if isinstance(options.folds, int) else USUAL_FOLDS
    folds = Folds.of(images, count, options.seed)
    if by_itself:
        return folds if folds.are_worthwhile and folds.are_possible else None
    if not folds.are_possible:
        what = f"there are {counted(len(set(folds.groups)), 'image or group', 'different images or groups')}"
        hint = f"Use {option('valid', 0.2)}."
        raise ArgumentError(f"There are too few images for {folds.count} folds.", [what], hint)
    return folds


@dataclass(frozen=True)
class CrossValidated:
    """A head on all images, and what heads that had not seen an image say of it.

    Parameters
    ----------
    head
        Of all images.
    fold, group
        (N,) int64: the fold of each image, -1 where none tests it; and what stays together.
    outputs
        (N, K) float64, divided by a temperature; None after Ctrl-C.
    temperature
        What the head's outputs are to be divided by.
    """

    head: Head
    fold: Rows
    group: Rows
    outputs: Optional[Array]
    temperature: float = 1.0

    def arrays(self) -> dict[str, Array]:
        """What a model remembers; nothing after Ctrl-C."""
        if self.outputs is None:
            return {}
        warmth = np.asarray([self.temperature])
        outputs = self.outputs.astype(np.float32)
        return {"outputs": outputs, "fold": self.fold, "group": self.group, "temperature": warmth}


@dataclass(frozen=True)
class SideBySide(Loss):
    """One loss for several heads, each on images of its own: outputs are (N, J * K).

    Parameters
    ----------
    loss
        Of each head.
    counts
        (J, N): how much each image counts for each head.
    """

    loss: Loss
    counts: Array

    def probabilities(self, outputs: Array) -> Array:
        return self._of_each(self.loss.probabilities, outputs)

    def each(self, outputs: Array, targets: Array) -> Array:
        return np.stack([self.loss.each(part, targets) for part in self.parts(outputs)])

    def __call__(self, outputs: Array, targets: Array, weights: Array) -> tuple[float, Array]:
        pairs = [self.loss(part, targets, weights * own) for part, own in zip(self.parts(outputs), self.counts)]
        return sum(value for value, _ in pairs), np.concatenate([gradient for _, gradient in pairs], axis=1)

    def own_units(self, outputs: Array) -> Array:
        return self._of_each(self.loss.own_units, outputs)

    def standardised_gradient(self, gradient: Array) -> Array:
        return self._of_each(self.loss.standardised_gradient, gradient)

    def parts(self, outputs: Array) -> list[Array]:
        """The outputs of each head."""
        return np.split(outputs, len(self.counts), axis=1)

    def _of_each(self, function: Callable[[Array], Array], outputs: Array) -> Array:
        return np.concatenate([function(part) for part in self.parts(outputs)], axis=1)


@one_thread()
def fit_folds(
    features: NDArray[np.float32],
    targets: Array,
    loss: Loss,
    outputs: int,
    folds: Folds,
    penalties: tuple[float, ...] = PENALTIES,
) -> CrossValidated:
    """A head on all images, and the outputs of heads that did not see them.

    The penalty is nested (Varma & Simon, 2006): heads without two folds are judged on both. What they say of one fold
    decides the penalty of the head that predicts the other, and all together that of the final head.

    Parameters
    ----------
    features
        (N, d) float32. **Standardised in place.**
    targets, loss, outputs, penalties
        As `fit_head` has them.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C came before there was anything to give back.
    """
    mean, scale = standardise(features)
    axes, spread = principal_axes(features)
    along = product(features, axes)
    near = [] if folds.given else [pair for pair in _near(along) if folds.groups[pair[0]] != folds.groups[pair[1]]]
    folds = folds.with_near(near)
    fold = folds.numbers()
    _tell(near, fold)
    groups = np.asarray(folds.groups, np.int64)
    few = along[:, -_AXES:]
    path = _Path(few, spread[-_AXES:], targets, loss, outputs)
    reporter = progress.current()
    reporter.event("start", title="Training the head", total=len(penalties), unit="penalties")
    unseen, penalty = None, max(penalties)
    try:
        penalty, chosen, starts = path.penalties(fold, folds.count, penalties)
        unseen, mean_head = path.out_of_fold(fold, chosen, starts)
        start = _widened(mean_head, along.shape[1])
        if len(features) > _BASIS:  # the axes of some do not hold all of the others
            start = _turned(start, axes)
            solution, interrupted = minimise(features, targets, loss, penalty, start, _POLISH)
        else:
            steps = steps_along(spread, penalty)
            along_axes, interrupted = minimise(along, targets, loss, penalty, start, _MOST, steps, _TOLERANCE)
            solution = _turned(along_axes, axes)
    except KeyboardInterrupt:
        if path.latest is None:
            raise
        heads = path.latest.reshape(-1, outputs, few.shape[1] + 1)
        solution, interrupted, unseen = _turned(_widened(heads.mean(axis=0), along.shape[1]), axes), True, None
    finally:
        reporter.event("end")
    train_loss = float(loss.each(apply(features, solution, loss), targets).mean())
    head = replace(unfold(solution, mean, scale, loss, penalty, train_loss), interrupted=interrupted)
    if unseen is None:
        return CrossValidated(head, fold, groups, None)
    tested = fold >= 0
    warmth, unseen[tested] = calibrated(unseen[tested], targets[tested], loss, fold[tested])
    return CrossValidated(head, fold, groups, unseen, warmth)


class _Path:
    """Heads of several folds along a path of penalties, on the same images."""

    def __init__(self, along: Array, spread: Array, targets: Array, loss: Loss, outputs: int) -> None:
        self._along, self._spread, self._targets = along, spread, targets
        self._loss, self._outputs = loss, outputs
        self.latest: Optional[Array] = None  # heads side by side, for when Ctrl-C comes

    def penalties(
        self, fold: Rows, count: int, penalties: tuple[float, ...]
    ) -> tuple[float, list[float], dict[float, Array]]:
        """The penalty of the final head, that for each fold, and the solutions of heads without it for each penalty."""
        seen = np.asarray([(fold != one) & (fold != (one + 1) % count) for one in range(count)])
        learned = np.asarray([self._learnable(own) for own in seen])
        heads = SideBySide(self._loss, seen.astype(np.float64))
        solution = np.zeros((count * self._outputs, self._along.shape[1] + 1))
        solutions: dict[float, Array] = {}
        best, chosen, ended = np.full(count + 1, np.inf), [0.0] * (count + 1), np.zeros(count + 1, bool)
        for penalty in sorted(penalties, reverse=True):
            solution = solutions[penalty] = self._solved(heads, penalty, solution)
            losses = heads.each(apply(self._along, solution, heads), self._targets)
            cost = np.zeros((count, 2))  # of the heads without a fold and the next, on the one and on the other
            for one in range(count):
                for side, tested in enumerate((one, (one + 1) % count)):
                    rows = (fold == tested) & learned[one]
                    cost[one, side] = losses[one, rows].mean() if rows.any() else 0.0
            own = [cost[one, 1] + cost[one - 1, 0] for one in range(count)]
            for place, value in enumerate([*own, cost.sum()]):  # each as if there were no other
                if not ended[place] and value < best[place]:
                    best[place], chosen[place] = value, penalty
                ended[place] |= value > WORSE * best[place]
            progress.current().event("advance", n=1)
            if ended.all():
                break
        return chosen[-1], chosen[:-1], solutions

    def out_of_fold(self, fold: Rows, penalties: list[float], starts: dict[float, Array]) -> tuple[Array, Array]:
        """Outputs (N, K) of heads that have not seen the image, NaN where each has; and the mean of these heads."""
        unseen = np.full((len(fold), self._outputs), np.nan)
        total = np.zeros((self._outputs, self._along.shape[1] + 1))
        for penalty in sorted(set(penalties), reverse=True):
            own = [one for one, chosen in enumerate(penalties) if chosen == penalty]
            heads = SideBySide(self._loss, np.asarray([fold != one for one in own], np.float64))
            start = starts[penalty].reshape(len(penalties), self._outputs, -1)[own]
            solution = self._solved(heads, penalty, start.reshape(len(own) * self._outputs, -1))
            for one, part in zip(own, heads.parts(apply(self._along, solution, heads))):
                unseen[fold == one] = part[fold == one]
            total += solution.reshape(start.shape).sum(axis=0)
        return unseen, total / len(penalties)

    def _solved(self, heads: SideBySide, penalty: float, start: Array) -> Array:
        steps = steps_along(self._spread, penalty)
        solution, interrupted = minimise(
            self._along, self._targets, heads, penalty, start, _ITERATIONS, steps, _TOLERANCE
        )
        self.latest = solution
        if interrupted:
            raise KeyboardInterrupt
        return solution

    def _learnable(self, seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Images of classes of which some are seen."""
        if self._targets.ndim > 1:
            return np.ones(len(seen), bool)
        return np.asarray(np.isin(self._targets, self._targets[seen]))


def principal_axes(features: Array) -> tuple[NDArray[np.float32], Array]:
    """Principal axes of the features, (d, r), the widest last, and the variance along each."""
    every = features[:: -(-len(features) // _BASIS)]
    values, vectors = np.linalg.eigh(product(every, np.ascontiguousarray(every.T)))
    significant = values > max(values[-1], 1e-12) * 1e-6
    values, vectors = values[significant], vectors[:, significant]
    axes: NDArray[np.float32] = product(np.ascontiguousarray(every.T), vectors / np.sqrt(values)).astype(np.float32)
    return axes, values.astype(np.float64) / len(every)


def steps_along(spread: Array, penalty: float) -> Array:
    """How far a step goes along each axis, and in the bias: the inverse root of the curvature there."""
    return np.asarray(1 / np.sqrt(np.append(_CURVATURE * spread + penalty, _CURVATURE)))


def _widened(solution: Array, axes: int) -> Array:
    """A solution along the widest axes as one along all, which are more."""
    before = np.zeros((len(solution), axes + 1 - solution.shape[1]))
    return np.concatenate([before, solution], axis=1)


def _turned(solution: Array, axes: Array) -> Array:
    """A solution along axes as one on the features."""
    return np.concatenate([solution[:, :-1] @ axes.T, solution[:, -1:]], axis=1)


def _near(along: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Pairs of images that are nearly the same to the network; none where that is usual among them."""
    squares = np.einsum("ij,ij->i", along, along)
    rank = min(_NEIGHBOUR, len(along) - 1)
    reach, nearest = np.zeros(len(along), np.float32), np.zeros(len(along), np.int64)
    closest = np.zeros(len(along), np.float32)
    for start in range(0, len(along), 512):
        rows = np.arange(start, min(start + 512, len(along)))
        apart = squares[rows, None] + squares - 2 * product(along[rows], along.T)
        apart[np.arange(len(rows)), rows] = np.inf
        nearest[rows] = apart.argmin(axis=1)
        closest[rows] = apart[np.arange(len(rows)), nearest[rows]]
        reach[rows] = np.partition(apart, rank - 1, axis=1)[:, rank - 1]
    limit = _NEAR**2 * np.minimum(reach, reach[nearest])
    found = np.flatnonzero(closest <= limit)
    if len(along) <= 2 * _NEIGHBOUR or len(found) > _LARGEST * len(along):
        return []
    return [(int(min(row, nearest[row])), int(max(row, nearest[row]))) for row in found]


def _tell(near: list[tuple[int, int]], fold: Rows) -> None:
    """Say which images stay together although nothing but the network finds them alike, and what can't be tested."""
    if near:
        alike = len({row for pair in near for row in pair})
        text = (
            f"{counted(alike, 'image')} look nearly the same to the network as others: each is in one fold with them."
        )
        progress.current().event("message", text=text)
    untested = int((fold < 0).sum())
    if untested:
        text = f"No fold tests {counted(untested, 'image')} whose class is a single image or group."
        progress.current().event("message", text=text)
