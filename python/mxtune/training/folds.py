"""Cross-validation of the head: each image is predicted by a head that has not seen it, for the price of one head.

Features are computed once. The heads of all folds are solved together: one product gives the outputs of all, and each
direction has steps of its own size. Penalties are compared along the widest principal axes (`Space`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from .. import progress
from ..blas import one_thread, shared, slices
from ..calls import option
from ..errors import ArgumentError
from ..images import ImageSet
from ..images.groups import Links, joined
from ..images.split import fold_numbers
from ..model.validation import MOST_NAMES, MOST_NUMBERS
from ..tasks.losses import Loss
from ..tasks.temperature import calibrated
from ..words import counted
from .convex import apply, minimise, onward
from .head import PENALTIES, ROUGH, WORSE, Head, standardise, unfold
from .options import USUAL_FOLDS, Options
from .pictures import is_auto
from .space import Space

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Rows = NDArray[np.int64]

_LEAST_GROUPS = 4  # a fold
_LARGE = 1_000_000  # numbers of heads that are solved side by side
_UNSEEN = 4  # times what may be left to gain: log-losses of 2,000 clothes out of fold change by 4e-4 at most
_NEAR = 0.5  # of the distance to the 25th nearest: copies of 1,000 garments had .15 to .7, two garments .6 at least
_NEIGHBOUR, _USUAL, _LARGEST = 25, 2048, 0.1  # of so many images; above this share they are usual
_COMPARED, _ROWS = 20_000, 128  # images that are compared, and those at a time


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
        """Whether each fold has several groups, and a model can remember what is said of all images."""
        if len(set(self.groups)) < _LEAST_GROUPS * self.count:
            return False
        n = len(self.groups)
        outputs = self.strata.shape[1] if self.strata.ndim > 1 else len(np.unique(self.strata))
        return n <= MOST_NAMES and n * outputs <= MOST_NUMBERS

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
    """One loss for several heads: outputs are (N, J * K), weights (N, J): each head has images of its own.

    Parameters
    ----------
    loss
        Of each head.
    count
        J.
    """

    loss: Loss
    count: int

    def probabilities(self, outputs: Array) -> Array:
        return self._of_each(self.loss.probabilities, outputs)

    def each(self, outputs: Array, targets: Array) -> Array:
        return np.stack([self.loss.each(part, targets) for part in np.split(outputs, self.count, axis=1)])

    def shares(self, targets: Array, weights: Array) -> Array:
        return np.stack([self.loss.shares(targets, own) for own in weights.T], axis=1)

    def part(self, outputs: Array, targets: Array, shares: Array) -> tuple[float, Array]:
        rows = self._rows(outputs)
        value, gradient = self.loss.part(rows, np.repeat(targets, self.count, axis=0), shares.ravel())
        return value, gradient.reshape(outputs.shape)

    def own_units(self, outputs: Array) -> Array:
        return self._of_each(self.loss.own_units, outputs)

    def standardised_gradient(self, gradient: Array) -> Array:
        return self._of_each(self.loss.standardised_gradient, gradient)

    def _of_each(self, function: Callable[[Array], Array], outputs: Array) -> Array:
        return function(self._rows(outputs)).reshape(outputs.shape)

    def _rows(self, outputs: Array) -> Array:
        return outputs.reshape(len(outputs) * self.count, -1)


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
    space = Space.of(features)
    found = [] if folds.given else _near(space.along)
    near = [pair for pair in found if folds.groups[pair[0]] != folds.groups[pair[1]]]
    folds = folds.with_near(near)
    fold = folds.numbers()
    _tell(near, fold)
    groups = np.asarray(folds.groups, np.int64)
    path = _Path(space, targets, loss, outputs)
    reporter = progress.current()
    reporter.event("start", title="Training the head", total=len(penalties), unit="penalties")
    unseen, penalty = None, max(penalties)
    try:
        penalty, chosen, starts = path.penalties(fold, folds.count, penalties)
        unseen, start = path.out_of_fold(fold, chosen, starts)
        solution, interrupted = minimise(
            space.whole, targets, loss, penalty, start, space.tolerance, partial(space.step, penalty)
        )
    except KeyboardInterrupt:
        if path.latest is None:
            raise
        solution, interrupted, unseen = path.latest, True, None
    finally:
        reporter.event("end")
    solution = space.on_features(solution)
    train_loss = float(loss.each(apply(features, solution, loss), targets).mean())
    head = replace(unfold(solution, mean, scale, loss, penalty, train_loss), interrupted=interrupted)
    if unseen is None:
        return CrossValidated(head, fold, groups, None)
    tested = fold >= 0
    warmth, unseen[tested] = calibrated(unseen[tested], targets[tested], loss, fold[tested])
    return CrossValidated(head, fold, groups, unseen, warmth)


class _Path:
    """Heads of several folds along a path of penalties, on the same images."""

    def __init__(self, space: Space, targets: Array, loss: Loss, outputs: int) -> None:
        self._space, self._targets = space, targets
        self._loss, self._outputs = loss, outputs
        self.latest: Optional[Array] = None  # a head on the whole space, for when Ctrl-C comes

    def penalties(
        self, fold: Rows, count: int, penalties: tuple[float, ...]
    ) -> tuple[float, list[float], dict[float, Array]]:
        """The penalty of the final head, that for each fold, and the solutions of heads without it for each penalty."""
        seen = np.asarray([(fold != one) & (fold != (one + 1) % count) for one in range(count)])
        learned = [self._learnable(own) for own in seen]
        along = self._space.widest
        start = np.zeros((count, self._outputs, along.shape[1] + 1))
        solutions: dict[float, Array] = {}
        best, chosen, ended = np.full(count + 1, np.inf), [0.0] * (count + 1), np.zeros(count + 1, bool)
        for penalty in sorted(penalties, reverse=True):
            start = onward([*solutions.items()], penalty) if solutions else start
            solution = solutions[penalty] = self._solved(along, seen, penalty, start, ROUGH)
            cost = np.zeros((count, 2))  # of the heads without a fold and the next, on the one and on the other
            for one in range(count):
                for side, tested in enumerate((one, (one + 1) % count)):
                    rows = (fold == tested) & learned[one]
                    cost[one, side] = self._cost(along, solution[one], rows) if rows.any() else 0.0
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
        whole = self._space.whole
        unseen = np.full((len(fold), self._outputs), np.nan)
        total = np.zeros((self._outputs, whole.shape[1] + 1))
        for penalty in sorted(set(penalties), reverse=True):
            own = [one for one, chosen in enumerate(penalties) if chosen == penalty]
            start = np.stack([self._space.in_whole(starts[penalty][one]) for one in own])
            seen = np.asarray([fold != one for one in own])
            tolerance = self._space.tolerance * (1 if self._space.is_complete else _UNSEEN * len(own))
            for one, head in zip(own, self._solved(whole, seen, penalty, start, tolerance)):
                rows = fold == one
                unseen[rows] = apply(whole[rows], head, self._loss)
                total += head
        return unseen, total / len(penalties)

    def _solved(
        self, features: NDArray[np.float32], seen: NDArray[np.bool_], penalty: float, start: Array, tolerance: float
    ) -> Array:
        """Heads (J, K, r + 1), each of the images that it has seen, (J, N)."""
        at_once = max(1, _LARGE // start[0].size)
        solved = []
        for first in range(0, len(seen), at_once):
            some = slice(first, first + at_once)
            heads = SideBySide(self._loss, len(seen[some]))
            flat, weights = start[some].reshape(-1, start.shape[2]), seen[some].T.astype(np.float64)
            solution, interrupted = minimise(
                features, self._targets, heads, penalty, flat, tolerance, partial(self._space.step, penalty), weights
            )
            solved.append(solution.reshape(start[some].shape))
            mean = solved[-1].mean(axis=0)
            self.latest = mean if features is self._space.whole else self._space.in_whole(mean)
            if interrupted:
                raise KeyboardInterrupt
        return np.concatenate(solved)

    def _cost(self, along: NDArray[np.float32], head: Array, rows: Rows) -> float:
        return float(self._loss.each(apply(along[rows], head, self._loss), self._targets[rows]).mean())

    def _learnable(self, seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Images of classes of which some are seen."""
        if self._targets.ndim > 1:
            return np.ones(len(seen), bool)
        return np.asarray(np.isin(self._targets, self._targets[seen]))


