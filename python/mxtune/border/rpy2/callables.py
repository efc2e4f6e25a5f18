"""Functions of Python that R calls."""

from __future__ import annotations

from typing import Any, Callable

import rpy2.rinterface as ri

from . import interrupts, session

raised: list[BaseException] = []  # what a Python function that R called has raised
_functions: dict[int, tuple[Any, Any]] = {}  # rpy2 forgets a function that only R still holds


def function(called: Callable[..., Any]) -> Any:
    """A function of R that calls one of Python; what this raises stops R and is the cause of its error."""
    if id(called) not in _functions:
        _functions[id(called)] = (called, ri.rternalize(_carrier(called)))
    return session.function("hosted_function")(_functions[id(called)][1])


def _carrier(function: Callable[..., Any]) -> Callable[..., Any]:
    from .sexp import into_r, out_of_r

    def carried(*arguments: Any, **named: Any) -> Any:
        try:
            answer = function(*map(out_of_r, arguments), **{name: out_of_r(value) for name, value in named.items()})
            return into_r({"value": answer})
        except Exception as error:  # noqa: BLE001 - it goes through R to whoever called R
            raised[:] = [error]
            return into_r({"error": f"{type(error).__name__}: {error}"})
        except BaseException as error:  # noqa: BLE001 - Ctrl-C, or the wish to exit
            interrupts.keep(error)
            return into_r({"interrupt": True})

    return carried
