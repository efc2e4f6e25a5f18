"""Parameters chosen by name, by pattern, or by depth."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterable, Mapping
from typing import Union

import numpy as np

from ..errors import NetworkError
from ..graph import Graph
from ..words import near
from .layers import parameters_of

What = Union[str, int, Iterable[str]]


def chosen(graph: Graph, params: Collection[str], what: What) -> frozenset[str]:
    """The names of the parameters that `what` means.

    Parameters
    ----------
    params
        Names of all parameters.
    what
        The name of a layer or of a parameter, a pattern for either, a list of these; or a number of layers
        with parameters: the first ones, or if negative all but the last ones.

    Raises
    ------
    NetworkError
        Nothing of that name has parameters; near matches are named.
    """
    own = {node.name: parameters_of(graph, node.name) for node in graph.nodes if not node.is_variable}
    own = {layer: names for layer, names in own.items() if names}
    if isinstance(what, (int, np.integer)) and not isinstance(what, bool):
        return frozenset(name for layer in list(own)[:what] for name in own[layer])
    if isinstance(what, str):
        what = [what]
    if isinstance(what, bool) or not isinstance(what, Iterable):
        raise NetworkError(f"Layers are chosen by name, pattern or number, not by {what!r}.")
    selected: set[str] = set()
    for pattern in what:
        selected |= _matching(graph, params, str(pattern), own)
    return frozenset(selected)


def _matching(graph: Graph, params: Collection[str], pattern: str, own: Mapping[str, tuple[str, ...]]) -> set[str]:
    if pattern in own:
        return set(own[pattern])
    if pattern in params:
        return {pattern}
    matches = {name for layer, names in own.items() if fnmatch.fnmatchcase(layer, pattern) for name in names}
    matches |= {name for name in params if fnmatch.fnmatchcase(name, pattern)}
    if not matches:
        if pattern in graph:
            raise NetworkError(f"The layer {pattern} has no parameters.")
        raise NetworkError(f"No layer with parameters matches {pattern}.", hint=near(pattern, own))
    return matches
