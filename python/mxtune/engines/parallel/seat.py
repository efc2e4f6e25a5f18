"""`Seat`: what each process of a training has."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from ...errors import EngineError, MxtuneError
from .. import get
from .team import NOT_STARTED
from .told import Told


class Seat:
    """The replica of a process, which takes commands.

    Raises
    ------
    EngineError
        It can't be made.
    """

    def __init__(self, told: Told, place: int) -> None:
        try:
            self.replica = get(told.engine).replica(told, place)
        except (EngineError, RuntimeError) as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise EngineError(NOT_STARTED, [first]) from error

    def answer(self, name: str, *arguments: Any) -> Any:
        """What a command gives, a method of the replica or ``"sums.add"``; or the error that it meets."""
        try:
            return attrgetter(name)(self.replica)(*arguments)
        except MxtuneError as error:
            return error
