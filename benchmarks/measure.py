"""How the benchmarks measure: fresh processes with their seconds and peak memory, and figures with their spread."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".cache" / "peers"  # `make bench-peers` makes an environment there for each


def python_of(library: str) -> str:
    """The Python that has the library: its own environment's, or this one for ours."""
    return sys.executable if library.startswith("mxtune") else str(PEERS / library / "bin" / "python")


@dataclass(frozen=True)
class Figure:
    """One row of RESULTS.md: what was measured, what is wanted, how it comes about."""

    what: str
    measured: str
    wanted: str = ""
    command: str = ""


@dataclass(frozen=True)
class Process:
    """How a process went: wall and CPU seconds, peak memory (MB), and the JSON of its last line."""

    seconds: float
    cpu: float
    peak: float
    said: Any


def fresh(*command: str, limit: float = 3600) -> Process:
    """Run a command to its end, as a process of its own; what it says on stderr is shown if it fails.

    Raises
    ------
    RuntimeError
        It failed.
    TimeoutError
        It had not ended after `limit` seconds, and was killed.
    """
    path = os.pathsep.join([str(ROOT / "python"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, stderr=err, cwd=ROOT, env={**os.environ, "PYTHONPATH": path})
        late = threading.Timer(limit, child.kill)
        late.start()
        try:
            _, status, usage = os.wait4(child.pid, 0)
        finally:
            late.cancel()
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode and seconds >= limit:
            message = f"{' '.join(command)}: not over after {limit:.0f} s"
            raise TimeoutError(message)
        out.seek(0)
        err.seek(0)
        lines = out.read().decode().strip().splitlines()
        if child.returncode:
            message = f"{' '.join(command)}: exit code {child.returncode}\n{err.read().decode()[-4000:]}"
            raise RuntimeError(message)
    try:
        said = json.loads(lines[-1]) if lines else None
    except json.JSONDecodeError:
        said = None
    return Process(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said)


def python(*arguments: object) -> Process:
    """`fresh` with this Python."""
    return fresh(sys.executable, "-W", "ignore", *map(str, arguments))


def spread(values: Sequence[float], form: str = ".3f", unit: str = "") -> str:
    """``median (least to most, n)``."""
    unit = f" {unit}" if unit else ""
    middle = format(statistics.median(values), form)
    if len(values) == 1:
        return f"{middle}{unit}"
    return f"{middle}{unit} ({min(values):{form}} to {max(values):{form}}, n = {len(values)})"
