"""A frozen BatchNorm, taken into the frozen convolution or dense layer before it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ....graph import Graph, Node, subgraph
from ...base import Program
from ...passes import Undo, unchanged


def fuse_batchnorm(program: Program) -> tuple[Program, Undo]:
    """The program with fewer layers, of which none that learns has changed.

    A BatchNorm that nobody trains is a factor and a shift of each channel: those of the layer before it, if nobody
    else reads that.
    """
    graph, arrays = program.graph, dict(program.params)
    nodes: list[Node] = []
    for node in graph.nodes:
        if not _fuses(program, node):
            nodes.append(node)
            continue
        layer = graph.node(node.inputs[0][0])
        gamma, beta, mean, var = (arrays[name].astype(float) for name, _ in node.inputs[1:])
        factor = (1 if node.values.fix_gamma else gamma) / np.sqrt(var + node.values.eps)
        kernel = arrays[layer.inputs[1][0]]
        shift = arrays[layer.inputs[2][0]] if len(layer.inputs) > 2 else 0
        weight, bias = (Node(graph.fresh(f"{node.name}_fused_{part}")) for part in ("weight", "bias"))
        arrays[weight.name] = (kernel * factor.reshape(-1, *(1,) * (kernel.ndim - 1))).astype(np.float32)
        arrays[bias.name] = ((shift - mean) * factor + beta).astype(np.float32)
        # under the name of the BatchNorm, so that what reads it still finds it
        inputs = (layer.inputs[0], (weight.name, 0), (bias.name, 0))
        attrs = {**layer.attrs, "no_bias": "False"}
        nodes += [weight, bias, replace(layer, name=node.name, attrs=attrs, inputs=inputs)]
    fused = subgraph(Graph(tuple(nodes), graph.heads), graph.heads)
    params = {name: array for name, array in arrays.items() if name in fused}
    return replace(program, graph=fused, params=params), unchanged


def _fuses(program: Program, node: Node) -> bool:
    graph = program.graph
    if not node.has_role("batchnorm") or node.values.output_mean_var or not _frozen(program, node):
        return False
    layer = graph.node(node.inputs[0][0])
    if not _by_channel(layer) or not _frozen(program, layer):
        return False
    sizes = {program.params[name].shape[0] for name, _ in (*layer.inputs[1:], *node.inputs[1:])}  # what is wrong, fails
    return len(sizes) == 1 and len(graph.consumers[layer.name]) == 1 and (layer.name, 0) not in graph.heads


def _by_channel(layer: Node) -> bool:
    """Whether each row of its weight makes one channel of (N, C, ...)."""
    return layer.has_role("convolution") or (layer.has_role("dense") and bool(layer.values.flatten))


def _frozen(program: Program, node: Node) -> bool:
    """Whether all that it takes besides its data are parameters that nothing changes."""
    names = [name for name, _ in node.inputs[1:]]
    return all(name in program.params and name not in program.trainable for name in names)
