"""Ctrl-C while R runs; elsewhere at the border signals wait (`signals`).

Python runs its handlers of signals inside rpy2's callbacks, where an exception has nowhere to go: it is kept, and R is
made to stop at once. But reticulate lets R look for events in the middle of Python code, too: there the signal is sent
again, and reaches the code it was meant for.
"""

from __future__ import annotations

import ctypes
import platform
import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import FrameType, TracebackType
from typing import Any, Optional

from ... import interrupts
from . import signals

_CALLBACKS = (
    "_busy",
    "_callback",
    "_consoleflush",
    "_consoleread",
    "_consolereset",
    "_consolewrite_ex",
    "_showmessage",
)
_BRIDGES = (__package__, "rpy2", "rpytools")  # the last is reticulate's
_SOON = 0.01  # seconds: after the callback has ended
_kept: list[BaseException] = []
_depth = 0  # of calls into R within calls into R


def shield() -> None:
    """Let no exception be lost in rpy2's callbacks."""
    from rpy2.rinterface_lib import _rinterface_capi, callbacks, openrlib

    library = openrlib._rinterface_cffi
    if not hasattr(library, "lib"):  # rpy2 without a compiler: its callbacks can't be registered again
        return

    def processevents() -> None:  # rpy2's own takes a KeyboardInterrupt for R's in any case
        callbacks.processevents()

    library.ffi.def_extern(name="_processevents", onerror=_escaped)(processevents)
    for name in _CALLBACKS:
        function = getattr(callbacks, name, None)
        if callable(function):
            library.ffi.def_extern(name=name, onerror=_escaped)(function)

    evaluate = _rinterface_capi._evaluate_in_r

    def evaluate_in_r(arguments: Any) -> Any:
        with signals.held():
            return evaluate(arguments)

    library.ffi.def_extern(name="_evaluate_in_r", onerror=_not_evaluated)(evaluate_in_r)
    interrupts.pass_on(_r_runs)


def _r_runs(frame: Optional[FrameType]) -> bool:
    """Whether a signal that came to this code came to R's, which had called back to look for events."""
    in_callback = False
    while frame is not None and frame.f_globals.get("__name__") in (__name__, "rpy2.rinterface_lib.callbacks"):
        frame, in_callback = frame.f_back, True
    return in_callback and _is_bridge(frame)


def _is_bridge(frame: Optional[FrameType]) -> bool:
    """Whether this code of rpy2 or reticulate has called R."""
    return frame is None or f"{frame.f_globals.get('__name__')}.".startswith(tuple(f"{name}." for name in _BRIDGES))


def keep(error: BaseException) -> None:
    """Let `pending` give ``error`` back, when R has stopped."""
    _kept[:] = [error]


def pending() -> BaseException:
    """What the interrupt of R that has just been seen means in Python: what was raised, once."""
    # Ctrl-C in code that reticulate runs marks the process as one that ends of it; any code run so takes the mark away
    ctypes.pythonapi.PyRun_SimpleString(b"")
    return _kept.pop() if _kept else KeyboardInterrupt()


def forget() -> None:
    """Nothing of what was raised before concerns the R code that comes, or R's end."""
    if _depth:  # R code under way has still to hear of it
        return
    from rpy2.rinterface_lib import openrlib

    _kept.clear()
    openrlib.rlib.R_interrupts_pending = 0


@contextmanager
def suspended() -> Iterator[None]:
    """Within, R acts on interrupts only where it expects them, in `hosted()`: elsewhere it would write an empty line.

    One that came too late for that is raised here.
    """
    global _depth  # noqa: PLW0603
    from rpy2.rinterface_lib import openrlib

    flag = _suspended_flag()
    before, flag.value = flag.value, 1
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        flag.value = before
    if not _depth and openrlib.rlib.R_interrupts_pending:
        openrlib.rlib.R_interrupts_pending = 0
        raise pending()


@cache
def _suspended_flag() -> ctypes.c_int:
    """R's variable; where its library can't be found, one that R does not see."""
    try:
        from rpy2.rinterface_lib import openrlib
        from rpy2.situation import get_rlib_path

        library = ctypes.CDLL(get_rlib_path(openrlib.R_HOME, platform.system()))
        return ctypes.c_int.in_dll(library, "R_interrupts_suspended")
    except (ImportError, AttributeError, ValueError, OSError):
        return ctypes.c_int()


def _escaped(_: type[BaseException], error: BaseException, trace: Optional[TracebackType]) -> None:
    """What cffi calls with an exception that left a callback."""
    number = _signal_behind(error, trace)
    if number is None:
        traceback.print_exception(type(error), error, trace)
        return
    if _python_was_running(trace):
        main = threading.main_thread().ident
        again = threading.Timer(_SOON, signal.pthread_kill, (main, number))
        again.daemon = True
        again.start()
        return
    from rpy2.rinterface_lib import openrlib

    keep(error)
    openrlib.rlib.R_interrupts_pending = 1


def _not_evaluated(_: type[BaseException], error: BaseException, __: Optional[TracebackType]) -> Any:
    """What R gets, and `hosted_function()` knows, where a function of Python was not called or its value was lost."""
    from rpy2.rinterface_lib import openrlib

    keep(error)
    return openrlib.rlib.R_NilValue


def _python_was_running(trace: Optional[TracebackType]) -> bool:
    """Whether the callback came in the middle of Python code, and not from a call into R by rpy2 or reticulate."""
    return trace is not None and not _is_bridge(trace.tb_frame.f_back)


def _signal_behind(error: BaseException, trace: Optional[TracebackType]) -> Optional[int]:
    """The signal whose handler raised; None for a fault of the callback itself."""
    ran = {frame.f_code for frame, _ in traceback.walk_tb(trace)}
    for number in signal.valid_signals():
        if getattr(signal.getsignal(number), "__code__", None) in ran:
            return number
    return None if isinstance(error, Exception) else signal.SIGINT
