"""Weights without names, in the order in which Lasagne keeps a network's parameters: layer by layer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import WeightsError
from ..graph import Graph, Node
from ..words import counted

_ORDER = ("weight", "bias", "beta", "gamma", "moving_mean", "moving_var")  # of the parameters of one layer


def in_order(arrays: Sequence[NDArray[Any]], graph: Graph, needed: Collection[str]) -> dict[str, NDArray[Any]]:
    """The arrays by the names of a network's parameters, whose layers have the same order.

    Kernels are turned round, since Theano's convolution turns them and MXNet's does not; matrices of dense layers are
    (inputs, units) there; batch normalisation keeps 1 / sqrt(variance + eps). Layers made with ``flip_filters=False``
    (``Conv2DDNNLayer``) have kernels that must be turned before they are saved: ``array[:, :, ::-1, ::-1]``.

    Parameters
    ----------
    arrays
        As ``lasagne.layers.get_all_param_values`` gives them.
    needed
        The names of the parameters.

    Raises
    ------
    WeightsError
        There are more or fewer arrays than parameters.
    """
    slots = [
        (node, slot.name, source)
        for node in graph.nodes
        for slot, (source, _) in sorted(zip(node.slots, node.inputs), key=lambda pair: _place(pair[0].name))
        if source in needed
    ]
    if len(slots) != len(arrays):
        raise WeightsError(
            f"The network has {counted(len(slots), 'parameter')}, and there are {counted(len(arrays), 'array')}.",
            hint="They must be those of the same layers in the same order, with a bias where the network has one.",
        )
    return {name: _turned(node, slot, array) for (node, slot, name), array in zip(slots, arrays)}


def _place(slot: str) -> int:
    return _ORDER.index(slot) if slot in _ORDER else -1


def _turned(node: Node, slot: str, array: NDArray[Any]) -> NDArray[Any]:
    if slot == "weight" and node.has_role("convolution"):
        return np.ascontiguousarray(np.flip(array, tuple(range(2, array.ndim))))
    if slot == "weight" and node.has_role("dense"):
        return np.ascontiguousarray(array.T)
    if slot == "moving_var":
        with np.errstate(divide="ignore", invalid="ignore"):  # what is not finite is refused by name later
            variance: NDArray[Any] = np.maximum(1 / np.square(array.astype(np.float64)) - node.values.eps, 0)
            return variance
    return array
