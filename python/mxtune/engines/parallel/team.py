"""`Team`: processes that take the same commands, wherever they are."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable, Optional, Protocol

from ...errors import EngineError

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOT_STARTED = "Processes for the training can't be started."
LOST = "A process of the training was lost."


class Team(Protocol):
    """Processes that take the same commands, and end with this object. Where one is lost, all have ended."""

    @property
    def lost(self) -> bool:
        """Whether they have ended."""

    def ask(
        self, name: str, *arguments: Any, batch: Optional[Mapping[str, NDArray[Any]]] = None, every: bool = True
    ) -> list[Any]:
        """What each, or the first one alone, answers to a command.

        Before the arguments come its share of the batch and the rows that these are, see `told.share`; for the first
        one alone the whole batch.

        Raises
        ------
        EngineError
            One has failed, or has ended; it is named. Or this process was forked from the one that started them.
        """

    def sum(self) -> None:
        """Add what each has given to its `Sums`, so that all have the sums."""

    def close(self, error: EngineError) -> None:
        """End them; this is the error of every later call."""


Start = Callable[[str, Any, Sequence[Any], str, bool], Team]
"""What starts a team: by the name of an engine, a program, devices, a precision, and whether passes rewrite it."""


def refuse_forked(owner: int) -> None:
    """Refuse a process that was forked from the one with this number, which started a team.

    Raises
    ------
    EngineError
        This is one.
    """
    if os.getpid() != owner:  # the threads that listen stayed there
        hint = 'Start workers with multiprocessing.get_context("spawn"), or use threads.'
        raise EngineError("The processes of a training can't be used in a forked process.", hint=hint)
