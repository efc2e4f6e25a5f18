"""Which array of a file is which parameter of a network."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from ..errors import WeightsError
from ..words import bullets, listing
from .names import NameTable

Weights = Mapping[str, NDArray[Any]]

_STATISTICS = {"running_mean": "moving_mean", "running_var": "moving_var"}
_COUNTERS = ("num_batches_tracked", "n_averaged")  # of PyTorch's BatchNorm and averaged models: no parameters
# How training code wraps a network: DataParallel, Lightning, timm's and others' moving averages, torch.compile.
_WRAPPERS = ("module", "model", "model_ema", "ema", "ema_model", "net", "network", "state_dict", "_orig_mod")
_WRAPPED = re.compile(rf"(?:(?:{'|'.join(_WRAPPERS)})\.)+")
_MOST_WRAPPERS = 6  # that a file's names may have: each is tried with each network
_SHOWN = 8


def under_our_names(weights: Weights, needed: Iterable[str], tables: Sequence[NameTable] = ()) -> dict[str, Any]:
    """The arrays of a file under the names of a network's parameters; what is no parameter keeps its name.

    The file's names may be the network's own or those of one of the tables, with MXNet's or Gluon's names for moving
    statistics, and after a prefix of what wraps the network: ``"module."``, ``"model."``, or a prefix such as Gluon's
    ``"resnetv10_"``. The reading that fits best counts. Counters of batches, and a second copy of the network behind
    another wrapper (a moving average), are left out.

    Parameters
    ----------
    needed
        The names of the network's parameters.
    tables
        What others call them.

    Raises
    ------
    WeightsError
        Two arrays stand for one parameter.
    """
    weights = {name: array for name, array in weights.items() if not name.endswith(_COUNTERS)}
    wanted = {_plain(name): name for name in needed}
    readings = [
        (prefix, _reading(weights, prefix, table, wanted)) for prefix in _prefixes(weights) for table in (None, *tables)
    ]
    prefix, best = max(readings, key=lambda reading: len(set(reading[1].values())), default=("", {}))
    if len(set(best.values())) < len(best):
        twice = sorted({ours for ours in best.values() if list(best.values()).count(ours) > 1})
        raise WeightsError(f"Several arrays stand for the same parameter: {listing(twice)}.")
    copies = {
        name
        for other, reading in readings
        if other != prefix and _WRAPPED.match(other)
        for name in reading
        if name not in best
    }
    return {best.get(name, name): array for name, array in weights.items() if name not in copies}


def as_parameters(
    arrays: Weights, needed: Iterable[str], source: str, hint: Optional[str] = None
) -> dict[str, NDArray[np.float32]]:
    """The arrays as a network keeps them, float32 and C-contiguous, if there is one for each of its parameters.

    Parameters
    ----------
    needed
        The names of the network's parameters.
    source, hint
        The file, and what to do where its names do not fit: for the error.

    Raises
    ------
    WeightsError
        A parameter has no array, or an array no parameter; eight are named. Or an array holds no numbers.
    """
    wanted = set(needed)
    lacking, foreign = sorted(wanted - set(arrays)), sorted(set(arrays) - wanted)
    if lacking or foreign:
        half = max(_SHOWN // 2, _SHOWN - len(foreign))
        lines = [f"{name}: not among the weights" for name in lacking]
        others = [f"{name}: not in the network" for name in foreign]
        lines = lines[:half] + others + lines[half:]
        raise WeightsError(f"The weights in {source} don't match this network.", bullets(lines, _SHOWN), hint)
    return {name: _as_parameter(name, array) for name, array in arrays.items()}


def signature(names: Iterable[str]) -> str:
    """A short text that stands for a set of names.

    Examples
    --------
    >>> signature(["fc.bias", "fc.weight"]) == signature({"fc.weight", "fc.bias"})
    True
    """
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:16]


def signatures(names: Iterable[str], ignored: tuple[str, ...]) -> set[str]:
    """The signatures that a file's names may have, by what wraps the network, without what is no parameter.

    Parameters
    ----------
    ignored
        How the names begin of arrays that are left out.
    """
    names = [name for name in names if not name.endswith(_COUNTERS)]
    inner = ([name[len(prefix) :] for name in names if name.startswith(prefix)] for prefix in _prefixes(names))
    return {signature(name for name in bare if not name.startswith(ignored)) for bare in inner}


def without(weights: Weights, ignored: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """The arrays but those whose names begin so, behind any wrapper."""
    return {
        name: array for name, array in weights.items() if not (ignored and _WRAPPED.sub("", name).startswith(ignored))
    }


def in_shape(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """The array in this shape, if that differs in sides of 1 alone: a dense layer may be a convolution of 1 x 1.

    Examples
    --------
    >>> in_shape(np.ones((5, 3)), (5, 3, 1, 1)).shape, in_shape(np.ones((5, 3)), (3, 5)).shape
    ((5, 3, 1, 1), (5, 3))
    """
    alike = [side for side in array.shape if side != 1] == [side for side in shape if side != 1]
    return array.reshape(shape) if alike else array


def common_prefix(names: Iterable[str]) -> str:
    """The prefix, up to an underscore, that all these names share: the network's own, as Gluon numbers them.

    Examples
    --------
    >>> common_prefix(["resnetv13_conv0_weight", "resnetv13_stage1_conv0_weight"])
    'resnetv13_'
    """
    names = list(names)
    if not names:
        return ""
    first, last = min(names), max(names)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last)))
    prefix = first[:same]
    return prefix[: prefix.rfind("_") + 1]


def _prefixes(names: Iterable[str]) -> list[str]:
    """The prefixes that names may have: none, each wrapper that occurs, and the names' common prefix after it.

    Moving averages come last, so that of two copies of a network the one without averaging counts.
    """
    names = list(names)
    wrappers = {"", *(match[0] for name in names if (match := _WRAPPED.match(name)))}
    prefixes = []
    for wrapper in sorted(wrappers, key=lambda wrapper: ("ema" in wrapper, len(wrapper), wrapper))[:_MOST_WRAPPERS]:
        inner = common_prefix(name[len(wrapper) :] for name in names if name.startswith(wrapper))
        prefixes += [wrapper, wrapper + inner]
    return list(dict.fromkeys(prefixes))


def _reading(
    names: Iterable[str], prefix: str, table: Optional[NameTable], wanted: Mapping[str, str]
) -> dict[str, str]:
    """For each name with this prefix that stands for a parameter, by this table, that parameter."""
    parameters = {}
    for name in names:
        if name.startswith(prefix):
            bare = name[len(prefix) :]
            ours = wanted.get(_plain(table.ours.get(bare, bare) if table else bare))
            if ours is not None:
                parameters[name] = ours
    return parameters


def _plain(name: str) -> str:
    """A parameter's name, with MXNet's names for moving statistics in place of Gluon's."""
    for old, new in _STATISTICS.items():
        if name.endswith(old):
            return name[: -len(old)] + new
    return name


def _as_parameter(name: str, array: NDArray[Any]) -> NDArray[np.float32]:
    if array.dtype.kind not in "fiub":
        raise WeightsError(f"The array {name} contains {array.dtype}, not numbers.")
    with np.errstate(over="ignore"):  # what becomes infinite is refused by name, like any other unusable number
        return np.ascontiguousarray(array, dtype=np.float32)
