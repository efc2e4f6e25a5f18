"""Values that a network can't compute with: numbers that are not finite, and variances below zero."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Optional

import numpy as np
from numpy.typing import NDArray

from ..errors import WeightsError
from ..graph import Graph
from ..words import bullets, counted

if TYPE_CHECKING:
    from .data import Network

_HALF = "Half precision (float16) ends at 65,504: save the weights as float32."


def refuse_unusable(network: Network) -> Network:
    """The network itself, if its parameters hold finite numbers only, and no moving variance is below zero.

    Raises
    ------
    WeightsError
        They do not; each parameter is named.
    """
    wrong = unusable(network.graph, network.params)
    if wrong:
        raise WeightsError("The network has unusable weights.", bullets(wrong, 8))
    return network


def unusable(graph: Graph, params: Mapping[str, NDArray[Any]]) -> list[str]:
    """A line for each parameter with an unusable number, and what is wrong with it."""
    pairs = (pair for node in graph.nodes for pair in zip(node.inputs, node.slots))
    return faults(params, {name for (name, _), slot in pairs if slot.name == "moving_var"})


def faults(params: Mapping[str, NDArray[Any]], variances: Collection[str] = ()) -> list[str]:
    """A line for each array with a number that is not finite, or with a variance below zero."""
    lines = ((name, _fault(array, name in variances)) for name, array in params.items())
    return [f"{name}: {fault}" for name, fault in lines if fault]


def half_precision_hint(params: Mapping[str, NDArray[Any]]) -> Optional[str]:
    """What to do where a number was too large for float16; None where none was."""
    halves = (array for array in params.values() if array.dtype == np.float16)
    return _HALF if any(np.isinf(array).any() for array in halves) else None


def _fault(array: NDArray[Any], variance: bool) -> Optional[str]:
    if not array.size:
        return None
    lowest, highest = array.min(), array.max()  # NaN, where there is one: two passes, no extra memory
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        nan, infinite = int(np.isnan(array).sum()), int(np.isinf(array).sum())
        what = " and ".join([*([f"{nan:,} NaN"] if nan else []), *([f"{infinite:,} infinite"] if infinite else [])])
        return f"{what} of {counted(array.size, 'number')}"
    if variance and lowest < 0:
        return f"a variance of {lowest:.3g}, below zero"
    return None
