"""The table of layers: names, shapes, how many parameters, how much work."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ..graph import Graph, Shapes
from ..words import shape_text

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("layer", "operator", "output_shape", "parameters", "trainable")


def parameters_of(graph: Graph, layer: str) -> tuple[str, ...]:
    """The variables that are this layer's own: weight, bias, gamma, beta, moving statistics."""
    roles = graph.roles
    names = (name for name, _ in graph.node(layer).inputs)
    return tuple(dict.fromkeys(name for name in names if roles.get(name) in ("weight", "auxiliary")))


def table(graph: Graph, shapes: Shapes, trainable: Collection[str]) -> pd.DataFrame:
    """One row per layer: ``layer, operator, output_shape, parameters, trainable``.

    ``output_shape`` is text without the batch, ``"32 x 112 x 112"`` (channels, height, width). ``parameters``
    counts what training can change, a shared one at its first layer. ``trainable`` is False for a frozen
    layer and for one without parameters.
    """
    import pandas as pd

    auxiliary, counted = set(graph.auxiliary), set[str]()
    rows: list[tuple[Any, ...]] = []
    for node in graph.nodes:
        if node.is_variable:
            continue
        own = [name for name in parameters_of(graph, node.name) if name not in auxiliary]
        number = sum(math.prod(shapes[name][0]) for name in own if name not in counted)
        counted.update(own)
        shape = shape_text(shapes[node.name][0][1:])
        rows.append((node.name, node.op, shape, number, any(name in trainable for name in own)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def count(graph: Graph, shapes: Shapes) -> int:
    """How many parameters training can change, each counted once."""
    return sum(math.prod(shapes[name][0]) for name, role in graph.roles.items() if role == "weight")


def macs(graph: Graph, shapes: Shapes) -> int:
    """Multiply-accumulates (MACs) for one image, in convolutions, dense layers and matrix products."""
    total = 0
    for node in graph.nodes:
        if not node.is_variable:
            inputs = tuple(shapes[source][index] for source, index in node.inputs)
            total += node.operator.macs(node.values, inputs, shapes[node.name])
    return total
