"""Where in a graph a logit still has places in the image: the maps that it is made of, and what lies behind them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import NetworkError
from ..graph import Entry, Graph, Node, Shapes
from ..ops import Shape
from .structure import is_global_pool


@dataclass(frozen=True)
class Source:
    """A map that a logit is made of.

    Parameters
    ----------
    map
        (N, C, H, W), or tokens (N, T, C).
    taken
        What the layers behind it take: its average or maximum over the image, or the map itself.
    how
        ``"average"``, ``"maximum"`` or ``"map"``: what `taken` is of it.
    grid
        H and W: of tokens, which those that come last are on; others, such as that of the class, have no place.
    step
        Pixels of the image between two positions, along H and W. ``H * step`` is less than the image's height where
        convolutions see no borders.
    """

    map: Entry
    taken: Entry
    how: str
    grid: tuple[int, int]
    step: tuple[float, float]


def sources(graph: Graph, shapes: Shapes) -> list[Source]:
    """The maps that the first output is made of, from its end backwards until what is met has places; finest first.

    A token of the class gathers from all others: there it is the tokens before the last attention.

    Raises
    ------
    NetworkError
        There are none: all that the logits are made of are dense layers.
    """
    found = dict.fromkeys(_met(graph, shapes, graph.heads[0]))
    if not found:
        raise NetworkError(
            "The network has no maps: what it says has no place in the image.",
            hint="Only networks with convolutions, or with tokens of places, can be explained.",
        )
    order = {node.name: number for number, node in enumerate(graph.nodes)}
    return sorted(found, key=lambda source: (order[source.map[0]], order[source.taken[0]]))


def source_at(graph: Graph, shapes: Shapes, layer: str) -> Source:
    """A layer's map as it is.

    Raises
    ------
    NetworkError
        There is no such layer, it has no places, or the output does not depend on it.
    """
    entry = (graph.node(layer).name, 0)
    if not _has_places(shapes[layer][0]):
        raise NetworkError(f"The layer {layer} has no places in the image.", hint="Choose a layer with maps.")
    if layer not in graph.ancestors([graph.heads[0][0]]):
        raise NetworkError(f"The output does not depend on the layer {layer}.")
    return _source(graph, shapes, entry, entry, "map")


def _met(graph: Graph, shapes: Shapes, head: Entry) -> Iterator[Source]:
    waiting, seen = [head], {head}
    while waiting:
        entry = waiting.pop()
        node = graph.node(entry[0])
        if node.is_variable:
            continue
        if _has_places(shapes[entry[0]][entry[1]]):
            entry = _unpooled(graph, entry) if len(shapes[entry[0]][entry[1]]) == 4 else _mixed(graph, shapes, entry)
            yield _source(graph, shapes, entry, entry, "map")
            continue
        how = _pools(node, shapes)
        if how:
            yield _source(graph, shapes, node.inputs[0], entry, how)
            continue
        for source in node.inputs:
            if source not in seen:
                seen.add(source)
                waiting.append(source)


def _has_places(shape: Shape) -> bool:
    """Whether it is a map, or tokens, of more than one place."""
    return (len(shape) == 4 and math.prod(shape[2:]) > 1) or (len(shape) == 3 and shape[1] > 1)


def _pools(node: Node, shapes: Shapes) -> str:
    """How a layer gathers a whole map, or all tokens: "average", "maximum", or not ("")."""
    if not node.inputs:
        return ""
    before, after = shapes[node.inputs[0][0]][node.inputs[0][1]], shapes[node.name][0]
    if not _has_places(before):
        return ""
    if node.has_role("averages"):
        axes = (1,) if len(before) == 3 else (2, 3)
        given = getattr(node.values, "axis", None) or ()
        whole = sorted(axis % len(before) for axis in given) == list(axes) and not node.values.exclude
        return "average" if whole else ""
    if node.has_role("pools") and len(after) == 4 and math.prod(after[2:]) == 1 and _covers(node, before):
        return {"avg": "average", "max": "maximum"}.get(getattr(node.values, "pool_type", "avg"), "")
    return ""


def _covers(node: Node, before: Shape) -> bool:
    """Whether its window is the whole map."""
    return is_global_pool(node) or (tuple(node.values.kernel) == before[2:] and not any(node.values.pad or ()))


def _unpooled(graph: Graph, entry: Entry) -> Entry:
    """The map before the pooling, the border and the dropout that end in this one: it has the finer places."""
    while (node := graph.node(entry[0])).has_role("pools") or node.has_role("pads") or node.has_role("dropout"):
        entry = node.inputs[0]
    return entry


def _mixed(graph: Graph, shapes: Shapes, entry: Entry) -> Entry:
    """The tokens before the last attention: behind it a token of the class has taken from them what it needs."""
    before = graph.ancestors([entry[0]])
    attentions = [node.name for node in graph.nodes if node.name in before and node.has_role("softmax")]
    if not attentions:
        return entry
    earlier = graph.ancestors([attentions[-1]])
    shape = shapes[entry[0]][entry[1]]
    sums = [node for node in graph.nodes if node.name in earlier and node.has_role("sum")]
    same = [node.name for node in sums if shapes[node.name][0] == shape]
    return (same[-1], 0) if same else entry


def _source(graph: Graph, shapes: Shapes, entry: Entry, taken: Entry, how: str) -> Source:
    shape, layer = shapes[entry[0]][entry[1]], entry[0]
    if len(shape) == 3:
        layer = _gridded(graph, shapes, entry)
        shape = shapes[layer][0]
    return Source(entry, taken, how, (shape[2], shape[3]), _step(graph, shapes, layer))


def _gridded(graph: Graph, shapes: Shapes, entry: Entry) -> str:
    """The last map before tokens that has as many positions; tokens without a place are few, and come first."""
    count = shapes[entry[0]][entry[1]][1]
    for name in _maps(graph, shapes, entry[0])[::-1]:
        if 0 <= count - math.prod(shapes[name][0][2:]) <= _EXTRA:
            return name
    raise NetworkError(f"The tokens of {entry[0]} are on no grid that is known.")


_EXTRA = 8


def _maps(graph: Graph, shapes: Shapes, layer: str) -> list[str]:
    """What convolutions and poolings give up to a layer: an attention between tokens has four axes, too."""
    before = graph.ancestors([layer])
    makers = (
        node for node in graph.nodes if node.name in before and (node.has_role("weighted") or node.has_role("pools"))
    )
    return [node.name for node in makers if len(shapes[node.name][0]) == 4]


def _step(graph: Graph, shapes: Shapes, layer: str) -> tuple[float, float]:
    """How many pixels of the image lie between two positions of a map: the product of the strides before it."""
    steps: dict[str, tuple[float, float]] = dict.fromkeys(graph.inputs, (1.0, 1.0))
    for node in graph.nodes:
        known = [(steps[name], shapes[name][index]) for name, index in node.inputs if name in steps]
        after = () if node.is_variable else shapes[node.name][0]
        if len(after) != 4 or not known:
            continue
        step, before = max(known, key=lambda pair: math.prod(pair[1][2:]))  # and not the factor of each channel
        strides = _strides(node, before, after)
        steps[node.name] = (step[0] * strides[0], step[1] * strides[1])
        if node.name == layer:
            break
    return steps[layer]


def _strides(node: Node, before: Shape, after: Shape) -> tuple[float, float]:
    slides = (node.has_role("convolution") or node.has_role("pools")) and not is_global_pool(node)
    given = tuple(getattr(node.values, "stride", None) or ()) if slides else ()
    if len(given) == 2:
        return given[0], given[1]
    if slides or node.has_role("pads"):
        return 1.0, 1.0
    return before[2] / after[2], before[3] / after[3]
