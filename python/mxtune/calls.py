"""How a user would write a call: in Python, in R or on the command line. A hint names only what that interface has."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_interface: ContextVar[str] = ContextVar("mxtune interface", default="python")
_VERBS = {
    "python": {
        "train": "mxtrain({})",
        "evaluate": "model.evaluate({})",
        "predict": "model.predict({})",
    },
    "r": {
        "train": "mxtrain({})",
        "evaluate": "mxevaluate(model, {})",
        "predict": "predict(model, {})",
    },
    "command": {
        "train": "mxtune train {} -o model.mxt",
        "evaluate": "mxtune evaluate model.mxt {}",
        "predict": "mxtune predict model.mxt {}",
    },
}


@contextmanager
def interface(name: str) -> Iterator[None]:
    """Within, hints are for ``"python"``, ``"r"`` or the ``"command"`` line."""
    token = _interface.set(name)
    try:
        yield
    finally:
        _interface.reset(token)


def in_r() -> bool:
    """Whether the caller is R, which counts from 1 and writes TRUE."""
    return _interface.get() == "r"


def at_command_line() -> bool:
    """Whether the command asks, which has options and no functions."""
    return _interface.get() == "command"


def written(verb: str, first: str, **options: Any) -> str:
    """A call as the current user writes it.

    Examples
    --------
    >>> written("train", "x/train", valid="x/valid")
    'mxtrain("x/train", valid = "x/valid")'
    >>> with interface("command"):
    ...     written("train", "x/train", valid="x/valid")
    'mxtune train x/train --valid x/valid -o model.mxt'
    """
    given = [option(name, value) for name, value in options.items()]
    if _interface.get() == "command":
        return _VERBS["command"][verb].format(" ".join([shlex.quote(first), *given]))
    return _VERBS[_interface.get()][verb].format(", ".join([_text(first), *given]))


def option(name: str, value: Any = "...") -> str:
    """An argument and its value as the current user writes them.

    Examples
    --------
    >>> option("on_bad", "skip"), option("recursive", True)
    ('on_bad = "skip"', 'recursive = True')
    >>> with interface("command"):
    ...     option("on_bad", "skip"), option("recursive", True)
    ('--on-bad skip', '--recursive')
    """
    if _interface.get() == "command":
        flag = f"--{name.replace('_', '-')}"
        return flag if value is True else f"{flag} {value if value == '...' else shlex.quote(str(value))}"
    if isinstance(value, bool) and _interface.get() == "r":
        return f"{name} = {str(value).upper()}"
    return f"{name} = {_text(value)}"


def of_images(name: str, value: Any) -> str:
    """As `option`, where in Python and R `mximages` alone has the argument.

    Examples
    --------
    >>> of_images("on_bad", "skip")
    'on_bad = "skip" in mximages()'
    """
    return option(name, value) if _interface.get() == "command" else f"{option(name, value)} in mximages()"


def _text(value: Any) -> str:
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if isinstance(value, str) else str(value)
