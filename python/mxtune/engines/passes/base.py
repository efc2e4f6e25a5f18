"""A pass: from a program to an equivalent one, with the way back for its trained parameters."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Callable, Optional

from ...errors import NetworkError
from ...graph import LIMITS, Shapes, shapes_of
from ..base import Params, Program

Undo = Callable[[Params], Params]
Pass = Callable[[Program], tuple[Program, Undo]]


def unchanged(params: Params) -> Params:
    """Where what is trained is the same in both programs."""
    return params


def applied(program: Program, passes: Sequence[Pass]) -> tuple[Program, Undo]:
    """The program after all of these passes, and the way back through all of them."""
    undos: list[Undo] = []
    for rewrite in passes:
        program, undo = rewrite(program)
        undos.append(undo)

    def back(params: Params) -> Params:
        for undo in reversed(undos):
            params = undo(params)
        return params

    return program, back


def shapes_in(program: Program) -> Shapes:
    """The shapes of all that is computed for one row.

    Raises
    ------
    NetworkError
        The program's arrays don't fit its graph.
    """
    known = {name: (1, *spec.row) for name, spec in program.inputs.items()}
    known.update({name: array.shape for name, array in program.params.items() if name not in program.graph.slotted})
    return shapes_of(program.graph, known, LIMITS.times(2**20))  # what is too large was refused before


def largest_in(program: Program) -> Optional[int]:
    """How many values the largest array has that is computed for one row; None where the shapes don't tell."""
    try:
        shapes = shapes_in(program)
    except NetworkError:  # computing it says what is wrong
        return None
    computed = (shapes[node.name] for node in program.graph.nodes if not node.is_variable)
    return max((prod(shape) for outputs in computed for shape in outputs), default=1)
