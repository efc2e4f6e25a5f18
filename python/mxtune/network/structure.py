"""Where the parts of a convolutional network are: its classifier, its features, its stages."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Optional

from ..graph import Entry, Graph, Node, Shapes

_SMALLER = 0.6  # output size over input size of an operator without a stride that still ends a stage


def classifier(graph: Graph) -> Optional[str]:
    """The name of the layer that gives the logits, or None if the first output does not end in one.

    It is the dense layer, or the convolution before a pooling or a flattening, after which nothing has
    parameters.
    """
    if not graph.heads:
        return None
    node = graph.node(graph.heads[0][0])
    flat = False
    while node.has_role("passes_logits"):
        flat = flat or node.has_role("flattens") or is_global_pool(node)
        node = graph.node(node.inputs[0][0])
    if node.has_role("dense") or (node.has_role("convolution") and flat):
        return node.name
    return None


def before(graph: Graph, layer: str) -> Entry:
    """What a layer takes, past Dropout, which does nothing in prediction."""
    entry = graph.node(layer).inputs[0]
    while graph.node(entry[0]).has_role("dropout"):
        entry = graph.node(entry[0]).inputs[0]
    return entry


_KEPT = "__kept__"  # an attribute of a node, which MXNet lets pass


def kept(nodes: Iterable[Node]) -> list[Node]:
    """The nodes with a mark on each Dropout: the user's own, which a new head stands on as the old one did."""
    return [replace(node, attrs={**node.attrs, _KEPT: "True"}) if node.has_role("dropout") else node for node in nodes]


def kept_before(graph: Graph, layer: str) -> list[Node]:
    """The user's own Dropout directly before a layer, first to last."""
    found: list[Node] = []
    node = graph.node(graph.node(layer).inputs[0][0])
    while node.has_role("dropout"):
        if _KEPT in node.attrs:
            found.insert(0, node)
        node = graph.node(node.inputs[0][0])
    return found


def is_global_pool(node: Node) -> bool:
    """True for a pooling over the whole image."""
    if not node.has_role("pools"):
        return False
    values = vars(node.values)
    return bool(values.get("global_pool")) or set(values.get("output_size", (0,))) <= {1}


def stages(graph: Graph, shapes: Shapes) -> tuple[str, ...]:
    """The last layer of each resolution, finest first: what a reduction takes, and the last map.

    Where several layers of one resolution are reduced (a shortcut and a branch), it is the widest of them.

    Parameters
    ----------
    graph
        The body of a network, without its classifier.
    shapes
        Of every node's outputs, (N, C, H, W) for maps.
    """
    last_of_size: dict[tuple[int, ...], str] = {}
    last: Optional[str] = None
    behind_weights = _behind_weights(graph)
    sizes = _sizes(graph, shapes)

    def is_map(shape: tuple[int, ...]) -> bool:
        return len(shape) == 4 and shape[2:] in sizes and math.prod(shape[2:]) > 1

    for node in graph.nodes:
        if node.is_variable:
            continue
        shape = shapes[node.name][0]
        source = _map_before(graph, node.inputs[0][0])
        if node.name in behind_weights and is_map(shape) and not node.has_role("pads") and not is_global_pool(node):
            last = node.name
        if source not in behind_weights or not is_map(shapes[source][0]):
            continue
        if _reduces(node, shapes[source][0], shape):
            size = shapes[source][0][2:]
            if size not in last_of_size or _channels(shapes, source) >= _channels(shapes, last_of_size[size]):
                last_of_size[size] = source
    if last is not None and not _seen(graph, last, last_of_size):
        last_of_size.setdefault(shapes[last][0][2:], last)
    order = {node.name: number for number, node in enumerate(graph.nodes)}
    return tuple(sorted(last_of_size.values(), key=order.__getitem__))


def _seen(graph: Graph, last: str, last_of_size: Mapping[tuple[int, ...], str]) -> bool:
    """True if the last map is a stage, or merely pools one, as before the flattening in LeNet or VGG."""
    node = graph.node(last)
    return last in last_of_size.values() or (node.has_role("pools") and node.inputs[0][0] in last_of_size.values())


def _behind_weights(graph: Graph) -> set[str]:
    """Nodes that depend on a convolution: what lies before them only normalises the image."""
    names: set[str] = set()
    for node in graph.nodes:
        if node.has_role("weighted") or any(source in names for source, _ in node.inputs):
            names.add(node.name)
    return names


def _map_before(graph: Graph, name: str) -> str:
    while (node := graph.node(name)).has_role("pads") or node.has_role("dropout"):
        name = node.inputs[0][0]
    return name


def _sizes(graph: Graph, shapes: Shapes) -> set[tuple[int, ...]]:
    """The sizes of maps: what convolutions and poolings give. An attention between tokens has four axes, too."""
    makers = (node for node in graph.nodes if node.has_role("weighted") or node.has_role("pools"))
    return {shapes[node.name][0][2:] for node in makers if len(shapes[node.name][0]) == 4}


def _channels(shapes: Shapes, name: str) -> int:
    return shapes[name][0][1]


def _reduces(node: Node, before_shape: tuple[int, ...], after_shape: tuple[int, ...]) -> bool:
    if len(after_shape) != 4 or node.has_role("pads"):
        return node.has_role("averages")
    if is_global_pool(node):
        return True
    smaller = math.prod(after_shape[2:]) < math.prod(before_shape[2:])
    strided = max(getattr(node.values, "stride", ()), default=1) > 1
    return smaller and (strided or after_shape[2] <= _SMALLER * before_shape[2])
