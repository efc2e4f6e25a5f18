"""`Told`: what each process of a training is told first; and what it says where it hears nothing of the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ...errors import MxtuneError
from ...graph import from_json, to_json
from ..base import AdamW, InputSpec, Program
from ..devices import Device

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


class AloneError(MxtuneError):
    """The others can't be reached any more: which of them is to blame, the process knows that started all."""


@dataclass(frozen=True)
class Told:
    """A program, as plain data, and where it runs.

    ``store`` and ``pixels`` are numbers of open files that all have: one for the engine, and one for batches. ``cpus``
    are those of each process.
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
    store: int
    pixels: int
    cpus: int

    @classmethod
    def of(
        cls, engine: str, program: Program, devices: tuple[Device, ...], precision: str, passes: bool, **rest: int
    ) -> Told:
        """A program; its graph as text, as nodes hold rules of operators, which are code."""
        one = program
        return cls(
            engine, to_json(one.graph), dict(one.params), dict(one.inputs), one.trainable, one.optimiser, one.seed,
            devices, precision, passes, **rest,
        )  # fmt: skip

    @property
    def program(self) -> Program:
        """The program again."""
        graph = from_json(self.graph)
        return Program(graph, self.params, self.inputs, self.trainable, self.optimiser, self.seed)

    def rows(self, batch: Mapping[str, Array], place: int) -> Optional[slice]:
        """The rows of a batch for one of the processes; None where there are fewer rows than processes."""
        many = len(next(iter(batch.values())))
        used = min(len(self.devices), many)
        if place >= used:
            return None
        mine = np.array_split(np.arange(many), used)[place]
        return slice(int(mine[0]), int(mine[-1]) + 1)
