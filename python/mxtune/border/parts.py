"""Which part of a value can't cross, and why: one error names it by R's way to it (``x$user.name``)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Optional

from ..errors import RHostError

# what NumPy and pandas say of a value that they have no room for
_FAULTS = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError)

_SHOWN = 8  # steps of a path: a list that holds itself has no end


class Stuck(Exception):  # noqa: N818 - no error of ours to users: `crossing` makes one of it
    """Why a part can't cross; ``path`` leads to it."""

    def __init__(self, reason: str, hint: Optional[str] = None) -> None:
        super().__init__(reason)
        self.reason, self.hint = reason, hint
        self.path: list[str] = []


@contextmanager
def part(name: Any) -> Iterator[None]:
    """What is stuck in here lies within the part of this name."""
    try:
        yield
    except Stuck as stuck:
        stuck.path.insert(0, str(name))
        raise
    except _FAULTS as error:
        unforeseen = Stuck(f"{type(error).__name__}: {error}")
        unforeseen.path.append(str(name))
        raise unforeseen from error


@contextmanager
def crossing(where: str) -> Iterator[None]:
    """The whole way of one value, ``"into R"`` or ``"out of R"``."""
    try:
        yield
    except Stuck as stuck:
        path = stuck.path if len(stuck.path) <= _SHOWN else [*stuck.path[:_SHOWN], "..."]
        what = f"`{'$'.join(path).replace('$[[', '[[')}`" if path else "this value"
        raise RHostError(f"Can't carry {what} {where}.", [stuck.reason], stuck.hint) from stuck.__cause__
    except _FAULTS as error:
        raise RHostError(f"Can't carry this value {where}.", [f"{type(error).__name__}: {error}"]) from error
