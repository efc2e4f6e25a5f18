"""Telling MXNet how many CPUs it may use before it is loaded."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from ...machine import usable_cpus

_SETTING = "MXNET_OMP_MAX_THREADS"
_USERS = ("OMP_NUM_THREADS", _SETTING)


def mxnet_threads() -> int:
    """The number of threads MXNet computes with: the user's own setting, otherwise the usable CPUs."""
    for name in reversed(_USERS):
        value = os.environ.get(name, "").split(",")[0].strip()
        if value.isdigit() and int(value) > 0:
            return int(value)
    return usable_cpus()


@contextlib.contextmanager
def announced() -> Iterator[None]:
    """Inside, a library that is loaded sees the usable CPUs, unless the user has set a number himself.

    MXNet takes half of the hardware threads by itself, which halves its speed. It reads its setting once,
    while ``libmxnet`` is loaded; ``MXSetNumOMPThreads`` later does not have the effect.
    """
    if any(name in os.environ for name in _USERS):
        yield
        return
    os.environ[_SETTING] = str(usable_cpus())
    try:
        yield
    finally:
        os.environ.pop(_SETTING, None)
