"""Processes of this Python that run a function of this package."""

from __future__ import annotations

import os
import sys


def command(function: str) -> list[str]:
    """What starts a process that calls a function, named as ``"mxtune.room.file.function"``, without arguments.

    The folder that the user is in is no place to import from: a ``queue.py`` there would take the place of Python's.

    Examples
    --------
    >>> import subprocess
    >>> subprocess.run(command("mxtune.machine.usable_cpus"), env=environment()).returncode
    0
    """
    module, _, name = function.rpartition(".")
    code = f"import sys; sys.path[:] = filter(None, sys.path); from {module} import {name}; {name}()"
    return [sys.executable, "-c", code]


def environment(**settings: str) -> dict[str, str]:
    """Its environment: it imports from where this process does, since R has put its own copy of this package there."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **settings}
