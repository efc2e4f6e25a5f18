"""`Sums`: arrays of all processes, added in the order of the processes, so that sums have the same bits each time."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float32]


class Sums:
    """A row of numbers for the arrays of this process, and one for the sums of all; each process adds some columns.

    Parameters
    ----------
    place, processes
        Which of how many this one is.
    shapes
        Of the arrays, by name: the same in all.
    """

    _mine: Values
    _total: Values

    def __init__(self, place: int, processes: int, shapes: Mapping[str, Sequence[int]]) -> None:
        ends = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes.values())]).tolist()
        self._places = {name: (start, end, shape) for (name, shape), start, end in zip(shapes.items(), ends, ends[1:])}
        bounds = np.linspace(0, ends[-1], processes + 1).astype(int).tolist()
        self._place, self._size = place, ends[-1]
        self._columns = [slice(start, end) for start, end in zip(bounds, bounds[1:])]

    def put(self, arrays: Iterable[tuple[str, Values]]) -> None:
        """Give this process's arrays, all of them."""
        for name, array in arrays:
            start, end, _ = self._places[name]
            self._mine[start:end] = array.ravel()

    def put_nothing(self) -> None:
        """This process has no rows of the batch."""
        self._mine[...] = 0

    def get(self) -> dict[str, Values]:
        """Once all have added: the sums by name."""
        return {name: self._total[start:end].reshape(shape) for name, (start, end, shape) in self._places.items()}


class SharedSums(Sums):
    """In memory that all processes see.

    Parameters
    ----------
    file
        The number of the open file that is the memory.
    """

    def __init__(self, file: int, place: int, processes: int, shapes: Mapping[str, Sequence[int]]) -> None:
        super().__init__(place, processes, shapes)
        size = 4 * (processes + 1) * max(1, self._size)
        os.ftruncate(file, size)  # as long as the others make it
        self._rows: Values = np.frombuffer(mmap.mmap(file, size), np.float32).reshape(processes + 1, -1)
        self._mine, self._total = self._rows[place], self._rows[-1]

    def add(self) -> None:
        """Once all have given theirs: this process's columns."""
        columns = self._columns[self._place]
        total = self._rows[-1, columns]
        total[...] = self._rows[0, columns]
        for row in self._rows[1:-1]:
            total += row[columns]


class SentSums(Sums):
    """Of processes that share no memory: whoever tells them what to do sends columns from one to another."""

    def __init__(self, place: int, processes: int, shapes: Mapping[str, Sequence[int]]) -> None:
        super().__init__(place, processes, shapes)
        self._mine = np.zeros(self._size, np.float32)

    def parts(self) -> list[Values]:
        """What this process has given, a part for each process, which adds it."""
        return [self._mine[columns] for columns in self._columns]

    @staticmethod
    def added(parts: Sequence[Values]) -> Values:
        """The sum of what all have given for one process, in their order."""
        total = np.array(parts[0])
        for part in parts[1:]:
            total += part
        return total

    def take(self, sums: Sequence[Values]) -> None:
        """What each process has added."""
        self._total = np.concatenate(sums)
