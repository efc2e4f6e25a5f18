"""The ranges that int8 needs: the least and the greatest value of each map, measured on images like those to come."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Callable

import numpy as np

from ..graph import Builder, Entry, Graph, Node
from .base import Batch, Executor, InputSpec, Program, Ranges
from .passes import shapes_in


def measured(program: Program, batches: Iterable[Batch], bind: Callable[[Program], Executor]) -> Ranges:
    """For each input, and each layer that gives maps, the least and the greatest value, by its name.

    By any engine, in float32: the names are those of the graph, and the ranges serve wherever the model is used. A
    layer that only a BatchNorm or a ReLU reads is left out, as fusion leaves it out.

    Parameters
    ----------
    program
        What is to run in int8.
    batches
        Some hundred images, a batch at a time.
    bind
        Of an engine.

    Examples
    --------
    >>> from mxtune.engines import choose
    >>> b = Builder()
    >>> program = Program(b.graph(b.act(b.data(), "relu", "top")), {}, {"data": InputSpec((1, 2, 2))})
    >>> batch = np.array([[[[-1, 0], [2, 3]]]], "float32")
    >>> measured(program, [batch], choose("cpu").bind)["top"]
    (0.0, 3.0)
    """
    ranges = {name: _of_input(spec) for name, spec in program.inputs.items() if spec.mean}
    watched = _watched(program)
    if not watched:
        return ranges
    executor = bind(Program(_extremes(program.graph, watched), program.params, program.inputs))
    least, greatest = np.full(len(watched), np.inf), np.full(len(watched), -np.inf)
    for batch in batches:
        negated, largest = np.split(np.array([head.max() for head in executor.predict(batch)]), 2)
        least, greatest = np.minimum(least, -negated), np.maximum(greatest, largest)
    found = zip(watched, least.tolist(), greatest.tolist())  # of float32, so that a file holds them
    return {**ranges, **{name: (low, high) for name, low, high in found if math.isfinite(low) and math.isfinite(high)}}


def _of_input(spec: InputSpec) -> tuple[float, float]:
    """Of every image: from black to white."""
    mean, std = np.array(spec.mean), np.array(spec.std)
    return float(np.float32((-mean / std).min())), float(np.float32(((255 - mean) / std).max()))


def _watched(program: Program) -> list[str]:
    graph, shapes = program.graph, shapes_in(program)
    return [node.name for node in graph.nodes
            if node.op != "null" and len(shapes[node.name][0]) == 4 and not _is_absorbed(graph, node.name)]  # fmt: skip


def _is_absorbed(graph: Graph, name: str) -> bool:
    readers = graph.consumers[name]
    return len(readers) == 1 and (readers[0].has_role("batchnorm") or _is_relu(readers[0]))


def _is_relu(node: Node) -> bool:
    return node.op == "clip" or (node.op == "Activation" and node.values.act_type == "relu")


def _extremes(graph: Graph, watched: list[str]) -> Graph:
    """What gives the greatest value in each channel of each layer, of its negative first."""
    builder = Builder(graph)

    def greatest(entry: Entry, name: str) -> Entry:
        return builder.global_pool(entry, "max", graph.fresh(name))

    negated = [
        greatest(
            builder.add_node("_mul_scalar", graph.fresh(f"{name}_negative"), [(name, 0)], scalar="-1"), f"{name}_least"
        )
        for name in watched
    ]
    return builder.graph(*negated, *(greatest((name, 0), f"{name}_greatest") for name in watched))
