"""R listens: progress goes to a function of R, and functions of R may watch the training."""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Mapping
from typing import Any, Callable, Optional

import pandas as pd

from ... import interrupts
from ...progress import Reporter, Silent
from ..to_r import to_r
from .wire import write

SECONDS_BETWEEN = 0.1  # of "advance": reticulate before 1.31 holds Python still while R code runs


class Listener:
    """A reporter that calls functions of R by the kind of event, no more often than it can be seen."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        self._functions = functions
        self._held = 0
        self._last = 0.0

    def event(self, kind: str, **info: Any) -> None:
        if kind not in self._functions:
            return
        if kind == "advance":
            self._held += int(info["n"])
            if time.monotonic() - self._last < SECONDS_BETWEEN:
                return
            info["n"], self._held, self._last = self._held, 0, time.monotonic()
        elif kind == "start":
            self._held, self._last = 0, 0.0
        _answer(self._functions[kind], info)


class Interruptible:
    """A reporter that hears of Ctrl-C in R's console, and of Esc in RStudio, whenever work reports progress.

    R only notes them, in a flag, while Python works. Raised from another thread they may hit a thread that is about to
    start: CPython takes it for the one that starts it.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter, self._flag = reporter, _interrupts_pending()

    def event(self, kind: str, **info: Any) -> None:
        if self.pressed():
            _interrupted()
        self._reporter.event(kind, **info)

    def pressed(self) -> bool:
        """Whether R has noted an interrupt; R then forgets it."""
        if self._flag is None or not self._flag.value:
            return False
        self._flag.value = 0
        return True

    def silenced(self) -> Interruptible:
        return Interruptible(Silent())


def hears_of_r() -> bool:
    """Whether R handles Ctrl-C in this process, and `Interruptible` hears of it."""
    return _interrupts_pending() is not None


def _interrupts_pending() -> Optional[ctypes.c_int]:
    """R's flag; None where Python hosts R, and hears of Ctrl-C itself."""
    if "rpy2" in sys.modules:
        return None
    try:
        return ctypes.c_int.in_dll(ctypes.CDLL(None), "R_interrupts_pending")
    except (ValueError, OSError, TypeError):  # TypeError: Windows has no library of that kind
        return None


class CallbackError(Exception):
    """A function of R failed; R keeps its condition."""


class Callback:
    """Functions of R as a callback of training, by the names of its stations."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        for station, function in functions.items():
            setattr(self, station, _watched(station, function))


def _watched(station: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any) -> Any:
        answer = _answer(function, *args)
        if isinstance(answer, Mapping) and answer.get("..r") == "error":
            raise CallbackError(f"{station}: {answer['message']}")
        return answer

    return run


def _answer(function: Callable[..., Any], *args: Any) -> Any:
    """What a function of R returns; Ctrl-C in R is Ctrl-C here."""
    try:
        answer = function(*map(_carried, args))
    except RuntimeError as error:
        if "Unknown exception occurred" in str(error):  # reticulate reports Ctrl-C outside R's tryCatch in no other way
            return _interrupted()
        raise
    if isinstance(answer, Mapping) and answer.get("..r") == "interrupt":
        return _interrupted()
    return answer


def _interrupted() -> None:
    """R was interrupted: what is kept watch over hears of it where work can be left, anything else stops here."""
    watch = interrupts.current()
    if watch is None:
        raise KeyboardInterrupt
    watch.note_again()


def _carried(value: Any) -> Any:
    """An argument on its way to R; the rows of a history are a data frame there."""
    rows = isinstance(value, (list, tuple)) and value and all(isinstance(row, Mapping) for row in value)
    return write(to_r(pd.DataFrame(value) if rows else value))
