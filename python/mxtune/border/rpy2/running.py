"""R code runs, and what R says of it arrives as Python says such things."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import rpy2.rinterface as ri

from ...errors import RError, RWarning
from . import interrupts, session
from .callables import raised
from .sexp import into_r, out_of_r

# how reticulate tells of Ctrl-C in Python code, and in R code that Python code called
_INTERRUPTED = re.compile(r"KeyboardInterrupt|RuntimeError: \(Unknown exception occurred\)")
_BORDER = Path(__file__).resolve().parents[1]
_OURS = (str(_BORDER), str(_BORDER.with_name("rhost.py")))


def call(what: Any, arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """See `mxtune.rhost.call`."""
    function, named = into_r(what), {name: value for name, value in named.items() if value is not ri.MissingArg}
    sent = ri.ListSexpVector([into_r(value) for value in (*arguments, *named.values())])
    return run("hosted_call", function, sent, into_r([""] * len(arguments) + list(named)))


def evaluate(code: str, variables: Mapping[str, Any]) -> Any:
    """See `mxtune.rhost.eval`."""
    return run("hosted_eval", into_r(code), into_r(dict(variables)))


def run(name: str, *arguments: Any) -> Any:
    """What a function of R's package mxtune that ends in ``hosted()`` gives."""
    return out_of_r(outcome(raw(name, *arguments)))


def raw(name: str, *arguments: Any) -> Any:
    """The outcome as R tells it."""
    from rpy2.rinterface_lib.embedded import RRuntimeError

    session.start()
    interrupts.forget()
    try:
        return session.function(name)(*arguments)
    except RRuntimeError as error:  # an interrupt before or after what hosted() watches
        if str(error).strip():
            raise RError(str(error).strip()) from error
        raise interrupts.pending() from None


def outcome(told: Any) -> Any:
    """The value, still R's; or the exception. R's warnings become warnings."""
    parts = dict(zip(told.names, told))
    for warning in list(parts.pop("warnings", None) or ()):
        _warn(dict(zip(warning.names, warning)))
    if "interrupt" in parts:
        raise interrupts.pending()
    if "error" in parts:
        raise _error(parts["error"])
    return parts["value"]


def _error(condition: Any) -> BaseException:
    told = {name: list(value) for name, value in zip(condition.names, condition)}
    text, where = told["message"][0], told["call"][0]
    if _INTERRUPTED.match(text) and "mxtune_python_error" not in told["class"]:
        return interrupts.pending()
    error = RError(f"R stopped in {where}: {text}" if where else f"R stopped: {text}")
    error.text, error.call, error.classes = text, where, tuple(told["class"])
    error.__cause__ = raised.pop() if raised and "mxtune_python_error" in error.classes else None
    return error


def _warn(told: Mapping[str, Any]) -> None:
    text, where = told["message"][0], told["call"][0]
    warning = RWarning(f"{text} (in {where})" if where else text)
    warning.text, warning.call, warning.classes = text, where, tuple(told["class"])
    warnings.warn(warning, stacklevel=_outside())


def _outside() -> int:
    """The level of the user's own line."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        level, frame = level + 1, frame.f_back
    return level
