"""Embeddings of positions, resampled for another size of the image."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import NetworkError
from ..graph import LIMITS, Entry, Graph, Limits, Node, Shapes, shapes_of, subgraph
from ..ops import Shape, spell

Array = NDArray[np.float32]
_SUMS = ("elemwise_add", "broadcast_add")


def resampled(
    graph: Graph, values: dict[str, Array], before: Shapes, picture: tuple[str, Shape], limits: Limits
) -> tuple[Graph, dict[str, Array]]:
    """The graph and the values of its parameters, where those that are added to a map, or to tokens of it, fit again.

    Parameters
    ----------
    before
        The shapes of all nodes for the size that the embeddings have.
    picture
        The input, and its shape at the other size.

    Raises
    ------
    NetworkError
        The tokens are on no grid that is known.
    """
    changed: dict[str, Array] = {}
    for name, data in _positions(graph):
        array = values[name]
        now = shapes_of(subgraph(graph, [data]), dict([picture]), limits)
        wanted = (*array.shape[:1], *now[data[0]][data[1]][1:])
        if array.shape == wanted or array.shape[1:] != before[data[0]][data[1]][1:]:
            continue
        changed[name] = _fitted(name, array, wanted, _grids(graph, data, before), _grids(graph, data, now))
        if len(wanted) == 3:
            graph = _open(graph, array.shape[1], before)
        nodes = (
            replace(node, attrs={**node.attrs, "__shape__": spell(wanted)}) if node.name == name else node
            for node in graph.nodes
        )
        graph = Graph(tuple(nodes), graph.heads)
    return graph, changed


def resampled_graph(graph: Graph, size: tuple[int, int], other: tuple[int, int], channels: int) -> Graph:
    """The graph for images of another size, where its embeddings of positions have no values yet."""
    if size == other or not _positions(graph):
        return graph
    (data,) = graph.inputs
    before = shapes_of(graph, {data: (1, channels, *size)})
    values = {name: np.zeros(before[name][0], np.float32) for name, _ in _positions(graph)}
    if not any(values[name].shape[1:] == before[node][index][1:] for name, (node, index) in _positions(graph)):
        return graph  # with biases alone, which fit any size
    return resampled(graph, values, before, (data, (1, channels, *other)), LIMITS)[0]


def misfits(graph: Graph, values: Mapping[str, NDArray[Any]], shapes: Shapes) -> bool:
    """Whether embeddings of positions are for another size of the image than the one with these shapes."""
    names = {name for name, _ in _positions(graph)}
    return any(name in values and values[name].shape != shapes[name][0] for name in names)


def _open(graph: Graph, tokens: int, shapes: Shapes) -> Graph:
    """The graph whose Reshapes keep the number of tokens that comes, where they write this number."""

    def opened(node: Node) -> Node:
        if node.is_variable or node.operator.name != "Reshape" or node.values.reverse:
            return node
        data, sides = shapes[node.inputs[0][0]][node.inputs[0][1]], list(node.values.shape)
        for axis, side in enumerate(sides):
            if side is None or side < -1 or axis >= len(data):
                break  # from here on sides of the result and of what comes don't go together
            if side == tokens == data[axis]:
                sides[axis] = 0
        return replace(node, attrs={**node.attrs, "shape": spell(tuple(sides))})

    return Graph(tuple(map(opened, graph.nodes)), graph.heads)


def _positions(graph: Graph) -> list[tuple[str, Entry]]:
    """The parameters that are added to something else, and to what."""
    free = {name for name, role in graph.roles.items() if role == "weight" and name not in graph.slotted}
    pairs = (
        (one[0], other)
        for node in graph.nodes
        if not node.is_variable and node.operator.name in _SUMS
        for one, other in (node.inputs, node.inputs[::-1])
    )
    return [(name, data) for name, data in pairs if name in free]


def _grids(graph: Graph, data: Entry, shapes: Shapes) -> list[tuple[int, int]]:
    """Heights and widths of the maps before this entry, from the nearest on."""
    maps = (shapes[node.name][0] for node in reversed(graph.nodes) if node.name in graph.ancestors([data[0]]))
    return list(dict.fromkeys((shape[2], shape[3]) for shape in maps if len(shape) == 4))


def _fitted(name: str, array: Array, wanted: Shape, old: list[tuple[int, int]], new: list[tuple[int, int]]) -> Array:
    if len(wanted) == 4 and array.shape[1] == wanted[1]:
        return np.stack([_map(channels, (wanted[2], wanted[3])) for channels in array])
    if len(wanted) == 3 and array.shape[2] == wanted[2]:
        for grid, other in zip(old, new):
            extra = array.shape[1] - math.prod(grid)  # tokens of no place, such as that of the class, come first
            if extra >= 0 and extra == wanted[1] - math.prod(other):
                return np.stack([_tokens(tokens, extra, grid, other) for tokens in array])
    raise NetworkError(f"The parameter {name} can't be made to fit another size of the image.")


def _tokens(tokens: Array, extra: int, grid: tuple[int, int], other: tuple[int, int]) -> Array:
    """(tokens, channels), those of the grid resampled."""
    maps = tokens[extra:].reshape(*grid, -1).transpose(2, 0, 1)
    return np.concatenate([tokens[:extra], _map(maps, other).reshape(len(maps), -1).T])


def _map(channels: Array, size: tuple[int, int]) -> Array:
    """(channels, height, width), by cubic convolution that smooths before it shrinks: as timm does."""
    height, width = size
    images = (Image.fromarray(np.ascontiguousarray(channel, np.float32)) for channel in channels)
    return np.stack([np.asarray(image.resize((width, height), Image.Resampling.BICUBIC)) for image in images])
