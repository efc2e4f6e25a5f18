"""What a head takes: the last features of a body, or those of every stage."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..graph import Builder, Entry, Graph, Shapes, subgraph


def of_body(graph: Graph, entry: Entry, shapes: Shapes) -> tuple[Builder, Entry]:
    """The graph up to `entry`, and there the features (N, d), averaged over the image or its tokens if necessary."""
    shape = shapes[entry[0]][entry[1]]
    builder = Builder(subgraph(graph, [entry]))
    if len(shape) == 4:
        if math.prod(shape[2:]) > 1:
            entry = builder.global_pool(entry, "avg", "features_pool")
        entry = builder.flatten(entry, "features")
    elif len(shape) == 3:  # (N, tokens, d)
        entry = builder.add_node("mean", "features", [entry], axis="(1,)")
    return builder, entry


def of_stages(graph: Graph, entry: Entry, shapes: Shapes, stages: Sequence[str]) -> tuple[Builder, Entry]:
    """The graph up to the stages, and there the average and maximum of each, (N, d).

    The outputs of dense layers that `entry` holds (LeNet, VGG) follow.
    """
    dense = _dense(graph, entry, shapes, stages)
    builder = Builder(subgraph(graph, [*stages, *dense]))
    pools = [builder.global_pool((stage, 0), kind) for stage in stages for kind in ("avg", "max")]
    features = builder.flatten(builder.concat(pools, "stages"), "stage_features")
    return builder, builder.concat([features, *dense], "all_features") if dense else features


def deepest(graph: Graph, shapes: Shapes) -> int:
    """The column at which the features of the last stage, and of dense layers behind it, begin in a body's output.

    0 where its features are of one stage alone, or of none.
    """
    starts: dict[str, int] = {}
    start, waiting = 0, [graph.heads[0]]
    while waiting:
        name, index = waiting.pop()
        node = graph.node(name)
        if node.has_role("gathers") and not node.has_role("pools") and not node.is_variable:
            waiting.extend(reversed(node.inputs))
            continue
        if node.has_role("pools"):
            starts.setdefault(node.inputs[0][0], start)
        start += math.prod(shapes[name][index][1:])
    return max(starts.values(), default=0)


def _dense(graph: Graph, entry: Entry, shapes: Shapes, stages: Sequence[str]) -> list[Entry]:
    """Those inputs of the classifier that come from dense layers or tokens: they hold more than a pooled stage."""
    outputs: list[Entry] = []
    waiting = [(entry, entry)]
    while waiting:
        (name, index), vector = waiting.pop()
        node, n_axes = graph.node(name), len(shapes[name][index])
        if name in stages:
            continue
        vector = (name, index) if n_axes == 2 else vector
        if node.has_role("gathers"):
            waiting.extend((source, vector) for source in reversed(node.inputs))
        elif n_axes in (2, 3) and len(shapes[vector[0]][vector[1]]) == 2:
            outputs.append(vector)
    return outputs
