"""What makes one network different from another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..graph import Node
from ..words import listing, shape_text
from .layers import parameters_of

if TYPE_CHECKING:
    import pandas as pd

    from .described import Described

COLUMNS = ("layer", "change", "before", "after")
Row = tuple[str, str, str, str]


def difference(before: Described, after: Described) -> pd.DataFrame:
    """One row per difference: ``layer, change, before, after``, each as text; see `Network.diff`."""
    import pandas as pd

    rows = [*_whole(before, after), *(row for layer in _layers(before, after) for row in _rows(layer, before, after))]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _whole(before: Described, after: Described) -> Iterator[Row]:
    """What concerns no layer of its own: its rows have no layer."""
    for what in ("outputs", "levels"):
        old, new = ((list(map(str, _fact(net, what)))) for net in (before, after))
        if old != new:
            yield "", what, listing(old), listing(new)
    seen, sees = before.preprocess.to_dict(), after.preprocess.to_dict()
    for name in dict.fromkeys([*seen, *sees]):
        if seen.get(name) != sees.get(name):
            yield "", f"preprocess: {name}", str(seen.get(name)), str(sees.get(name))


def _fact(network: Described, what: str) -> Any:
    return [name for name, _ in network.graph.heads] if what == "outputs" else network.levels or ()


def _layers(before: Described, after: Described) -> list[str]:
    """The names of all layers, those of the first network where they were."""
    old, new = ([node.name for node in net.graph.nodes if not node.is_variable] for net in (before, after))
    merged = list(old)
    place = 0
    for name in new:
        if name in merged:
            place = merged.index(name) + 1
        else:
            merged.insert(place, name)
            place += 1
    return merged


def _rows(layer: str, before: Described, after: Described) -> Iterator[Row]:
    if layer not in after.graph:
        yield layer, "removed", _told(before, layer), ""
    elif layer not in before.graph:
        yield layer, "added", "", _told(after, layer)
    else:
        yield from _changes(layer, before, after)


def _told(network: Described, layer: str) -> str:
    return f"{network.graph.node(layer).op}, {shape_text(network.shapes[layer][0][1:])}"


def _changes(layer: str, before: Described, after: Described) -> Iterator[Row]:
    old, new = before.graph.node(layer), after.graph.node(layer)
    if old.op != new.op:
        yield layer, "operator", old.op, new.op
    for name in dict.fromkeys([*old.attrs, *new.attrs]):
        if old.op == new.op and old.attrs.get(name) != new.attrs.get(name):
            yield layer, f"argument {name}", old.attrs.get(name, ""), new.attrs.get(name, "")
    if _sources(before, old) != _sources(after, new):
        yield layer, "inputs", listing(_sources(before, old)), listing(_sources(after, new))
    was, now = (shape_text(net.shapes[layer][0][1:]) for net in (before, after))
    if was != now:
        yield layer, "output_shape", was, now
    for name in dict.fromkeys([*parameters_of(before.graph, layer), *parameters_of(after.graph, layer)]):
        yield from _parameter(layer, name, before, after)


def _sources(network: Described, node: Node) -> list[str]:
    """The layers, and the input, that a layer takes."""
    own = parameters_of(network.graph, node.name)
    return [name if index == 0 else f"{name}[{index}]" for name, index in node.inputs if name not in own]


def _parameter(layer: str, name: str, before: Described, after: Described) -> Iterator[Row]:
    old, new = before.params.get(name), after.params.get(name)
    was, now = ("" if array is None else shape_text(array.shape) for array in (old, new))
    if was != now:
        yield layer, f"parameter {name}", was, now
    elif old is not None and new is not None and not np.array_equal(old, new):
        yield layer, f"values of {name}", "", f"other by at most {np.abs(new - old).max():.3g}"
    if (name in before.frozen) != (name in after.frozen) and old is not None and new is not None:
        yield layer, f"frozen {name}", str(name in before.frozen), str(name in after.frozen)
