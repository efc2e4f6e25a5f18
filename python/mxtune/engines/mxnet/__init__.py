"""The only folder that imports MXNet. Everything above an executor speaks NumPy and plain data."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import platform
import re
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from typing import Any, Optional

from ...errors import EngineError
from . import cuda, threads
from . import shim as loan

_LOCK = threading.RLock()
_forked = False
_SIGSEGV = 11
_PACKAGES = {  # the Debian package of each system library that the wheels of MXNet expect
    "libquadmath.so.0": "libquadmath0",
    "libgomp.so.1": "libgomp1",
    "libstdc++.so.6": "libstdc++6",
    "libgfortran.so.3": "libgfortran3",
}
_WHEELS = (("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "x86_64"))
_ENGINE = "MXNET_ENGINE_TYPE"
_QUIET = {"MXNET_SUBGRAPH_VERBOSE": "0"}  # "Subgraph backend MKLDNN is activated." at each fused network


def load(name: str = "mxnet") -> Any:
    """MXNet, imported at the first call; the same module ever after.

    Nothing else in the process changes: see `loan` for NumPy's old names, `threads` for the number of
    threads. MXNet's handler of segmentation faults is taken out again, as R, or Python's ``faulthandler``,
    has its own. Without a GPU, operators run in the thread that asks for them. An MXNet that the user imported
    before is taken as it is.

    Parameters
    ----------
    name : str
        A part of it, such as ``"mxnet.contrib.quantization"``.

    Raises
    ------
    EngineError
        MXNet is missing or can't be loaded; the hint holds the one command that mends it. Or this process was forked
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
            hint='Start workers anew: multiprocessing.get_context("spawn"), or use threads.',
        )
    with _LOCK:
        if name in sys.modules:
            return sys.modules[name]
        first = "mxnet" not in sys.modules
        try:
            if not first:
                return loan.borrow(name)
            cuda.preload()
            with threads.announced(), _own_fault_handler():
                module = loan.borrow("mxnet")
            _silence(module)
            _run_in_the_calling_thread(module)
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=_after_fork)
            return loan.borrow(name)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a broken installation can raise anything
            raise explain(error) from error


def _after_fork() -> None:
    global _forked  # noqa: PLW0603 - it is the process that was forked
    _forked = True


def explain(error: BaseException) -> EngineError:
    """The failed import of MXNet in words, with the one command that mends it."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    library = re.search(r"(lib[\w+.-]+\.so[\w.]*): cannot open shared object file", text)
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] == "mxnet":
        lost = cuda.installed("mxnet") is not None  # a build for GPUs was in the same folder, and was taken off
        return EngineError("MXNet, which computes the networks, is not installed.", hint=install_hint(lost))
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        return EngineError(f"MXNet needs the Python package {package}.", hint=f"Run: pip install {package}")
    if library:
        missing = (cuda.missing() if cuda.wheel_of(library[1]) else ()) or (library[1],)
        told = f"libraries {', '.join(missing)} are" if len(missing) > 1 else f"library {missing[0]} is"
        return EngineError(f"MXNet can't be loaded: the shared {told} missing.", hint=library_hint(missing))
    return EngineError(
        f"MXNet is installed and can't be loaded: {text}",
        hint=install_hint(force=True),
    )


def library_hint(missing: Sequence[str]) -> str:
    """The command that brings missing shared libraries."""
    wheels = [wheel for wheel in map(cuda.wheel_of, missing) if wheel]
    if wheels:
        return f"Run: pip install {' '.join(dict.fromkeys(wheels))}"
    if missing[0].startswith("libcuda.so"):
        command = f"pip uninstall -y {cuda.distribution()} && {_install_command(force=True)}"
        return f"This MXNet is built for GPUs and needs NVIDIA's driver. Without one, run: {command}"
    package = _PACKAGES.get(missing[0])
    if package:
        return f"On Debian or Ubuntu run: apt-get install {package}"
    return f"Install the system package that holds {missing[0]}."


def install_hint(force: bool = False) -> str:
    """The command that installs MXNet for this Python and NumPy, or why no wheel of it fits this machine."""
    system, machine = platform.system(), platform.machine()
    if (system, machine) not in _WHEELS:
        return (
            f"There is no wheel of MXNet 1.9.1 for {system} on {machine}; it runs on Linux, for example in the "
            "container python:3.11."
        )
    return f"Run: {_install_command(force)}"


def _install_command(force: bool = False) -> str:
    if force:
        return "pip install --force-reinstall --no-deps mxnet==1.9.1"
    return f"pip install {'--no-deps ' if _beside_new() else ''}mxnet==1.9.1"


def _beside_new() -> bool:
    """Whether the wheel's own wish, NumPy below 2, can't or need not be met here."""
    if sys.version_info >= (3, 13):  # NumPy 1 has no wheels for it
        return True
    if importlib.util.find_spec("numpy") is None:
        return False
    import numpy

    return int(numpy.__version__.split(".")[0]) >= 2


def _silence(module: Any) -> None:
    """Tell the library, and not ``os.environ``, to keep its chatter; what the user has set holds."""
    for name, value in _QUIET.items():
        if name not in os.environ:
            with contextlib.suppress(Exception):  # chatter is no reason to fail
                module.util.setenv(name, value)


def _run_in_the_calling_thread(module: Any) -> None:
    """Without a GPU, let MXNet compute in the thread that asks, and not in one of its own.

    A second team of OpenMP threads makes both teams sleep and wake at each operator: a training step on small
    pictures takes 1.5 times as long, on 2 CPUs. What the user has set holds.
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
    """Keep the line with these words, which the library writes past Python, from stderr; all others get there."""
    with contextlib.ExitStack() as stack:
        try:
            stderr = os.dup(2)
        except OSError:  # it is closed: nothing can be said
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
