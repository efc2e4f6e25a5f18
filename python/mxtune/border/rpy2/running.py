"""R code runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import rpy2.rinterface as ri

from .objects import RObject
from .outcome import outcome
from .session import raw
from .sexp import into_r, out_of_r


def call(what: Any, arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """See `mxtune.rhost.call`."""
    function, named = into_r(what), {name: value for name, value in named.items() if value is not ri.MissingArg}
    sent = ri.ListSexpVector([into_r(value) for value in (*arguments, *named.values())])
    return run("hosted_call", function, sent, into_r([""] * len(arguments) + list(named)))


def evaluate(code: str, variables: Mapping[str, Any]) -> Any:
    """See `mxtune.rhost.eval`."""
    return run("hosted_eval", into_r(code), into_r(dict(variables)))


def run(name: str, *arguments: Any) -> Any:
    """What a function of R's package mxtune that ends in ``hosted()`` gives."""
    return out_of_r(outcome(raw(name, *arguments)))


RObject._run = staticmethod(call)  # its parts and its calls are R's work, which gives objects like it
