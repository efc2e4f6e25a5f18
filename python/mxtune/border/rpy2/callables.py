"""Functions of Python that R calls."""

from __future__ import annotations

from typing import Any, Callable

import rpy2.rinterface as ri

from ...errors import RQuitError
from . import interrupts, session, signals
from .outcome import raised

Convert = Callable[[Any], Any]
_functions: dict[int, tuple[Any, Any]] = {}  # rpy2 forgets a function that only R still holds


def function(called: Callable[..., Any], into_r: Convert, out_of_r: Convert) -> Any:
    """A function of R that calls one of Python; what this raises stops R and is the cause of its error.

    ``into_r`` and ``out_of_r`` convert its value and its arguments.
    """
    if id(called) not in _functions:
        _functions[id(called)] = (called, ri.rternalize(_carrier(called, into_r, out_of_r)))
    return session.function("hosted_function")(_functions[id(called)][1])


def _carrier(function: Callable[..., Any], into_r: Convert, out_of_r: Convert) -> Callable[..., Any]:
    def carried(*arguments: Any, **named: Any) -> Any:
        try:
            sent, by_name = [*map(out_of_r, arguments)], {name: out_of_r(value) for name, value in named.items()}
            with signals.released():
                answer = function(*sent, **by_name)
            return into_r({"value": answer})
        except RQuitError as error:
            interrupts.keep(error)
            return into_r({"interrupt": True})
        except Exception as error:  # noqa: BLE001 - it goes through R to whoever called R
            raised[:] = [error]
            return into_r({"error": f"{type(error).__name__}: {error}"})
        except BaseException as error:  # noqa: BLE001 - Ctrl-C, or a request to exit
            interrupts.keep(error)
            return into_r({"interrupt": True})

    return carried
