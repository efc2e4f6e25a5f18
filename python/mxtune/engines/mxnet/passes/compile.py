"""Passes: functions from a graph and its parameters to a graph that computes the same, faster."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ....graph import Entry, Graph, Node, subgraph
from ....graph.data import integers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Params = Mapping[str, NDArray[Any]]


def even_kernels(
    graph: Graph, params: Params, trainable: Collection[str] = ()
) -> tuple[Graph, dict[str, NDArray[Any]]]:
    """The network with TensorFlow's uneven SAME padding done by the convolution itself.

    A ``Pad`` of (0, 1) before a 3 x 3 kernel becomes a 4 x 4 kernel with a leading row and column of zeros and a
    padding of 1: the same function without the detour through another memory layout, which costs 1.8 times the
    whole network. A kernel that is in training stays as it is, and is padded in the graph.

    Parameters
    ----------
    graph, params
        The network.
    trainable
        Parameters that must keep their shape, as they are in training.
    """
    nodes: list[Node] = []
    arrays = dict(params)
    for node in graph.nodes:
        widths = zeros_before(graph, node)
        if widths is None:
            nodes.append(node)
            continue
        (top, bottom), (left, right) = widths
        grown = (bottom - top, right - left)
        kernel = integers(node.attrs["kernel"])
        weight = node.inputs[1][0]
        zeros = ((0, 0), (0, 0), (grown[0], 0), (grown[1], 0))
        if weight in trainable:
            padded = Node(
                f"{node.name}_even_kernel",
                "Pad",
                {
                    "mode": "constant",
                    "constant_value": "0",
                    "pad_width": str(tuple(n for pair in zeros for n in pair)),
                },
                (node.inputs[1],),
            )
            nodes.append(padded)
            weight_entry = (padded.name, 0)
        else:
            arrays[weight] = np.pad(params[weight], zeros)
            weight_entry = node.inputs[1]
        source = graph.node(node.inputs[0][0]).inputs[0]
        attrs = {
            **node.attrs,
            "kernel": str((kernel[0] + grown[0], kernel[1] + grown[1])),
            "pad": str((bottom, right)),
        }
        nodes.append(replace(node, attrs=attrs, inputs=(source, weight_entry, *node.inputs[2:])))
    return subgraph(Graph(tuple(nodes), graph.heads), graph.heads), arrays


def zeros_before(graph: Graph, node: Node) -> Optional[tuple[tuple[int, int], tuple[int, int]]]:
    """The zeros ``((top, bottom), (left, right))`` before this convolution, where its kernel can take them over."""
    if node.op != "Convolution" or any(integers(node.attrs.get("pad", "()"))):
        return None
    pad = graph.node(node.inputs[0][0])
    weight = graph.node(node.inputs[1][0])
    shared = weight.op != "null" or len(graph.consumers[weight.name]) > 1
    if pad.op != "Pad" or shared or pad.attrs.get("mode", "constant") != "constant":
        return None
    if float(pad.attrs.get("constant_value", "0")) != 0 or max(integers(node.attrs.get("dilate", "1")), default=1) > 1:
        return None
    widths = integers(pad.attrs["pad_width"])
    if len(widths) != 8 or any(widths[:4]) or widths[5] < widths[4] or widths[7] < widths[6]:
        return None
    return (widths[4], widths[5]), (widths[6], widths[7])


_SUMS = frozenset({"elemwise_add", "_plus", "_Plus", "_add", "_grad_add"})
_KEEPS = frozenset({"Activation", "LeakyReLU", "_copy", "clip", "identity", "relu", "sigmoid", "tanh"})


def fusible(graph: Graph) -> Graph:
    """The graph in which MXNet 1.9's fusion goes wrong no more: the same function.

    It does not see that a convolution's output is also an output of the graph, and gives it out without what follows,
    or loses what follows; and it takes the sum of a convolution and its own activation for a shortcut. A factor of 1
    in between stops it.
    """
    nodes: list[Node] = []
    factors: dict[Entry, Node] = {}

    def apart(entry: Entry) -> Entry:
        if entry not in factors:
            name = graph.fresh(f"{entry[0]}_{entry[1]}_apart")
            factors[entry] = Node(name, "_mul_scalar", {"scalar": "1"}, (entry,))
            nodes.append(factors[entry])
        return factors[entry].name, 0

    for node in graph.nodes:
        if node.op in _SUMS and len({_origin(graph, entry) for entry in node.inputs}) == 1:
            nodes.append(replace(node, inputs=tuple(apart(entry) for entry in node.inputs)))
        else:
            nodes.append(node)
    heads = tuple(apart(entry) if graph.consumers[entry[0]] else entry for entry in graph.heads)
    return Graph(tuple(nodes), heads)


def _origin(graph: Graph, entry: Entry) -> Entry:
    """What an entry is made of, seen through activations."""
    while graph.node(entry[0]).op in _KEEPS and graph.node(entry[0]).inputs:
        entry = graph.node(entry[0]).inputs[0]
    return entry


def frozen_statistics(graph: Graph, trainable: Collection[str]) -> Graph:
    """The graph in which BatchNorm uses its stored statistics wherever those are not in training.

    Without a gradient alone, MXNet would go on moving them.
    """
    nodes = tuple(
        replace(node, attrs={**node.attrs, "use_global_stats": "True"})
        if node.op.startswith("BatchNorm") and node.inputs[3][0] not in trainable
        else node
        for node in graph.nodes
    )
    return Graph(nodes, graph.heads)


def quick_clip(graph: Graph) -> Graph:
    """The graph in which ``clip`` from 0 is a ReLU and a minimum, which take two thirds of its time in training."""
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.op == "clip" and float(node.attrs["a_min"]) == 0:
            relu = Node(graph.fresh(f"{node.name}_relu"), "Activation", {"act_type": "relu"}, node.inputs)
            least = Node(node.name, "_minimum_scalar", {"scalar": node.attrs["a_max"]}, ((relu.name, 0),))
            nodes += [relu, least]
        else:
            nodes.append(node)
    return Graph(tuple(nodes), graph.heads)
