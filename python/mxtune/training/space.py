"""The space in which heads are solved: along few principal axes of features lies most of what a head uses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..blas import product, shared, slices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_WIDEST = 512  # axes along which penalties are compared; a head on them alone is worse: .904, not .912 (20,000 clothes)
_IMAGES = 1024  # at most so many span the axes
_ROWS = 512  # turned at a time
_CURVATURE = 0.1  # of the loss by an output, roughly: most answers are sure


@dataclass(frozen=True)
class Space:
    """Standardised features (N, d), and their principal axes, the widest last.

    With up to 1,024 images the axes hold all of them, and a head is solved along the axes: the same solution for a
    fraction of the work. Of more, as many span them: the 512 widest show which penalty is best, and where to begin.

    Attributes
    ----------
    features, along
        (N, d), and (N, r): where each image lies along the axes. float32.
    images, mixture
        (m, d) and (m, r), float32: the axes are ``images.T @ mixture``, orthonormal.
    spread
        (r,) float64: the variance along each.
    """

    features: NDArray[np.float32]
    along: NDArray[np.float32]
    images: NDArray[np.float32]
    mixture: NDArray[np.float32]
    spread: Array

    @classmethod
    def of(cls, features: NDArray[np.float32]) -> Space:
        """The space of standardised features, which it holds, uncopied."""
        complete = len(features) <= _IMAGES
        images = features[:: -(-len(features) // _IMAGES)]
        values, vectors = np.linalg.eigh(_gram(images))
        significant = values > max(values[-1], 1e-12) * 1e-6
        significant[: 0 if complete else -_WIDEST] = False
        roots, vectors = np.sqrt(values[significant]), vectors[:, significant]
        space = cls(features, vectors * roots, images, vectors / roots, roots.astype(np.float64) ** 2 / len(images))
        return space if complete else space._with_axes_of_all()

    @property
    def is_complete(self) -> bool:
        """Whether nothing of the features lies beside the axes."""
        return len(self.images) == len(self.features)

    @cached_property
    def axes(self) -> NDArray[np.float32]:
        """(d, r)."""
        return product(self.images.T, self.mixture)

    @property
    def widest(self) -> NDArray[np.float32]:
        """(N, s): the images along the widest axes."""
        return self.along[:, -_WIDEST:]

    @property
    def tolerance(self) -> float:
        """How much of the loss may be left to gain: of 12,000 clothes, less than 1e-4 changed no loss on others."""
        return 1e-7 if self.is_complete else min(1e-4, 5e-9 * len(self.features))

    @property
    def whole(self) -> NDArray[np.float32]:
        """The images along all axes, if these hold all of them, or else their features."""
        return self.along if self.is_complete else self.features

    def place(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(M, s): other images along the widest axes."""
        return product(features, self.axes[:, -_WIDEST:])

    def in_whole(self, solution: Array) -> Array:
        """A solution on `widest` (K, s + 1) as one on `whole`."""
        if not self.is_complete:
            return self._on_features(solution)
        narrow = np.zeros((len(solution), len(self.spread) + 1 - solution.shape[1]))
        return np.concatenate([narrow, solution], axis=1)

    def on_features(self, solution: Array) -> Array:
        """A solution on `whole` as one on features, (K, d + 1)."""
        return self._on_features(solution) if self.is_complete else solution

    def step(self, penalty: float, gradient: Array) -> Array:
        """From a gradient by a solution on `whole` or on `widest`, a step: roughly by the inverse of the curvature."""
        if len(self.spread) < gradient.shape[1] - 1:
            return self._step_on_features(penalty, gradient)
        return step_along(self.spread[len(self.spread) + 1 - gradient.shape[1] :], penalty, gradient)

    def _step_on_features(self, penalty: float, gradient: Array) -> Array:
        """Beside the axes the variance is taken to be that along the narrowest."""
        beside = _CURVATURE * self.spread[0] + penalty
        along = product(gradient[:, :-1].astype(np.float32), self.axes)
        along *= 1 / (_CURVATURE * self.spread + penalty) - 1 / beside
        weight = product(along, self.axes.T) + gradient[:, :-1] / beside
        return np.concatenate([weight, gradient[:, -1:] / _CURVATURE], axis=1)

    def _on_features(self, solution: Array) -> Array:
        weight = solution[:, :-1].astype(np.float32)
        mixed = product(weight, self.mixture[:, -weight.shape[1] :].T)
        return np.concatenate([product(mixed, self.images), solution[:, -1:]], axis=1)

    def _with_axes_of_all(self) -> Space:
        """The principal axes of all images, within the span of some."""
        along = product(self.features, self.axes)
        spread, vectors = np.linalg.eigh(_moments(along))
        turn = vectors.astype(np.float32)

        def turned(part: slice) -> None:
            for first in range(part.start, part.stop, _ROWS):
                rows = slice(first, min(first + _ROWS, part.stop))
                along[rows] = along[rows] @ turn

        for _ in shared(turned, slices(len(along))):
            pass
        return replace(self, along=along, mixture=product(self.mixture, turn), spread=np.maximum(spread, 0))


def step_along(spread: Array, penalty: float, gradient: Array) -> Array:
    """A step (K, r + 1) along axes of this spread (r,), from a gradient."""
    return np.asarray(gradient / np.append(_CURVATURE * spread + penalty, _CURVATURE))


def _gram(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """``rows @ rows.T``, half of which is computed."""
    gram = np.empty((len(rows), len(rows)), np.float32)

    def fill(part: slice) -> None:
        gram[part, : part.stop] = rows[part] @ rows[: part.stop].T
        gram[: part.stop, part] = gram[part, : part.stop].T

    for _ in shared(fill, slices(len(rows))):
        pass
    return gram


def _moments(along: NDArray[np.float32]) -> Array:
    """The second moments (r, r) of rows (N, r)."""
    parts = shared(lambda part: along[part].T @ along[part], slices(len(along)))
    return sum(parts, np.zeros((along.shape[1],) * 2)) / len(along)
