"""R code runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import rpy2.rinterface as ri

from . import signals
from .objects import RObject
from .outcome import outcome
from .session import raw
from .sexp import into_r, out_of_r


def call(what: Any, arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """See `mxtune.rhost.call`."""
    named = {name: value for name, value in named.items() if value is not ri.MissingArg}
    with signals.held():
        sent = ri.ListSexpVector([into_r(value) for value in (*arguments, *named.values())])
        return run("hosted_call", what, sent, [""] * len(arguments) + list(named))


def evaluate(code: str, variables: Mapping[str, Any]) -> Any:
    """See `mxtune.rhost.eval`."""
    return run("hosted_eval", code, dict(variables))


def run(name: str, *arguments: Any) -> Any:
    """What a function of R's package mxtune that ends in ``hosted()`` gives; R's objects are freed in it."""
    with signals.held():
        return out_of_r(outcome(raw(name, *map(into_r, arguments))))


RObject._run = staticmethod(call)  # its parts and its calls are R's work, which gives objects like it
