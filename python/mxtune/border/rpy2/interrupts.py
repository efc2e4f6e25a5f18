"""Ctrl-C while R runs. Python runs its handlers of signals inside rpy2's callbacks, where an exception has nowhere to
go: it is kept, and R is made to stop at once. But reticulate lets R look for events in the middle of Python code, too:
there the signal is sent again, and reaches the code it was meant for."""

from __future__ import annotations

import ctypes
import signal
import threading
import traceback
from types import FrameType, TracebackType
from typing import Optional

_CALLBACKS = (
    "_busy",
    "_callback",
    "_consoleflush",
    "_consoleread",
    "_consolereset",
    "_consolewrite_ex",
    "_showmessage",
)
_BRIDGES = ("rpy2", "rpytools")  # the latter is reticulate's
_SOON = 0.01  # seconds: after the callback has ended
_kept: list[BaseException] = []


def shield() -> None:
    """Let no exception be lost in rpy2's callbacks."""
    from rpy2.rinterface_lib import callbacks, openrlib

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
    from rpy2.rinterface_lib import openrlib

    _kept.clear()
    openrlib.rlib.R_interrupts_pending = 0


def _escaped(kind: type[BaseException], error: BaseException, trace: Optional[TracebackType]) -> None:
    """What cffi calls with an exception that left a callback."""
    if isinstance(error, Exception):
        traceback.print_exception(kind, error, trace)
        return
    if _python_was_running(trace):
        main = threading.main_thread().ident
        again = threading.Timer(_SOON, signal.pthread_kill, (main, _signal_behind(trace)))
        again.daemon = True
        again.start()
        return
    from rpy2.rinterface_lib import openrlib

    keep(error)
    openrlib.rlib.R_interrupts_pending = 1


def _python_was_running(trace: Optional[TracebackType]) -> bool:
    """Whether the callback came in the middle of Python code, and not from a call into R by rpy2 or reticulate."""
    beneath: Optional[FrameType] = trace.tb_frame.f_back if trace is not None else None
    return beneath is not None and str(beneath.f_globals.get("__name__")).partition(".")[0] not in _BRIDGES


def _signal_behind(trace: Optional[TracebackType]) -> int:
    """The signal whose handler raised."""
    ran = {frame.f_code for frame, _ in traceback.walk_tb(trace)}
    for number in signal.valid_signals():
        if getattr(signal.getsignal(number), "__code__", None) in ran:
            return number
    return signal.SIGINT
