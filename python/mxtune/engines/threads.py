"""How many CPUs an engine may use, set before it is loaded, and that its threads must not wait by spinning."""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections.abc import Iterator
from typing import Optional

from ..machine import usable_cpus

_THREADS = ("MXNET_OMP_MAX_THREADS", "OMP_NUM_THREADS")  # ours, and what a user may have set in its place
_WAITING = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
# How often a waiting thread of libgomp polls before it sleeps. Its default of 300,000 times (milliseconds) burns
# the CPU that the others need as soon as a second program wants one: LeNet trains at a tenth of the speed. Not at all
# is half the speed on a quiet machine, as each of hundreds of operators then wakes a thread. 1,000 times is what
# libgomp itself chooses where it knows of more threads than CPUs; it costs nothing on a quiet machine.
_SPINS = 1_000
_settled = False


def mxnet_threads() -> int:
    """The number of threads MXNet computes with: the user's own setting, otherwise the usable CPUs."""
    for name in _THREADS:
        value = os.environ.get(name, "").split(",")[0].strip()
        if value.isdigit() and int(value) > 0:
            return int(value)
    return usable_cpus()


@contextlib.contextmanager
def announced() -> Iterator[None]:
    """Inside, a library that is loaded sees our settings, except where the user has set them; afterwards none is left.

    Both are read once, while ``libmxnet`` and ``libgomp`` are loaded; PyTorch waits by the same libgomp. MXNet takes
    half of the hardware threads by itself, which halves its speed; ``MXSetNumOMPThreads`` later does not have the
    effect.
    """
    settings = {
        names[0]: str(value)
        for names, value in ((_THREADS, usable_cpus()), (_WAITING, _SPINS))
        if not any(name in os.environ for name in names)
    }
    global _settled  # noqa: PLW0603 - there is one libgomp in a process, for all engines
    late = _WAITING[0] in settings and not _settled and _libgomp()
    _settled = True
    os.environ.update(settings)
    try:
        yield
    finally:
        for name in settings:
            os.environ.pop(name, None)
    if late and mxnet_threads() > 1:
        _add_sleeping_team(late)


def can_share() -> bool:
    """Whether a thread can be told how many CPUs it may use: where MXNet's OpenMP is libgomp."""
    return _libgomp() is not None


def share(cpus: int) -> None:
    """From now on what the calling thread computes uses so many CPUs; other threads are as they were."""
    libgomp = _libgomp()
    if libgomp is not None:
        libgomp.omp_set_num_threads(cpus)


def _libgomp() -> Optional[ctypes.CDLL]:
    """The libgomp that is loaded already: R brings it along, and a PyTorch that the user has imported."""
    try:
        return ctypes.CDLL("libgomp.so.1", mode=os.RTLD_NOLOAD | os.RTLD_LAZY)
    except (OSError, AttributeError):  # not loaded; or no such thing on this system
        return None


def _add_sleeping_team(libgomp: ctypes.CDLL) -> None:
    """Make a libgomp that read its settings earlier poll `_SPINS` times too, by giving it more threads than CPUs.

    They do nothing, ever: one thread asks for a team, which frees nothing once, and sleeps for good.
    """
    size = max(2, libgomp.omp_get_num_procs() - mxnet_threads() + 2)
    nothing = ctypes.cast(ctypes.CDLL(None).free, ctypes.c_void_p)

    def sleep() -> None:
        libgomp.GOMP_parallel(nothing, None, size, 0)
        started.set()
        threading.Event().wait()

    started = threading.Event()
    threading.Thread(target=sleep, name="mxtune-asleep", daemon=True).start()
    started.wait()
