"""`Sums`: arrays of all processes, added in memory that they share."""

from __future__ import annotations

import mmap
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float32]


class Sums:
    """A row of numbers for each process, which only it writes, and one for their sum.

    The sum has the order of the processes, so that it has the same bits each time.

    Parameters
    ----------
    file
        The number of the open file that is the memory.
    place, processes
        Which of how many this one is.
    shapes
        Of the arrays, by name: the same in all.
    """

    def __init__(self, file: int, place: int, processes: int, shapes: Mapping[str, Sequence[int]]) -> None:
        ends = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes.values())]).tolist()
        self._places = {name: (start, end, shape) for (name, shape), start, end in zip(shapes.items(), ends, ends[1:])}
        size = 4 * (processes + 1) * max(1, ends[-1])
        os.ftruncate(file, size)  # as long as the others make it
        self._rows: Values = np.frombuffer(mmap.mmap(file, size), np.float32).reshape(processes + 1, -1)
        bounds = np.linspace(0, ends[-1], processes + 1).astype(int)
        self._place, self._columns = place, slice(bounds[place], bounds[place + 1])

    def put(self, arrays: Mapping[str, Any]) -> None:
        """Give this process's arrays, all of them; or none, for zeros."""
        mine = self._rows[self._place]
        if not arrays:
            mine[...] = 0
        for name, array in arrays.items():
            start, end, _ = self._places[name]
            mine[start:end] = array.asnumpy().ravel()

    def add(self) -> None:
        """Once all have given theirs: this process's share of the adding."""
        total = self._rows[-1, self._columns]
        total[...] = self._rows[0, self._columns]
        for row in self._rows[1:-1]:
            total += row[self._columns]

    def get(self) -> dict[str, Values]:
        """Once all have added: the sums by name."""
        return {name: self._rows[-1, start:end].reshape(shape) for name, (start, end, shape) in self._places.items()}
