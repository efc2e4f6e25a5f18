"""The ranges that int8 needs: the least and the greatest value of each map, measured on images like those to come."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Callable, Optional

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
    floors = {name: floor for name in watched if (floor := _floor(program.graph.node(name))) is not None}
    signed = [name for name in watched if name not in floors]
    executor = bind(Program(_extremes(program.graph, signed, watched), program.params, program.inputs))
    least, greatest = np.full(len(signed), np.inf), np.full(len(watched), -np.inf)
    for batch in batches:
        heads = executor.predict(batch)
        ends = np.array([head.max() for head in (heads if isinstance(heads, list) else [heads])])
        least, greatest = np.minimum(least, -ends[: len(signed)]), np.maximum(greatest, ends[len(signed) :])
    lowest = {**floors, **dict(zip(signed, least.tolist()))}
    found = ((name, lowest[name], high) for name, high in zip(watched, greatest.tolist()))  # of float32, as in a file
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
    return len(readers) == 1 and (readers[0].has_role("batchnorm") or _floor(readers[0]) is not None)


def _floor(node: Node) -> Optional[float]:
    """What the values of a ReLU do not fall below; None of other layers."""
    if node.op == "clip":
        return float(np.float32(node.values.a_min))
    return 0.0 if node.op == "Activation" and node.values.act_type == "relu" else None


def _extremes(graph: Graph, signed: list[str], watched: list[str]) -> Graph:
    """What gives the greatest value in each channel: of the negative of some layers, then of all layers."""
    builder = Builder(graph)

    def greatest(entry: Entry, name: str) -> Entry:
        return builder.global_pool(entry, "max", graph.fresh(name))

    negated = [
        greatest(
            builder.add_node("_mul_scalar", graph.fresh(f"{name}_negative"), [(name, 0)], scalar="-1"), f"{name}_least"
        )
        for name in signed
    ]
    return builder.graph(*negated, *(greatest((name, 0), f"{name}_greatest") for name in watched))
