"""The one R of this process: started in the main thread, kept alive to a clean end."""

from __future__ import annotations

import atexit
import contextlib
import importlib.metadata
import importlib.util
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Optional

from ..._version import __version__
from ...engines import info
from ...errors import RError, RHostError
from . import interrupts, signals
from .outcome import outcome

_REMOTE = "Python's own methods, such as model.predict(), work in every thread."
_home: Optional[int] = None  # the thread that R belongs to
_forked = False
_package: Any = None  # R's namespace of the package mxtune


def start() -> None:
    """See `mxtune.rhost.start`."""
    global _home, _package  # noqa: PLW0603 - there is one R in a process
    if _forked:
        raise RHostError(
            "R was started before this process was forked, and can't be used in the child.",
            hint='Start workers as new processes: multiprocessing.get_context("spawn"), or subprocess.',
        )
    here = threading.get_ident()
    if _home is not None:
        if here != _home:
            raise RHostError(_elsewhere("R belongs to the main thread"), hint=f"Call it from there. {_REMOTE}")
        if _package is not None:
            return
    elif threading.current_thread() is not threading.main_thread():
        raise RHostError(_elsewhere("R can only be started in the main thread"), hint=f"Call it there. {_REMOTE}")
    with signals.held(), _own_sigint():
        _begin()
        _home = here
        package = _load_package()
        interrupts.shield()
        atexit.register(interrupts.forget)
        _attach(package)
        _package = package


def function(name: str) -> Callable[..., Any]:
    """A function of R's package mxtune, exported or not, whose work is short: no signal stops it."""
    import rpy2.rinterface as ri

    def called(*arguments: Any) -> Any:
        with signals.held(), interrupts.suspended():
            return ri.baseenv["get"](name, envir=_package)(*arguments)

    return called


def raw(name: str, *arguments: Any) -> Any:
    """The outcome of the user's R code, as R reports it; signals stop it."""
    import rpy2.rinterface as ri
    from rpy2.rinterface_lib.embedded import RRuntimeError

    start()
    with signals.held():
        interrupts.forget()
        try:
            with interrupts.suspended():
                return _evaluated(ri.baseenv["get"](name, envir=_package), arguments)
        except RRuntimeError as error:  # an interrupt before or after what hosted() watches
            if str(error).strip():
                raise RError(str(error).strip()) from error
            raise interrupts.pending() from None


def _evaluated(function: Any, arguments: Sequence[Any]) -> Any:
    """A function's value as rpy2 has it, but for signals, which pass while R works."""
    from rpy2.rinterface_lib import _rinterface_capi, conversion, embedded, memorymanagement, openrlib

    library, failed = openrlib.rlib, openrlib.ffi.new("int *", 0)
    with memorymanagement.rmemory() as protected:
        call = protected.protect(_rinterface_capi.build_rcall(function.__sexp__._cdata, arguments))
        with signals.released():
            # the call, which is protected, keeps the value
            value = library.SETCAR(call, library.R_tryEval(call, library.R_GlobalEnv, failed))
        if failed[0]:
            raise embedded.RRuntimeError(_rinterface_capi._geterrmessage())
        return conversion._cdata_to_rinterface(value)


def _elsewhere(rule: str) -> str:
    return f"{rule}, and this is the thread {threading.current_thread().name}."


def _begin() -> None:
    """Import rpy2, which starts R; not interactive, so that no R code waits for an answer."""
    if importlib.util.find_spec("rpy2") is None or info.r_found()[0] is None:
        raise _missing()
    began = "rpy2.robjects" in sys.modules
    try:
        import rpy2.rinterface as ri

        if not began:
            with warnings.catch_warnings():  # R's start script sets variables again, in every R
                warnings.filterwarnings("ignore", "Environment variable .* redefined by R")
                ri.initr(interactive=False)
        import rpy2.robjects  # noqa: F401 - registers R's end with atexit once more; before reticulate is loaded
    except Exception as error:
        raise _unfit(error) from error
    if os.name == "posix":
        os.register_at_fork(after_in_child=_after_fork)
    _quieten_rpy2()
    _hear_all()
    from . import memory

    memory.install()


def _missing() -> RHostError:
    program, version = info.r_found()
    if program is None:
        return RHostError(
            "R is not installed, or not found.",
            hint="On Debian or Ubuntu run: apt-get install r-base-dev. Elsewhere install R, or set R_HOME.",
        )
    return RHostError(
        f"R {version or ''} is installed; rpy2, which hosts it in Python, is not.".replace("  ", " "),
        hint=f"Run: pip install '{info.rpy2_for(version)}'",
    )


def _unfit(error: Exception) -> RHostError:
    problems = info.r_problems(info.r_found()[1], importlib.metadata.version("rpy2"))
    if problems:
        return RHostError(problems[0].what, [str(error)], problems[0].remedy)
    return RHostError("rpy2 can't start R.", [f"{type(error).__name__}: {error}"], "See: python -m rpy2.situation")


def _load_package() -> Any:
    """R's package mxtune, which brings reticulate and the cure for its end (``src/hosted.c``)."""
    import rpy2.rinterface as ri

    loaded = ri.evalr("tryCatch(loadNamespace('mxtune'), error = conditionMessage)")
    install_hint = "Run in the project's folder: R CMD INSTALL ."
    if isinstance(loaded, ri.StrSexpVector):
        libraries = ", ".join(ri.evalr(".libPaths()"))
        bullets = [loaded[0], f"searched in {libraries}"]
        raise RHostError("R's package mxtune can't be loaded.", bullets, install_hint)
    if not ri.baseenv["exists"]("hosted_call", envir=loaded, inherits=False)[0]:
        version = ri.evalr("as.character(packageVersion('mxtune'))")[0]
        bullets = [f"R's is version {version}, Python's {__version__}"]
        raise RHostError("R's package mxtune has a different version.", bullets, install_hint)
    return loaded


def _attach(package: Any) -> None:
    """Let reticulate find that it is inside this Python."""
    import rpy2.rinterface as ri

    outcome(ri.baseenv["get"]("hosted_start", envir=package)())


def _quieten_rpy2() -> None:
    """rpy2 prints a warning when reticulate is loaded, of a fault that is cured here: exactly that one goes."""
    import rpy2.rinterface as ri

    ri.evalr("""local({
      event <- packageEvent("reticulate", "onLoad")
      kept <- function(hook) !any(grepl("package .*reticulate.* only fixed recently", deparse(hook)))
      setHook(event, Filter(kept, getHook(event)), "replace")
    })""")


def _hear_all() -> None:
    """What R prints is heard also where it is no text in R's encoding; rpy2 would lose the whole line."""
    from rpy2.rinterface_lib import conversion

    def decoded(memory: Any, length: int, encoding: str) -> str:
        return str(conversion.ffi.string(memory, length).decode(encoding, "backslashreplace"))

    conversion._cchar_to_str_with_maxlen = decoded


@contextlib.contextmanager
def _own_sigint() -> Iterator[None]:
    """rpy2 and reticulate both take over SIGINT; its handler is restored."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if handler is not None:
            signal.signal(signal.SIGINT, handler)


def _after_fork() -> None:
    """A forked child must neither use R nor end it: the folder of R's temporary files is its parent's."""
    global _forked  # noqa: PLW0603
    _forked = True
    from rpy2.rinterface_lib import embedded

    atexit.unregister(embedded.endr)
    atexit.unregister(interrupts.forget)
