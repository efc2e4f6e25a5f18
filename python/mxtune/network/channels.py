"""Another number of channels of the input, with the weights kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..errors import NetworkError
from ..graph import Graph
from ..images.preprocess import Preprocess

Array = NDArray[np.float32]


def preprocess_of(spec: Preprocess, channels: int) -> Preprocess:
    """The preprocessing for as many channels: of one the average of all, of more the same ones again."""
    return replace(spec, channels=channels, mean=_numbers(spec.mean, channels), std=_numbers(spec.std, channels))


def _numbers(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    if channels == 1:
        return (float(np.mean(values)),)
    return tuple(values[place % len(values)] for place in range(channels))


def adapted(graph: Graph, name: str, array: Array, shape: tuple[int, ...], channels: tuple[int, int]) -> Array:
    """A parameter of the layers that take the image, for another number of its channels.

    The kernels of a convolution are added up for a single channel, and repeated in turn for more, scaled so that the
    output keeps its size: as timm does (Wightman 2019). What scales or shifts each channel is averaged, or repeated.

    Parameters
    ----------
    shape
        What the graph needs.
    channels
        How many the image had, and has.

    Raises
    ------
    NetworkError
        The parameter does not have its values by channels.
    """
    before, after = channels
    axes = [axis for axis, sides in enumerate(zip(array.shape, shape)) if sides[0] != sides[1]]
    if len(array.shape) != len(shape) or [(array.shape[a], shape[a]) for a in axes] != [channels]:
        raise NetworkError(f"The parameter {name} can't be made to fit images of {after} channels.")
    axis = axes[0]
    kernels = any(user.has_role("weighted") for user in graph.consumers[name])
    if after == 1:
        one = array.sum(axis, keepdims=True) if kernels else array.mean(axis, keepdims=True)
        return np.ascontiguousarray(one, np.float32)
    repeated = np.take(array, [place % before for place in range(after)], axis)
    return np.ascontiguousarray(repeated * (before / after) if kernels else repeated, np.float32)
