"""Objects that R has and Python lacks: shown as R prints them, their parts taken by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import rpy2.rinterface as ri

from . import session, signals
from .outcome import outcome


class RObject(ri.Sexp):  # type: ignore[misc]  # rpy2 has no types
    """An object of R with no equivalent in Python; prints as in R, and R functions take it.

    Examples
    --------
    >>> fit = rh.eval("lm(dist ~ speed, cars)")
    >>> fit["coefficients"]
    (Intercept)   -17.579095
    speed           3.932409
    dtype: float64
    """

    _run: ClassVar[Callable[..., Any]]  # `running.call`, which stands on this module and sets it

    def __getitem__(self, name: Any) -> Any:
        """A part by name, or by place counted from 0."""
        return self._run("[[", [self, name + 1 if isinstance(name, int) else name], {})

    @property
    def classes(self) -> tuple[str, ...]:
        """R's classes of it."""
        with signals.held():
            return tuple(self.rclass)

    def __repr__(self) -> str:
        with signals.held():
            printed = outcome(session.raw("hosted_print", ri.ListSexpVector([self])))
            return "\n".join(printed).strip("\n")

    __str__ = __repr__


class RFunction(RObject):
    """A function of R; call it as one of Python.

    Examples
    --------
    >>> double = rh.eval("function(x) 2 * x")
    >>> double(4)
    8.0
    """

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._run(self, arguments, named)


_FUNCTIONS = (ri.RTYPES.CLOSXP, ri.RTYPES.BUILTINSXP, ri.RTYPES.SPECIALSXP)


def wrap(sexp: Any) -> RObject:
    """An `RObject`, or an `RFunction`, of what rpy2 holds."""
    if isinstance(sexp, RObject):
        return sexp
    return RFunction(sexp) if sexp.typeof in _FUNCTIONS else RObject(sexp)


def bare(sexp: Any) -> Any:
    """The same with rpy2's own low class for its type."""
    from rpy2.robjects.conversion import noconversion

    return noconversion(sexp)


def give(sexp: Any) -> Any:
    """Python's object that R holds: the Model of an ``mxmodel``, or any other."""
    from .. import reticulate

    key = reticulate.hand_over(None)
    outcome(session.function("to_host")(sexp, ri.StrSexpVector([key])))
    return reticulate.take(key)


def handle(value: Any, how: str) -> Any:
    """R's object for Python's: ``"from_host"`` for ours, ``"object_from_host"`` for any other."""
    from .. import reticulate

    return outcome(session.function(how)(ri.StrSexpVector([reticulate.hand_over(value)])))
