"""Objects of R that Python holds.

rpy2's finalizer is code of Python, in which a signal may be raised and lost, and runs wherever Python collects, also in
another thread while R works. Here a finalizer is C alone, and calls no R: it notes the object, and R hears of it when
Python next takes one.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from rpy2.rinterface_lib import openrlib
from rpy2.rinterface_lib._rinterface_capi import SexpCapsule

_let_go: deque[Any] = deque()


class Capsule(SexpCapsule):  # type: ignore[misc]  # rpy2 has no types
    """An object of R that is R's again some time after Python has let it go."""

    __slots__ = ()
    __del__ = staticmethod(bool)  # in the place of rpy2's: C that does nothing

    def __init__(self, cdata: Any) -> None:
        while _let_go:
            openrlib.rlib.R_ReleaseObject(_let_go.pop())
        openrlib.rlib.R_PreserveObject(cdata)
        self._cdata = openrlib.ffi.gc(cdata, _let_go.append)  # type: ignore[misc]  # a slot of rpy2's


def install() -> None:
    """From here on rpy2 makes a `Capsule` of this kind where it made its own; what it has made stays as it is."""
    SexpCapsule.__new__ = lambda made, *_: object.__new__(Capsule if made is SexpCapsule else made)
