"""The shapes of a network's layers, with what MXNet leaves unchecked checked."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..errors import MxtuneError, NetworkError
from ..graph import Graph
from ..words import shape_text

Shapes = Mapping[str, tuple[tuple[int, ...], ...]]
MAX_ELEMENTS = 2**31 - 1
_SAME_COUNT = frozenset({"Flatten", "flatten", "Reshape", "reshape"})


def shapes_of(graph: Graph, inputs: Mapping[str, tuple[int, ...]]) -> Shapes:
    """The shapes of all outputs of each node.

    Raises
    ------
    NetworkError
        The layers do not fit one another or the picture; an array would have more than 2**31 - 1 elements;
        or a reshape makes more of its input than there is, where MXNet 1.9 would read foreign memory.
    """
    from ..engines.mxnet import symbols

    try:
        shapes = symbols.infer_shapes(graph, inputs)
    except MxtuneError:
        raise
    except RuntimeError as fault:  # what MXNet raises for an operator's arguments
        lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
        reason = next((line for line in lines if "Error" in line), lines[0] if lines else "")
        raise NetworkError("MXNet can't make a network of this graph.", bullets=[reason[:300]]) from None
    for node in graph.nodes:
        found = shapes.get(node.name, ())
        if any(math.prod(shape) > MAX_ELEMENTS for shape in found):
            raise NetworkError(f"The output of {node.name} would have {math.prod(found[0]):,} elements.")
        if node.op in _SAME_COUNT:
            source, index = node.inputs[0]
            if math.prod(found[0]) != math.prod(shapes[source][index]):
                raise NetworkError(
                    f"The layer {node.name} reshapes {shape_text(shapes[source][index])} to {shape_text(found[0])}."
                )
    return shapes