def _near(along: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Pairs of images that are nearly the same to the network; none where that is usual among them, or of many."""
    if not 2 * _NEIGHBOUR < len(along) <= _COMPARED:
        return []
    every, columns = -(-len(along) // _USUAL), np.ascontiguousarray(along.T)
    squares = np.einsum("ij,ij->i", along, along)
    reach, nearest = np.zeros(len(along), np.float32), np.zeros(len(along), np.int64)
    closest = np.zeros(len(along), np.float32)

    def compare(part: slice) -> None:
        for start in range(part.start, part.stop, _ROWS):
            rows = np.arange(start, min(start + _ROWS, part.stop))
            apart = along[rows] @ columns
            apart *= -2
            apart += squares
            apart[np.arange(len(rows)), rows] = np.inf
            nearest[rows] = apart.argmin(axis=1)
            closest[rows] = apart[np.arange(len(rows)), nearest[rows]] + squares[rows]
            reach[rows] = np.partition(apart[:, ::every], _NEIGHBOUR - 1, axis=1)[:, _NEIGHBOUR - 1] + squares[rows]

    for _ in shared(compare, slices(len(along))):
        pass
    limit = _NEAR**2 * np.minimum(reach, reach[nearest])
    found = np.flatnonzero(closest <= limit)
    if len(found) > _LARGEST * len(along):
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
