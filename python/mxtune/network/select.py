"""Layers and parameters chosen by name, by pattern, by operator, by depth or by stage."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Optional, Union

import numpy as np

from ..calls import value_text
from ..errors import NetworkError
from ..graph import Graph, is_kind
from ..ops import find
from ..ops.kinds import KINDS, kind_named
from ..words import counted, near
from .layers import parameters_of

Layers = Union[str, Iterable[str]]
What = Union[str, int, Iterable[str]]


def layers_of(graph: Graph, what: Layers) -> list[str]:
    """The names of the layers that ``what`` means, in the order of the graph.

    Parameters
    ----------
    what
        The name of a layer, a pattern such as ``"block1*"``, an operator or kind of layer; or a list of these.

    Raises
    ------
    NetworkError
        There is no such layer; near matches are named.
    """
    patterns = [what] if isinstance(what, str) else what
    if isinstance(patterns, bool) or not isinstance(patterns, Iterable):
        raise NetworkError(f"Layers are chosen by name, pattern or operator, not by {value_text(what)}.")
    selected: set[str] = set()
    for pattern in patterns:
        selected |= _layers(graph, str(pattern))
    return [node.name for node in graph.nodes if node.name in selected]


def _layers(graph: Graph, pattern: str) -> set[str]:
    operators = [node for node in graph.nodes if not node.is_variable]
    of_kind = {node.name for node in operators if is_kind(graph, node, pattern)}
    if pattern in graph:
        if kind_named(pattern) and of_kind - {pattern}:
            hint = f'Write "{pattern.upper()}" for the kind, and "[{pattern[0]}]{pattern[1:]}" for the layer.'
            raise NetworkError(f"{pattern} is a layer, and a kind of {counted(len(of_kind), 'layer')}.", hint=hint)
        return {pattern}
    found = {node.name for node in operators if fnmatch.fnmatchcase(node.name, pattern)} or of_kind
    if not found and (kind_named(pattern) or find(pattern)):
        raise NetworkError(f"The network has no layer of the kind {pattern}.")
    if not found:
        names = [*(node.name for node in operators), *KINDS]
        raise NetworkError(f"The network has no layer {pattern[:100]}.", hint=near(pattern, names))
    return found


def chosen(graph: Graph, params: Collection[str], what: Optional[What]) -> frozenset[str]:
    """The names of the parameters that `what` means.

    Parameters
    ----------
    params
        Names of all parameters.
    what
        The name of a layer or of a parameter, a pattern for either, an operator or kind of layer, a list of these; or a
        number of layers with parameters: the first ones, or if negative all but the last ones.

    Raises
    ------
    NetworkError
        Nothing of that name has parameters; near matches are named.
    """
    own = _own(graph)
    if isinstance(what, (int, np.integer)) and not isinstance(what, bool):
        return frozenset(name for layer in list(own)[:what] for name in own[layer])
    if isinstance(what, str):
        what = [what]
    if isinstance(what, bool) or not isinstance(what, Iterable):
        raise NetworkError(f"Layers are chosen by name, pattern or number, not by {value_text(what)}.")
    selected: set[str] = set()
    for pattern in what:
        selected |= _matching(graph, params, str(pattern), own)
    return frozenset(selected)


def _own(graph: Graph) -> dict[str, tuple[str, ...]]:
    """The parameters of each layer that has some."""
    own = {node.name: parameters_of(graph, node.name) for node in graph.nodes if not node.is_variable}
    return {layer: names for layer, names in own.items() if names}


def _matching(graph: Graph, params: Collection[str], pattern: str, own: Mapping[str, tuple[str, ...]]) -> set[str]:
    if pattern in own:
        return set(own[pattern])
    if pattern in params:
        return {pattern}
    matches = {name for layer, names in own.items() if fnmatch.fnmatchcase(layer, pattern) for name in names}
    matches |= {name for name in params if fnmatch.fnmatchcase(name, pattern)}
    if not matches:
        layers = (layer for layer in own if is_kind(graph, graph.node(layer), pattern))
        matches = {name for layer in layers for name in own[layer]}
    if not matches:
        if pattern in graph:
            raise NetworkError(f"The layer {pattern} has no parameters.")
        raise NetworkError(f"No layer with parameters matches {pattern}.", hint=near(pattern, own))
    return matches


def of_stages(
    graph: Graph, params: Collection[str], ends: Sequence[str], stages: Union[int, Iterable[int]]
) -> frozenset[str]:
    """The names of the parameters of some stages.

    Parameters
    ----------
    ends
        The last layer of each stage, finest first.
    stages
        Their numbers: 1 for the first, -1 for the last.

    Raises
    ------
    NetworkError
        There is no stage of such a number.
    """
    numbers = [stages] if isinstance(stages, (int, np.integer)) else list(stages)
    selected: set[str] = set()
    for number in numbers:
        place = number - 1 if number > 0 else number + len(ends)
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or not 0 <= place < len(ends):
            raise NetworkError(
                f"There is no stage {value_text(number)}: the network has {counted(len(ends), 'stage')}."
            )
        before = graph.ancestors(ends[:place])
        selected |= graph.ancestors([ends[place]]) - before
    return frozenset(selected & set(params))
