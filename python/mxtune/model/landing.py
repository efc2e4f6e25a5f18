"""From positions of a map to pixels: what is spread keeps its sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


class Span(NamedTuple):
    """Where something lies along an axis, in pixels: from ``start`` on, ``length`` long."""

    start: float
    length: float


def spread(
    values: NDArray[np.float32], spans: tuple[Span, Span], size: tuple[int, int], beyond: bool = False
) -> NDArray[np.float32]:
    """The values of a map as pixels (H, W) with the same sum, as far as the map lies within.

    Parameters
    ----------
    values
        (h, w), at even distances.
    spans
        Where they lie along the height and the width.
    size
        H and W.
    beyond
        Whether the outermost values fade towards the borders, or all that lies outside is 0.
    """
    height, width = (_matrix(n, span, side, beyond) for n, span, side in zip(values.shape, spans, size))
    return np.asarray(height @ values.astype(np.float64) @ width.T, np.float32)


def _matrix(count: int, span: Span, size: int, beyond: bool) -> Array:
    """(size, count): the share of each value that each pixel gets. Linear between values, and no less than a pixel."""
    step = span.length / count
    centres = span.start + (np.arange(count) + 0.5) * step
    pixels = np.arange(size) + 0.5
    near = np.clip(pixels, centres[0], centres[-1])  # outside is what the nearest value says
    weights = np.clip(1 - np.abs(near[:, None] - centres[None]) / max(step, 1.0), 0, None)
    outside = np.maximum(span.start - pixels, pixels - span.start - span.length).clip(0)
    total = weights.sum(axis=1, keepdims=True)
    weights = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    weights *= np.exp(-0.5 * (outside / (2 * step)) ** 2)[:, None] if beyond else (outside == 0)[:, None]
    given = weights.sum(axis=0)
    within = (centres > 0) & (centres < size) & (given > 0)
    return np.where(within, weights / np.where(within, given, 1), 0)


def blurred(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """The values (H, W), smoothed by a Gaussian of so many pixels."""
    sides = []
    for count in values.shape:
        apart = np.arange(count)[:, None] - np.arange(count)[None]
        weights = np.exp(-0.5 * (apart / max(sigma, 1e-6)) ** 2)
        sides.append(weights / weights.sum(axis=0))
    return np.asarray(sides[0] @ values.astype(np.float64) @ sides[1].T, np.float32)
