"""The table of layers: names, shapes, how many parameters, how much work."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ..graph import Graph
from ..words import shape_text
from .shapes import Shapes

if TYPE_CHECKING:
    import pandas as pd

_PRODUCTS = frozenset({"Convolution", "Convolution_v1", "Deconvolution", "FullyConnected"})
COLUMNS = ("layer", "operator", "output_shape", "parameters", "trainable")


def parameters_of(graph: Graph, layer: str) -> tuple[str, ...]:
    """The variables that are this layer's own: weight, bias, gamma, beta, moving statistics."""
    node = graph.node(layer)
    data = set(graph.inputs)
    pairs = zip(node.inputs, node.slots or [""] * len(node.inputs))
    return tuple(
        name
        for (name, _), slot in pairs
        if graph.node(name).op == "null" and name not in data and slot not in ("data", "label")
    )


def table(graph: Graph, shapes: Shapes, trainable: Collection[str]) -> pd.DataFrame:
    """One row a layer: ``layer, operator, output_shape, parameters, trainable``.

    ``output_shape`` is text without the batch, ``"32 x 112 x 112"`` (channels, height, width). ``parameters``
    counts what training can change, a shared one at its first layer. ``trainable`` is False for a frozen
    layer and for one without parameters.
    """
    import pandas as pd

    auxiliary, counted = set(graph.auxiliary), set[str]()
    rows: list[tuple[Any, ...]] = []
    for node in graph.nodes:
        if node.op == "null":
            continue
        own = [name for name in parameters_of(graph, node.name) if name not in auxiliary]
        number = sum(math.prod(shapes[name][0]) for name in own if name not in counted)
        counted.update(own)
        shape = shape_text(shapes[node.name][0][1:])
        rows.append((node.name, node.op, shape, number, any(name in trainable for name in own)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def count(graph: Graph, shapes: Shapes) -> int:
    """How many parameters training can change, each once."""
    data = set(graph.inputs)
    own = {
        name
        for node in graph.nodes
        if node.op != "null"
        for name in parameters_of(graph, node.name)
        if name not in data
    }
    return sum(math.prod(shapes[name][0]) for name in own - set(graph.auxiliary))


def macs(graph: Graph, shapes: Shapes) -> int:
    """Multiplications with an addition for one picture, in convolutions and dense layers."""
    total = 0
    for node in graph.nodes:
        if node.op not in _PRODUCTS:
            continue
        weight = math.prod(shapes[node.inputs[1][0]][0])
        source, index = node.inputs[0]
        if node.op == "Deconvolution":
            total += weight * math.prod(shapes[source][index][2:])
        elif node.op == "FullyConnected":
            total += weight * math.prod(shapes[node.name][0][1:-1])
        else:
            total += weight * math.prod(shapes[node.name][0][2:])
    return total
