"""BatchNorm uses its stored statistics wherever those are not in training."""

from __future__ import annotations

from dataclasses import replace

from ...graph import Graph
from ..base import Program
from .base import Undo, unchanged


def freeze_statistics(program: Program) -> tuple[Program, Undo]:
    """The program whose BatchNorms keep the statistics that it does not train.

    Without a gradient alone, MXNet would go on moving them.
    """
    graph = program.graph
    nodes = tuple(
        replace(node, attrs={**node.attrs, "use_global_stats": "True"})
        if node.has_role("batchnorm") and node.inputs[3][0] not in program.trainable
        else node
        for node in graph.nodes
    )
    return replace(program, graph=Graph(nodes, graph.heads)), unchanged
