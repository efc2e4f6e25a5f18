"""Training LeNet on a machine that other programs use too: images a second alone, beside one busy process, and beside
as many as there are CPUs, in turn with PyTorch and Keras on TensorFlow. `training` and `inference` have other networks.

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
    """The rate of each library that is installed, alone and beside others, and what is left of it."""
    rows = [Figure("load of the machine before", f"{os.getloadavg()[0]:.1f}", "0: then alone is alone")]
    there = {name: python_of(name) for name in _NAMES if Path(python_of(name)).exists()}
    cpus = len(os.sched_getaffinity(0))
    counts = {0: "alone", 1: "beside a busy process", cpus: f"beside {cpus} busy processes"}
    runs: dict[tuple[str, int], list[Process]] = {(name, busy): [] for name in there for busy in counts}
    for _ in range(_ROUNDS):
        for name, python in there.items():
            for busy in counts:
                with busy_processes(busy):
                    runs[name, busy].append(fresh(python, "-m", "benchmarks.peers", name, str(_SECONDS)))
    for name, words in _NAMES.items():
        command = f"python -m benchmarks.peers {name} {_SECONDS}"
        if name not in there:
            rows.append(Figure(f"{words}: images/s", "not installed", "", "make bench-peers"))
            continue
        rates = {busy: [run.said["rate"] for run in runs[name, busy]] for busy in counts}
        shown = runs[name, 0][0].said["library"]
        for busy, how in counts.items():
            left = statistics.median(b / a for a, b in zip(rates[0], rates[busy]))
            of_cpu = spread([run.said["of_cpu"] for run in runs[name, busy]], ",.0f")
            ours = statistics.median(o.said["rate"] / t for o, t in zip(runs["mxtune", busy], rates[busy]))
            measured = f"{spread(rates[busy], ',.0f')} images/s; of alone {left:.2f}; images per second of CPU {of_cpu}"
            beside = "" if name == "mxtune" else f"; ours: {ours:.2f} times that"
            wanted = "1 x Keras; of alone .3" if name == "mxtune" else ""
            rows.append(Figure(f"{shown} {how}", f"{measured}{beside}", wanted, command))
        rows.append(Figure(f"{words}: peak memory", spread([run.peak for run in runs[name, 0]], ".0f", "MB")))
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
