"""The outcome of R code: a value, warnings or an error of R, as those of Python."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import RError, RQuitError, RWarning
from . import interrupts

raised: list[BaseException] = []  # what a Python function that R called has raised
# how reticulate reports Ctrl-C in Python code, and in R code that Python code called
_INTERRUPTED = re.compile(r"KeyboardInterrupt|RuntimeError: \(Unknown exception occurred\)")
_BORDER = Path(__file__).resolve().parents[1]
_OURS = (str(_BORDER), str(_BORDER.with_name("rhost.py")))


def outcome(answer: Any) -> Any:
    """The value, still R's; or the exception. R's warnings become warnings."""
    parts = dict(zip(answer.names, answer))
    for warning in list(parts.pop("warnings", None) or ()):
        _warn(dict(zip(warning.names, warning)))
    if "interrupt" in parts:
        raise interrupts.pending()
    if "quit" in parts:
        raise _quit(int(parts["quit"][0]))
    if "error" in parts:
        raise _error(parts["error"])
    return parts["value"]


def _quit(status: int) -> RQuitError:
    error = RQuitError(
        f"R code called quit(status = {status}).", hint="Python goes on; sys.exit(error.status) ends it, too."
    )
    error.status = status
    return error


def _error(condition: Any) -> BaseException:
    fields = {name: list(value) for name, value in zip(condition.names, condition)}
    text, where = fields["message"][0], fields["call"][0]
    if _INTERRUPTED.match(text) and "mxtune_python_error" not in fields["class"]:
        return interrupts.pending()
    error = RError(f"R stopped in {where}: {text}" if where else f"R stopped: {text}")
    error.text, error.call, error.classes = text, where, tuple(fields["class"])
    error.__cause__ = raised.pop() if raised and "mxtune_python_error" in error.classes else None
    return error


def _warn(fields: Mapping[str, Any]) -> None:
    text, where = fields["message"][0], fields["call"][0]
    warning = RWarning(f"{text} (in {where})" if where else text)
    warning.text, warning.call, warning.classes = text, where, tuple(fields["class"])
    warnings.warn(warning, stacklevel=_outside())


def _outside() -> int:
    """The level of the user's own line."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        level, frame = level + 1, frame.f_back
    return level
