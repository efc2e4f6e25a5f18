"""How a user would write a call: in Python, in R or on the command line. A hint names only what that interface has."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Real
from typing import Any

from .words import a

_interface: ContextVar[str] = ContextVar("mxtune interface", default="python")
_VERBS = {
    "python": {
        "train": "mxtrain({})",
        "evaluate": "model.evaluate({})",
        "predict": "model.predict({})",
        "quantize": "model.quantize({})",
    },
    "r": {
        "train": "mxtrain({})",
        "evaluate": "mxevaluate(model, {})",
        "predict": "predict(model, {})",
        "quantize": "mxquantize(model, {})",
    },
    "command": {
        "train": "mxtune train {} -o model.mxt",
        "evaluate": "mxtune evaluate model.mxt {}",
        "predict": "mxtune predict model.mxt {}",
        "quantize": "mxtune quantize model.mxt {}",
    },
}

_LONGEST = 300  # characters of a value in a message
_R_KINDS: tuple[tuple[Any, str], ...] = (
    (type(None), "NULL"),
    (bool, "a logical value"),
    (Real, "a number"),
    ((str, os.PathLike), "text"),
    ((bytes, bytearray), "a raw vector"),
    ((Mapping, list, tuple), "a list"),
)
_R_OBJECTS = {"Model": "an mxmodel", "ImageSet": "an mximages", "Network": "an mxnetwork", "ndarray": "an array"}


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
    if in_r() and isinstance(value, (bool, list)):
        return f"{name} = {_r_code(value)}"
    return f"{name} = {_text(value)}"


def of_images(name: str, value: Any) -> str:
    """As `option`, where in Python and R `mximages` alone has the argument.

    Examples
    --------
    >>> of_images("on_bad", "skip")
    'on_bad = "skip" in mximages()'
    """
    return option(name, value) if _interface.get() == "command" else f"{option(name, value)} in mximages()"


def value_text(value: Any) -> str:
    """A value as the current user would write it, shortened where it is long.

    Examples
    --------
    >>> value_text(None), value_text([1, 2]), value_text({"size": 28})
    ('None', '[1, 2]', "{'size': 28}")
    >>> with interface("r"):
    ...     value_text(None), value_text([1.0, 2.5]), value_text({"size": 28}), value_text(True)
    ('NULL', 'c(1, 2.5)', 'list(size = 28)', 'TRUE')
    """
    text = _r_code(value) if in_r() else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def kind_text(value: Any) -> str:
    """What a value is, as the current user calls it.

    Examples
    --------
    >>> kind_text({}), kind_text(1)
    ('a dict', 'an int')
    >>> with interface("r"):
    ...     kind_text({}), kind_text(1), kind_text(None)
    ('a list', 'a number', 'NULL')
    """
    if not in_r():
        return a(type(value).__name__)
    for kinds, name in _R_KINDS:
        if isinstance(value, kinds):
            return name
    if callable(value):
        return "a function"
    return "a data frame" if hasattr(value, "iloc") else _R_OBJECTS.get(type(value).__name__, "an object of Python")


def _r_code(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"list({', '.join(f'{key} = {_r_code(item)}' for key, item in value.items())})"
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray)):
        one_each = all(isinstance(item, (bool, Real, str)) for item in value)
        parts = [_r_code(item) for item in value]
        return parts[0] if one_each and len(parts) == 1 else f"{'c' if one_each else 'list'}({', '.join(parts)})"
    if value is None or isinstance(value, bool):
        return "NULL" if value is None else str(value).upper()
    if isinstance(value, (str, os.PathLike)):
        return _text(os.fspath(value))
    if isinstance(value, Real):
        number = float(value)
        return f"{number:.15g}" if math.isfinite(number) else {"inf": "Inf", "-inf": "-Inf"}.get(str(number), "NaN")
    return "NA" if type(value).__name__ in ("NAType", "NaTType") else kind_text(value)


def _text(value: Any) -> str:
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if isinstance(value, str) else str(value)
