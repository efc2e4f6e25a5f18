"""Training LeNet on a machine that other programs use too: images a second alone, and beside as many busy processes
as there are CPUs, in turn with PyTorch and Keras on TensorFlow.

`make bench-peers` installs those two, each into an environment of its own; without, they are "not installed". Threads
that wait by polling show in the images per second of CPU.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .measure import Figure, Process, fresh, python_of, spread

_ROUNDS, _SECONDS = 3, 5
_NAMES = {"mxtune": "mxtune", "torch": "PyTorch", "keras": "Keras"}


def figures() -> list[Figure]:
    """The rate of each library that is installed, both ways, and what is left of it."""
    rows = [Figure("load of the machine before", f"{os.getloadavg()[0]:.1f}", "0: then alone is alone")]
    there = {name: python_of(name) for name in _NAMES if Path(python_of(name)).exists()}
    runs: dict[tuple[str, bool], list[Process]] = {(name, busy): [] for name in there for busy in (False, True)}
    for _ in range(_ROUNDS):
        for name, python in there.items():
            for busy in (False, True):
                with busy_processes(len(os.sched_getaffinity(0))) if busy else contextlib.nullcontext():
                    runs[name, busy].append(fresh(python, "-m", "benchmarks.peers", name, str(_SECONDS)))
    for name, words in _NAMES.items():
        command = f"python -m benchmarks.peers {name} {_SECONDS}"
        if name not in there:
            rows.append(Figure(f"{words}: images/s", "not installed", "", "make bench-peers"))
            continue
        alone, beside = ([run.said["rate"] for run in runs[name, busy]] for busy in (False, True))
        left = statistics.median(b / a for a, b in zip(alone, beside))
        of_cpu = [spread([run.said["of_cpu"] for run in runs[name, busy]], ",.0f") for busy in (False, True)]
        rows += [
            Figure(f"{runs[name, False][0].said['library']}: images/s alone", spread(alone, ",.0f"), "", command),
            Figure(f"{words}: beside busy processes", spread(beside, ",.0f"), "", command),
            Figure(f"{words}: what is left", f"{left:.2f}", ">= .3" if name == "mxtune" else ""),
            Figure(f"{words}: images per second of CPU", f"{of_cpu[0]} alone, {of_cpu[1]} beside"),
            Figure(f"{words}: peak memory", spread([run.peak for run in runs[name, False]], ".0f", "MB")),
        ]
    return rows


@contextlib.contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """Meanwhile, so many processes that compute and compute."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()
