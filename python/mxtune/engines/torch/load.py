"""PyTorch, imported when it is needed, and refused in a process that was forked from one that had it."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import os
import sys
import threading
from typing import Any, Optional

from ...errors import EngineError
from .. import threads

_LOCK = threading.RLock()
_forked = _settled = False


def load() -> Any:
    """PyTorch, imported at the first call; the same module from then on. Its threads poll briefly, then sleep.

    Raises
    ------
    EngineError
        It is missing or can't be loaded; the hint holds the one command that fixes it. Or this process was forked
        from one that had loaded it, and whose threads it lacks.

    Examples
    --------
    >>> load().__name__
    'torch'
    """
    if _forked:
        raise EngineError(
            "PyTorch was started before this process was forked, and can't be used in the child.",
            hint='Start workers with multiprocessing.get_context("spawn"), or use threads. '
            "A model that was only loaded before the fork, without predicting, works in the child.",
        )
    global _settled  # noqa: PLW0603 - it is loaded once
    with _LOCK:
        if _settled:
            return sys.modules["torch"]
        try:
            with threads.announced():  # also where the user has imported it: its threads poll for milliseconds
                module = importlib.import_module("torch")
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a broken installation can raise anything
            raise _explained(error) from error
        _settled = True
        return module


def version() -> Optional[str]:
    """The version of PyTorch, such as ``"2.13.0+cpu"``, and of which build; None if it is not installed."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version("torch")
    return None


def _explained(error: BaseException) -> EngineError:
    if isinstance(error, ModuleNotFoundError) and error.name == "torch":
        return EngineError(
            "PyTorch, which is to compute the networks, is not installed.", hint="Run: pip install torch"
        )
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        return EngineError(f"PyTorch needs the Python package {package}.", hint=f"Run: pip install {package}")
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    hint = "Run: pip install --force-reinstall torch"
    return EngineError(f"PyTorch is installed but can't be loaded: {text}", hint=hint)


def _after_fork() -> None:
    global _forked  # noqa: PLW0603 - it is the process that was forked
    _forked = "torch" in sys.modules  # whoever imported it: its threads stayed in the parent


if hasattr(os, "register_at_fork"):  # at once: a fork may come while PyTorch is being imported
    os.register_at_fork(after_in_child=_after_fork)
