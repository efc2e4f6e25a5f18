"""R inside this Python process: the same models in R code, R's results back in Python.

>>> import mxtune.rhost as rh  # R starts when it is first used
>>> rh.call("stats::sd", [1, 2, 4, 5])
1.8257418583505538
>>> rh.eval("levels(predicted)[1:2]", predicted=model.predict(photos).pred_class)
['ankle_boot', 'bag']

What becomes what is a table in `mxtune.border`. Anything else from R is an `RObject`, which prints as in R.

R belongs to the thread that started it, which is the main one. Its errors are `mxtune.errors.RError`, its warnings
`mxtune.errors.RWarning`; its messages are lines of the log ``mxtune.rhost``; what it prints goes to ``sys.stdout``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    from .border.rpy2.objects import RFunction, RObject

    converter: Any

__all__ = ["RFunction", "RObject", "activate", "call", "converter", "deactivate", "eval", "py", "r", "start"]


def start() -> None:
    """Start R, attach it to this Python, and load its package mxtune; a second call does nothing.

    Every other function here does so when it is first used.

    Raises
    ------
    RHostError
        R, rpy2 or R's package mxtune is missing, this is not the main thread, or a forked process; the hint holds
        the one command that fixes it.

    Examples
    --------
    >>> import mxtune.rhost as rh
    >>> rh.start()
    """
    from .border.rpy2 import session

    session.start()
    from .border.rpy2 import running  # noqa: F401 - objects of R run through it; it needs rpy2


def r(value: Any) -> RObject:
    """An R object: of a `Model` an ``mxmodel`` on which every method of the R package works.

    See the table of `mxtune.border`.

    Raises
    ------
    RHostError
        R can't be used here; see `start`.

    Examples
    --------
    >>> fit = rh.r(model)
    >>> rh.call("class", fit)
    'mxmodel'
    """
    start()
    from .border.rpy2.objects import wrap
    from .border.rpy2.sexp import into_r

    return wrap(into_r(value))


def py(value: Any) -> Any:
    """What an R object (of this module or of rpy2) is in Python, by the table of `mxtune.border`; otherwise the value.

    Raises
    ------
    RHostError
        R can't be used here; see `start`.

    Examples
    --------
    >>> rh.py(rh.r(model)) is model
    True
    """
    start()
    from .border.rpy2.sexp import out_of_r

    return out_of_r(value)


def call(what: Union[str, RFunction], *arguments: Any, **named: Any) -> Any:
    """What a function of R returns, in Python.

    Parameters
    ----------
    what
        ``"function"``, ``"package::function"``, or a function that R returned.
    *arguments, **named
        Its arguments. ``na_rm=True`` finds ``na.rm`` where the function has no argument ``na_rm``.

    Raises
    ------
    RError
        R stopped with an error.
    RQuitError
        R code called ``quit()``: it has ended, with its ``on.exit()`` and ``finally``; R and Python go on.
    RHostError
        R can't be used here, see `start`; or a value has no place in the other language.

    Warns
    -----
    RWarning
        R warned.

    Examples
    --------
    >>> rh.call("mean", [1.0, float("nan")], na_rm=True)
    1.0
    """
    start()
    from .border.rpy2 import running

    return running.call(what, arguments, named)


def eval(code: str, **variables: Any) -> Any:  # noqa: A001 - the word in R
    """What R code returns, in Python.

    Parameters
    ----------
    code
        One or more expressions; the last one's value comes back.
    **variables
        What the code may use by these names. With variables, what the code assigns is discarded afterwards; without, it
        is kept in R's workspace.

    Raises, Warns
    -------------
    As `call`.

    Examples
    --------
    >>> rh.eval("quantile(x, c(.25, .75))", x=[1, 2, 3, 4, 5])
    25%    2.0
    75%    4.0
    dtype: float64
    """
    start()
    from .border.rpy2 import running

    return running.evaluate(code, variables)


def activate() -> None:
    """Let rpy2, and ``%%R`` cells of a notebook, convert by the table of `mxtune.border` until `deactivate`.

    As usual with rpy2, a vector of length one stays a vector, and ``NULL`` rpy2's own. In IPython ``rpy2.ipython`` is
    loaded, too. Without `activate`, name the converter: ``%%R -c rh.converter -i model``.

    Examples
    --------
    >>> rh.activate()
    """
    start()
    from .border.rpy2 import conversion

    conversion.activate()


def deactivate() -> None:
    """Undo `activate`.

    Examples
    --------
    >>> rh.deactivate()
    """
    start()
    from .border.rpy2 import conversion

    conversion.deactivate()


def __getattr__(name: str) -> Any:
    """``converter``: for ``localconverter(rh.converter)`` of rpy2 and ``%%R -c rh.converter``; starts R."""
    if name in ("RObject", "RFunction"):
        start()
        return getattr(importlib.import_module(".border.rpy2.objects", __package__), name)
    if name != "converter":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    start()
    from .border.rpy2 import conversion

    return conversion.converter()
