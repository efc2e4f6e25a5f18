"""Processes of their own, for what a test must see from outside."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy

import mxtune

PACKAGE = Path(mxtune.__file__).parents[1]


def python(
    code: str, *flags: str, path: str = "", arguments: Sequence[str] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a process of its own that has never seen MXNet."""
    kept = {name: value for name, value in os.environ.items() if "OMP_" not in name}
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, (path, str(PACKAGE))))
    return subprocess.run(
        [sys.executable, *flags, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env={**kept, **environment},
        check=False,
    )


def passes(
    code: str, *flags: str, arguments: Sequence[str] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    done = python(code, *flags, arguments=arguments, **environment)
    assert done.returncode == 0, done.stderr
    return done


def only_numpy(folder: Path) -> str:
    """A folder of packages that has NumPy and nothing else."""
    installed = Path(numpy.__file__).parents[1]
    for part in installed.glob("numpy*"):
        (folder / part.name).symlink_to(part)
    return str(folder)
