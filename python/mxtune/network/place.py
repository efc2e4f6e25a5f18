"""Layers put after, before and in the place of others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Callable, Optional, Union

from .. import graph as graphs
from ..errors import NetworkError
from ..graph import Entry, Graph, Node, Shapes, form_of, source, written
from ..ops import Shape, find
from .layers import parameters_of
from .structure import is_global_pool, kept

New = Union[str, Graph]
Attrs = Mapping[str, object]
Edit = Callable[[Graph, str, New, Optional[str], Attrs], Graph]
"""Of a graph, a layer in it, what is new, its name or None, and its arguments."""


def insert_after(graph: Graph, layer: str, new: New, name: Optional[str], attrs: Attrs) -> Graph:
    """The graph with something new after a layer."""
    nodes, output = _new(graph, (layer, 0), new, name or layer, name is None, attrs)
    return graphs.insert(graph, layer, nodes, output)


def insert_before(graph: Graph, layer: str, new: New, name: Optional[str], attrs: Attrs) -> Graph:
    """The graph with something new before a layer."""
    nodes, output = _new(graph, source(graph, graph.node(layer)), new, name or layer, name is None, attrs)
    return graphs.insert_before(graph, layer, nodes, output)


def replaced(graph: Graph, layer: str, new: New, name: Optional[str], attrs: Attrs) -> Graph:
    """The graph with something new in the place of a layer, whose name it takes if it gets none."""
    old, name = graph.node(layer), name or layer
    taken = source(graph, old)
    if isinstance(new, Graph):
        nodes, output = _spliced(graph, taken, new)
        return graphs.replace_layer(graph, layer, nodes, output)
    form, simple = form_of(new), taken == old.inputs[0]
    if find(form.op) is old.operator and simple and not form.gate:
        new, attrs = form.op, {**old.attrs, **form.attrs, **attrs}
    elif form.op == "Pooling" and is_global_pool(old) and "kernel" not in attrs:
        attrs = {"global_pool": True, "kernel": (1, 1), **attrs}
    return graphs.replace_layer(graph, layer, kept(written(taken, new, name, attrs)), name)


def unfit(graph: Graph, layers: Iterable[str], values: Mapping[str, Shape], shapes: Shapes) -> set[str]:
    """The parameters of these layers whose values are of another shape than the graph needs."""
    own = {name for layer in layers if layer in graph for name in parameters_of(graph, layer)}
    return {name for name in own if name in values and values[name] != shapes[name][0]}


def _new(graph: Graph, entry: Entry, new: New, name: str, made: bool, attrs: Attrs) -> tuple[list[Node], str]:
    """The nodes, and the name of the last; ``made``: whether the name is to be made from that of a layer."""
    if isinstance(new, Graph):
        return _spliced(graph, entry, new)
    if made:
        name = graph.fresh(f"{name}_{new.lower()}")
    nodes = kept(written(entry, new, name, attrs))
    _refuse_taken(graph, nodes)
    return nodes, name


def _spliced(graph: Graph, entry: Entry, new: Graph) -> tuple[list[Node], str]:
    """The nodes of a graph whose one input has become this entry, and its output."""
    if len(new.inputs) != 1 or len(new.heads) != 1 or new.heads[0][1] != 0:
        raise NetworkError("Only a graph with one input and one output can be inserted.")
    data = new.inputs[0]
    nodes = [
        replace(node, inputs=tuple(entry if source == data else (source, index) for source, index in node.inputs))
        for node in new.nodes
        if node.name != data
    ]
    _refuse_taken(graph, nodes)
    return nodes, new.heads[0][0]


def _refuse_taken(graph: Graph, nodes: Iterable[Node]) -> None:
    for node in nodes:
        if node.name in graph:
            raise NetworkError(f"The network already has a layer {node.name}.", hint="Give another name=.")
