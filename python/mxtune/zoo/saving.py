"""A network's weights as its library in PyTorch has them: so that timm and torchvision load what was trained here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional, Union

from numpy.typing import NDArray

from .. import formats
from ..formats import Contents, Weights
from ..formats.matching import in_shape
from ..graph import Graph, Node
from ..network import Network
from . import Entry, entry, has
from .twin import paired

_LIBRARY = "timm"  # whose names a network of ours has in PyTorch, if it is there at all


def save_network(network: Network, path: Union[str, os.PathLike[str]]) -> None:
    """Write a network to a file of the format of its suffix; see `mxtune.formats.write`."""
    formats.write(path, contents_of(network))


def contents_of(network: Network, model: Optional[Mapping[str, Any]] = None) -> Contents:
    """What a file of another format gets of a network, and of a model the rest."""
    return replace(Contents.of(network, model), theirs=_of_library(network))


def _of_library(network: Network) -> Optional[Weights]:
    """The parameters under the names, and in the shapes, of the library that the network is from; None for others.

    Only the classifier may be another one, and have another number of outputs.
    """
    name = network.provenance.get("name", "")
    if not has(name):
        return None
    one = entry(name)
    theirs = next((table.theirs for table in one.names() if table.source == _LIBRARY), None)
    if theirs is None and not one.signature:
        return None
    pairs = paired(_bare(_original(one, network)), _bare(network.main.graph))
    if pairs is None:
        return None
    arrays: dict[str, NDArray[Any]] = {}
    for ours, own in pairs.items():
        if own in network.params:
            shape = one.shapes.get(ours)
            array = network.params[own]
            arrays[(theirs or {}).get(ours, ours)] = array if shape is None else in_shape(array, shape)
    return arrays if len(arrays) == len(network.main.params) else None


def _original(one: Entry, network: Network) -> Graph:
    """The network as the zoo has it, for these images; of as many classes as it pleases."""
    return one.build(one.classes, network.preprocess.size, network.preprocess.channels)


def _bare(graph: Graph) -> Graph:
    """The graph without Dropout and Flatten, in which a new head may differ although it takes the same features."""
    sources: dict[str, tuple[str, int]] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        inputs = tuple(sources.get(name, (name, output)) for name, output in node.inputs)
        if node.has_role("dropout") or node.op == "Flatten":
            sources[node.name] = inputs[0]
        else:
            nodes.append(replace(node, inputs=inputs))
    return Graph(tuple(nodes), tuple(sources.get(name, (name, output)) for name, output in graph.heads))
