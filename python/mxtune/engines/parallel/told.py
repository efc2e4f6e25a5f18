"""`Told`: what each process of a training is told first; and what it says where it hears nothing of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ...errors import MxtuneError
from ...graph import from_json, to_json
from ..base import AdamW, InputSpec, Program
from ..devices import Device
from .sums import SentSums, SharedSums, Sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


class AloneError(MxtuneError):
    """The others can't be reached any more: which of them is to blame, the process knows that started all."""


@dataclass(frozen=True)
class Told:
    """A program, as plain data, and where it runs.

    ``store`` is the number of an open file that all have, for the engine; None where they are on several machines.
    """

    engine: str
    graph: str
    params: Mapping[str, NDArray[np.float32]]
    inputs: Mapping[str, InputSpec]
    trainable: frozenset[str]
    optimiser: AdamW
    seed: int
    devices: tuple[Device, ...]
    precision: str
    passes: bool
    store: Optional[int] = None

    @classmethod
    def of(
        cls,
        engine: str,
        program: Program,
        devices: tuple[Device, ...],
        precision: str,
        passes: bool,
        store: Optional[int] = None,
    ) -> Told:
        """A program; its graph as text, as nodes hold rules of operators, which are code."""
        one = program
        return cls(
            engine, to_json(one.graph), dict(one.params), dict(one.inputs), one.trainable, one.optimiser, one.seed,
            devices, precision, passes, store,
        )  # fmt: skip

    @property
    def program(self) -> Program:
        """The program again."""
        graph = from_json(self.graph)
        return Program(graph, self.params, self.inputs, self.trainable, self.optimiser, self.seed)

    def sums(self, place: int, shapes: Mapping[str, Sequence[int]]) -> Sums:
        """What a process gives its arrays to, and has the sums from."""
        processes = len(self.devices)
        if self.store is None:
            return SentSums(place, processes, shapes)
        return SharedSums(self.store, place, processes, shapes)


def share(batch: Mapping[str, Array], place: int, processes: int) -> tuple[Optional[dict[str, Array]], Optional[slice]]:
    """A process's share of a batch, and which rows these are; None, twice, where there are fewer than processes."""
    many = len(next(iter(batch.values())))
    used = min(processes, many)
    if place >= used:
        return None, None
    mine = np.array_split(np.arange(many), used)[place]
    rows = slice(int(mine[0]), int(mine[-1]) + 1)
    return {name: array[rows] for name, array in batch.items()}, rows
