"""The shapes of a graph, as MXNet infers them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...errors import NetworkError
from ...words import listing, shape_text
from .load import load

if TYPE_CHECKING:
    from ...graph import Graph

Shape = tuple[int, ...]


def infer_shapes(graph: Graph, inputs: Mapping[str, Shape]) -> dict[str, tuple[Shape, ...]]:
    """The shapes of every variable's and every operator's outputs, by node name.

    Parameters
    ----------
    graph : Graph
    inputs : dict of str to tuple of int
        The shapes of the data, such as ``{"data": (1, 3, 224, 224)}``; of parameters too, where the graph
        alone does not tell.

    Raises
    ------
    NetworkError
        The shapes contradict each other, or leave some open.
    """
    from ...graph import to_json

    mx = load()
    symbol = mx.sym.load_json(to_json(graph))
    known = set(symbol.list_inputs())
    internals = symbol.get_internals()
    try:
        _, shapes, _ = internals.infer_shape_partial(**{k: tuple(v) for k, v in inputs.items() if k in known})
    except (mx.MXNetError, ValueError, TypeError) as error:
        raise NetworkError(
            f"The layers of the network do not fit together for input of {_told(inputs)}.", [_cause(error)]
        ) from error
    found: dict[str, tuple[Shape, ...]] = {}
    for output, shape in zip(internals, shapes or ()):
        found[output.name] = (*found.get(output.name, ()), tuple(shape))
    wrong = [name for name, of in found.items() if any(not shape or min(shape) < 1 for shape in of)]
    if wrong or not found:
        raise NetworkError(
            f"Input of {_told(inputs)} leaves no shape for {listing(wrong, 3)}.",
            hint="The picture may be too small for this network, or an input is missing.",
        )
    return found


def _told(inputs: Mapping[str, Shape]) -> str:
    return ", ".join(f"{name} {shape_text(shape)}" for name, shape in inputs.items()) or "no shape"


def _cause(error: BaseException) -> str:
    """The lines of MXNet's error that speak of the fault, without its stack."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [re.split(r"(?=Error in operator)|Check failed: ", line, maxsplit=1) for line in lines]
    return next((parts[-1] for parts in told if len(parts) > 1), (lines or [type(error).__name__])[-1])
