"""MXNet, loaded once, without anything else in the process noticing."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any, Optional

from ...errors import EngineError
from .. import threads
from . import cuda, shim
from .remedies import explain

_LOCK = threading.RLock()
_forked = False
_SIGSEGV = 11
_ENGINE = "MXNET_ENGINE_TYPE"
_QUIET = {"MXNET_SUBGRAPH_VERBOSE": "0"}  # "Subgraph backend MKLDNN is activated." at each fused network


def load(name: str = "mxnet") -> Any:
    """MXNet, imported at the first call; the same module from then on.

    Nothing else in the process changes: see `shim` for NumPy's old names, `threads` for the number of
    threads. MXNet's handler of segmentation faults is taken out again, as R, or Python's ``faulthandler``,
    has its own. Without a GPU, operators run in the calling thread. An MXNet that the user imported
    earlier is used as it is.

    Parameters
    ----------
    name : str
        A part of it, such as ``"mxnet.contrib.quantization"``.

    Raises
    ------
    EngineError
        MXNet is missing or can't be loaded; the hint holds the one command that fixes it. Or this process was forked
        from one that had loaded it, and whose threads it lacks.

    Examples
    --------
    >>> from mxtune.engines.mxnet import load
    >>> load().__version__
    '1.9.1'
    """
    if _forked:
        raise EngineError(
            "MXNet was started before this process was forked, and can't be used in the child.",
            hint='Start workers with multiprocessing.get_context("spawn"), or use threads. '
            "A model that was only loaded before the fork, without predicting, works in the child.",
        )
    with _LOCK:
        if name in sys.modules:
            return sys.modules[name]
        first = "mxnet" not in sys.modules
        try:
            if not first:
                return shim.imported(name)
            cuda.preload()
            with threads.announced(), _own_fault_handler():
                module = shim.imported("mxnet")
            _silence(module)
            _run_in_the_calling_thread(module)
            return shim.imported(name)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a broken installation can raise anything
            raise explain(error) from error


def _after_fork() -> None:
    global _forked  # noqa: PLW0603 - it is the process that was forked
    _forked = "mxnet" in sys.modules  # whoever imported it: its threads stayed in the parent


if hasattr(os, "register_at_fork"):  # at once: a fork may come while MXNet is being imported
    os.register_at_fork(after_in_child=_after_fork)


def _silence(module: Any) -> None:
    """Silence the library's chatter, without touching ``os.environ``; the user's own setting wins."""
    for name, value in _QUIET.items():
        if name not in os.environ:
            with contextlib.suppress(Exception):  # chatter is no reason to fail
                module.util.setenv(name, value)


def _run_in_the_calling_thread(module: Any) -> None:
    """Without a GPU, let MXNet compute in the calling thread, not in one of its own.

    A second team of OpenMP threads makes both teams sleep and wake at each operator: a training step on small
    images takes 1.5 times as long, on 2 CPUs. The user's own setting wins.
    """
    if _ENGINE in os.environ or module.runtime.Features().is_enabled("CUDA"):
        return
    os.environ[_ENGINE] = "NaiveEngine"
    try:
        with unsaid("MXNet start using engine"):
            module.nd.waitall()  # the engine starts, and has read it
    finally:
        os.environ.pop(_ENGINE, None)  # nor do processes that are started later inherit it


@contextlib.contextmanager
def unsaid(words: str) -> Iterator[None]:
    """Keep the line with these words, which the library writes past Python, off stderr; all other lines pass."""
    with contextlib.ExitStack() as stack:
        try:
            stderr = os.dup(2)
        except OSError:  # it is closed: nothing can be printed
            yield
            return
        stack.callback(os.close, stderr)
        aside = stack.enter_context(tempfile.TemporaryFile())
        os.dup2(aside.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            aside.seek(0)
            for line in aside:
                if words.encode() not in line:
                    os.write(stderr, line)


@contextlib.contextmanager
def _own_fault_handler() -> Iterator[None]:
    """Keep the handler of segmentation faults that this process had: R's, or that of ``faulthandler``."""
    action: Optional[ctypes.Array[ctypes.c_char]] = None
    libc: Any = None
    if sys.platform.startswith("linux"):
        libc, action = ctypes.CDLL(None), ctypes.create_string_buffer(256)  # larger than any struct sigaction
        if libc.sigaction(_SIGSEGV, None, action) != 0:
            action = None
    try:
        yield
    finally:
        if action is not None:
            libc.sigaction(_SIGSEGV, action, None)
