"""Python's end of reticulate's way: ``R/engine-call.R`` and ``R/border.R`` are R's.

One function, `call`, runs a public function with plain arguments and answers with plain data: the value, the warnings,
the error.
"""

from __future__ import annotations

import inspect
import itertools
import logging
import re
import signal
import sys
import traceback
import warnings
from contextlib import ExitStack
from typing import Any, Optional

from ... import calls, interrupts, late, progress
from ...errors import _Told
from ..to_r import to_r
from .arguments import arguments
from .reporter import CallbackError, Interruptible, Listener, hears_of_r
from .wire import Tagged, fill, write

__all__ = ["call", "fill", "give", "guard", "hand_over", "host_reporter", "log", "release", "take"]
if hears_of_r():
    interrupts.leave(signal.SIGINT)
QUIET = (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ResourceWarning, ImportWarning)


def call(what: str, owner: Any, sent: dict[str, Any], listener: Any = None) -> Tagged:
    """The outcome of ``mxtune.<what>(**sent)``, or of ``owner.<what>``, as plain data."""
    outcome: Tagged = {"value": None, "error": None, "warnings": []}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for category in QUIET:
            warnings.simplefilter("ignore", category)
        try:
            with progress.using(_reporter(listener)), calls.interface("r"):
                outcome["value"] = _carried(_run(what, owner, sent))
        except Exception as error:  # noqa: BLE001 - every fault becomes a condition of R
            outcome["error"] = _condition(error) | {"trace": traceback.format_exc()}
        except BaseException as error:  # noqa: BLE001 - Ctrl-C, or a request to exit
            outcome["error"] = {"classes": ["interrupt"], "model": _carried(getattr(error, "model", None))}
            if "mxtune.border.rpy2.interrupts" in sys.modules:  # the Python that hosts this R raises it in the end
                sys.modules["mxtune.border.rpy2.interrupts"].keep(error)
    outcome["warnings"] = [_condition(w.message) for w in caught if isinstance(w.message, Warning)]
    return outcome


class _Guarded:
    """The watch over signals that R keeps while a model is trained, until R has it."""

    def __init__(self) -> None:
        self._entered = ExitStack()
        self.watch: Optional[interrupts.Watch] = None

    def guard(self) -> None:
        """Ctrl-C and SIGTERM are watched from here on."""
        self.release()
        self.watch = self._entered.enter_context(interrupts.watching())

    def release(self) -> Optional[Tagged]:
        """No longer so. A warning to give, where one came after the outcome."""
        watch, self.watch = self.watch, None
        if watch is None:
            return None
        if Interruptible(progress.Silent()).pressed():
            watch.received.append(signal.SIGINT)
        self._entered.close()
        from ...training.run import interruption

        late = interruption(watch)
        return None if late is None else _condition(late)


_guarded = _Guarded()
guard, release = _guarded.guard, _guarded.release


def _reporter(listener: Any) -> progress.Reporter:
    """Functions of R, or a reporter of the Python that hosts R, listen; or nobody."""
    if listener is None:
        return Interruptible(progress.Silent())
    return Interruptible(Listener(listener)) if isinstance(listener, dict) else listener


def _run(what: str, owner: Any, sent: dict[str, Any]) -> Any:
    function = _find(what, owner)
    if not callable(function):
        return function
    return function(**arguments(sent, inspect.signature(function).parameters))


def _carried(value: Any) -> Any:
    return write(to_r(value))


def _find(what: str, owner: Any) -> Any:
    if owner is not None:
        return getattr(owner, what)
    if what == "prepared":
        from ...training.train import prepared

        return prepared
    from . import facts

    return getattr(facts, what, None) or late.load(what)


def _condition(error: BaseException) -> Tagged:
    """An exception or warning as data: condition classes, message, bullets, hint, files, model."""
    ours = [c.__name__ for c in type(error).__mro__ if issubclass(c, _Told) and c is not _Told]
    condition: Tagged = {
        "classes": ["mxtune" + re.sub("([A-Z])", r"_\1", name.replace("Mxtune", "")).lower() for name in ours],
        "message": _message(error),
        "bullets": [str(bullet) for bullet in getattr(error, "bullets", ())],
        "hint": getattr(error, "hint", None),
        "files": [str(name) for name, _ in getattr(error, "files", ())],
        "model": _carried(getattr(error, "model", None)),
    }
    callback = error if isinstance(error, CallbackError) else error.__cause__
    if isinstance(callback, CallbackError):
        station, _, reason = str(callback).partition(": ")
        condition["classes"] = ["mxtune_callback_error", *condition["classes"]]
        condition |= {"message": f"The callback {station} failed.", "bullets": [reason], "files": None}
    return condition


def _message(error: BaseException) -> str:
    if isinstance(error, _Told):
        return error.message
    self_explanatory = isinstance(error, (TypeError, ValueError, OSError, UserWarning)) and str(error)
    return str(error) if self_explanatory else f"{type(error).__name__}: {error}"


_keys = itertools.count(1)
_handed_over: dict[str, Any] = {}


def hand_over(value: Any) -> str:
    """A key under which R may take ``value``, once: the same object, no copy."""
    key = str(next(_keys))
    _handed_over[key] = value
    return key


def take(key: str) -> Any:
    """The object handed over under ``key``."""
    return _handed_over.pop(key)


def give(key: str, value: Any) -> None:
    """The way back from R: what `take` finds under this key."""
    _handed_over[key] = value


def log(text: str) -> None:
    """Log a message of R, where Python hosts it."""
    logging.getLogger("mxtune.rhost").info(text.rstrip("\n"))


def host_reporter(verbose: Optional[float] = None) -> progress.Reporter:
    """The reporter where Python hosts R: the one that listens in Python."""
    return progress.default(None if verbose is None else int(verbose))
