"""A graph as a list of calls: each operator's function, and where its inputs and outputs are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Optional

import torch
from torch import Tensor

from ...graph import Graph, Node
from ..base import Program
from ..passes import largest_in
from .attention import attention_in
from .operators import Compute, Run, compute, compute_over
from .operators.in_place import OWNERS, UNREAD

_LARGEST = 24_000_000
"""Bytes of the largest array that is computed at once on a CPU. From 32 MiB on, glibc asks the system for memory anew
for each array, and the system clears each page: with batches of 32, EfficientNet-Lite0 took three times as long."""


def rows_at_once(program: Program) -> Optional[int]:
    """How many rows of a batch a CPU had best compute at once; None where the shapes don't tell."""
    largest = largest_in(program)
    return None if largest is None else max(1, _LARGEST // (4 * largest))


@dataclass(frozen=True)
class _Call:
    """One operator: its function, the places of its inputs and outputs, and those that nobody reads any more.

    ``over`` writes over the first of ``over_inputs``: in prediction, and if ``over_always`` where a gradient is taken.
    """

    compute: Compute
    takes_run: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    done: tuple[int, ...]
    over: Optional[Compute]
    over_inputs: tuple[int, ...]
    over_always: bool


class Runner:
    """What computes a graph's heads from its variables.

    Parameters
    ----------
    graph
        What it computes; nodes that no head needs are left out.
    fuses
        Whether PyTorch's own functions stand for several nodes; see `attention`.

    Raises
    ------
    EngineError
        An operator can't be computed.
    """

    def __init__(self, graph: Graph, fuses: bool = False) -> None:
        fused = {node.name: attention_in(graph, node) for node in graph.nodes if fuses}
        nodes: list[Node] = []
        needed = {name for name, _ in graph.heads}
        for node in reversed(graph.nodes):
            if node.name in needed:
                nodes.insert(0, node)
                one = fused.get(node.name)
                needed.update(name for name, _ in (one.inputs if one else node.inputs))
        places: dict[tuple[str, int], int] = {}
        for node in nodes:
            for index in range(node.n_outputs):
                places[node.name, index] = len(places)
        self._variables = {node.name: places[node.name, 0] for node in nodes if node.is_variable}
        self._heads = tuple(places[head] for head in graph.heads)
        self._size = len(places)
        kept = {*self._heads, *self._variables.values()}
        calls: list[_Call] = []
        read_later: set[int] = set()
        for node in reversed([node for node in nodes if not node.is_variable]):
            one = fused.get(node.name)
            inputs = tuple(places[entry] for entry in (one.inputs if one else node.inputs))
            outputs = tuple(places[node.name, index] for index in range(node.n_outputs))
            done = tuple({*inputs, *outputs} - read_later - kept)
            read_later.update(inputs)
            if one is not None:
                calls.append(_Call(one.compute, False, inputs, outputs, done, None, inputs, False))
                continue
            victim = next((at for at in _writable(graph, node) if inputs[at] in done), None)
            over = None if victim is None else compute_over(node)
            over_inputs = inputs if victim is None else (inputs[victim], *inputs[:victim], *inputs[victim + 1 :])
            always = victim is not None and _forgotten(graph, node, victim)
            calls.append(_Call(*compute(node), inputs, outputs, done, over, over_inputs, always))
        self._calls = tuple(reversed(calls))

    def __call__(self, variables: Mapping[str, Tensor], run: Run) -> list[Tensor]:
        """The heads.

        Parameters
        ----------
        variables
            A tensor for every variable that a head needs; others are ignored.
        """
        values: list[Optional[Tensor]] = [None] * self._size
        for name, place in self._variables.items():
            values[place] = variables[name]
        predicts = not torch.is_grad_enabled()
        for call in self._calls:
            if call.over is not None and (predicts or call.over_always):
                out = call.over(*[values[place] for place in call.over_inputs])
            else:
                inputs = [values[place] for place in call.inputs]
                out = call.compute(*inputs, run=run) if call.takes_run else call.compute(*inputs)
            if len(call.outputs) == 1:
                values[call.outputs[0]] = out
            else:
                for place, one in zip(call.outputs, out):
                    values[place] = one
            for place in call.done:
                values[place] = None
        return [values[place] for place in self._heads]


def _writable(graph: Graph, node: Node) -> Iterator[int]:
    """Which inputs of a node it may write over, if it is the last to read them: its first one; of a sum, either.

    Nobody else can see the memory of one that an operator made, and that others have read for outputs of their own.
    """
    for at, (source, _) in enumerate(node.inputs if node.has_role("sum") else node.inputs[:1]):
        readers = (other for other in graph.consumers[source] if other is not node)
        if not graph.node(source).is_variable and all(
            other.operator.name in OWNERS for other in (graph.node(source), *readers)
        ):
            yield at


def _forgotten(graph: Graph, node: Node, at: int) -> bool:
    """Whether an input may be written over where a gradient is taken, too: no gradient depends on its value."""
    source = graph.node(node.inputs[at][0])
    if source.operator.name not in UNREAD or len(graph.consumers[source.name]) > 1:
        return False
    return node.has_role("sum") or node.operator.name == "relu" or node.attrs.get("act_type") == "relu"
