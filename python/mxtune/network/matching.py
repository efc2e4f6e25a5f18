"""Which array of a file is which parameter of a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from ..errors import WeightsError
from ..formats import Weights
from ..words import bullets

_ENDINGS = {"running_mean": "moving_mean", "running_var": "moving_var"}


def common_prefix(names: Iterable[str]) -> str:
    """The prefix up to an underscore that all these names share: a network's own, as Gluon counts them.

    Examples
    --------
    >>> common_prefix(["resnetv13_conv0_weight", "resnetv13_stage1_conv0_weight"])
    'resnetv13_'
    """
    first, last = min(names := list(names)), max(names)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last)))
    prefix = first[:same]
    return prefix[: prefix.rfind("_") + 1]


def plain(name: str) -> str:
    """A parameter's name with MXNet's words for moving statistics in the place of Gluon's."""
    for old, new in _ENDINGS.items():
        if name.endswith(old):
            return name[: -len(old)] + new
    return name


def match(
    weights: Weights, needed: Iterable[str], aliases: Mapping[str, str], source: str
) -> dict[str, NDArray[np.float32]]:
    """The arrays of a file under the names of a network's parameters, float32 and C-contiguous.

    The names may be the network's own, those with a network's prefix before them, or `aliases`; whichever
    fits most.

    Parameters
    ----------
    needed
        The names of the network's parameters.
    aliases
        Other names of parameters: ``{"features.0.weight": "conv0_weight"}``.
    source
        The file, for errors.

    Raises
    ------
    WeightsError
        A parameter has no array, or an array no parameter; each is named.
    """
    wanted = set(needed)
    prefix = common_prefix(weights)
    spellings = (
        {name: plain(name) for name in weights},
        {name: plain(name[len(prefix) :]) for name in weights},
        {name: aliases.get(name, name) for name in weights},
    )
    best = max(spellings, key=lambda spelling: len(wanted & set(spelling.values())))
    arrays = {best[name]: array for name, array in weights.items()}
    if len(arrays) < len(weights):
        raise WeightsError(f"{source} holds arrays that stand for one parameter.")
    lacking, foreign = sorted(wanted - set(arrays)), sorted(set(arrays) - wanted)
    if lacking or foreign:
        lines = [f"{name}: not in the file" for name in lacking] + [f"{name}: not in the network" for name in foreign]
        raise WeightsError(f"The weights in {source} are not those of this network.", bullets(lines, 8))
    return {name: as_parameter(name, array) for name, array in arrays.items()}


def as_parameter(name: str, array: NDArray[np.generic]) -> NDArray[np.float32]:
    """An array as a network keeps it: float32, C-contiguous, finite numbers of any size.

    Raises
    ------
    WeightsError
        It holds no real numbers.
    """
    if array.dtype.kind not in "fiub":
        raise WeightsError(f"The array {name} holds {array.dtype}, not numbers.")
    return np.ascontiguousarray(array, dtype=np.float32)
