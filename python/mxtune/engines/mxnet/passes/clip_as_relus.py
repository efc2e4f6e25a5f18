"""A ``clip`` from 0 as two ReLUs, in training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ....graph import Entry, Graph, Node
from ...base import Program
from ...passes import Undo, shapes_in, unchanged

_EPS = 2.0**-10  # with its complement exactly 1


def clip_as_relus(program: Program) -> tuple[Program, Undo]:
    """The program without ``clip`` from 0, where there is something to train.

    MXNet's own operators, ``clip`` and minimum, take maps out of oneDNN's memory layout and back: two fifths of a step
    of MobileNetV2 on a CPU. Of x up to 6, ``6 - relu(6 - relu(x))`` is the same, and so is
    ``relu(6 - relu(6 - x))``, whose inner difference costs nothing: the layer before gives it, its parameters negated.
    The outer one is a BatchNorm with fixed statistics. What does not come from such a layer is a ReLU and a minimum.
    For inference ``clip`` stays: MXNet's fusion takes it into the convolution.
    """
    graph = program.graph
    clips = {node.name: node for node in graph.nodes if node.op == "clip" and node.values.a_min == 0}
    if not program.trainable or not clips:
        return program, unchanged
    made = _Made(program)
    turned = {node.inputs[0][0]: node.attrs["a_max"] for node in clips.values() if made.turns(node)}
    for node in graph.nodes:
        if node.name in turned:
            made.turned(node, turned[node.name])
        elif node.name not in clips:
            made.nodes.append(node)
        elif node.inputs[0][0] in turned:
            made.outer(node)
        else:
            made.minimum(node)
    return replace(program, graph=Graph(tuple(made.nodes), graph.heads), params=made.params), unchanged


class _Made:
    """The nodes and arrays of the new program, as they come."""

    def __init__(self, program: Program) -> None:
        self._graph = program.graph
        self._shapes = shapes_in(program)
        self.nodes: list[Node] = []
        self.params = dict(program.params)

    def turns(self, clip: Node) -> bool:
        """Whether the layer before can give the difference to the clip's largest value instead."""
        name, at = clip.inputs[0]
        node = self._graph.node(name)
        if len(self._graph.consumers[name]) > 1 or (name, at) in self._graph.heads or len(self._shapes[name][0]) != 4:
            return False
        if node.has_role("batchnorm"):
            return at == 0 and not node.values.fix_gamma and getattr(node.values, "axis", 1) == 1
        return node.has_role("convolution") and len(node.inputs) == 3

    def turned(self, node: Node, largest: str) -> None:
        """The layer with its scale or kernels negated and its shift taken from the largest value."""
        data, scale, shift, *rest = node.inputs
        negative = self._add(f"{node.name}_negative", "_mul_scalar", {"scalar": "-1"}, scale)
        from_largest = self._add(f"{node.name}_from_largest", "_rminus_scalar", {"scalar": largest}, shift)
        self.nodes.append(node.taking((data, negative, from_largest, *rest)))

    def outer(self, clip: Node) -> None:
        """A ReLU, the difference, and a ReLU by the clip's name."""
        channels = self._shapes[clip.inputs[0][0]][0][1]
        relu = self._add(f"{clip.name}_relu", "Activation", {"act_type": "relu"}, clip.inputs[0])
        values = {"gamma": -1.0, "beta": clip.values.a_max, "moving_mean": 0.0, "moving_var": 1 - _EPS}
        arrays = [self._constant(f"clip_{name}_{value}_{channels}", value, channels) for name, value in values.items()]
        attrs = {"eps": str(_EPS), "fix_gamma": "False", "use_global_stats": "True"}
        difference = self._add(f"{clip.name}_difference", "BatchNorm", attrs, relu, *arrays)
        self.nodes.append(Node(clip.name, "Activation", {"act_type": "relu"}, (difference,)))

    def minimum(self, clip: Node) -> None:
        """A ReLU and a minimum."""
        relu = self._add(f"{clip.name}_relu", "Activation", {"act_type": "relu"}, *clip.inputs)
        self.nodes.append(Node(clip.name, "_minimum_scalar", {"scalar": clip.attrs["a_max"]}, (relu,)))

    def _constant(self, name: str, value: float, channels: int) -> Entry:
        if name not in self.params:
            self.params[name] = np.full(channels, value, np.float32)
            self.nodes.append(Node(name))
        return name, 0

    def _add(self, name: str, op: str, attrs: Mapping[str, str], *inputs: Entry) -> Entry:
        self.nodes.append(Node(self._graph.fresh(name), op, attrs, inputs))
        return self.nodes[-1].name, 0
