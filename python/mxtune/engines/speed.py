"""How fast networks predict on this machine: measured when asked for, and kept in the cache."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .. import machine, progress, store
from ..zoo import Entry
from ..zoo.opening import RANDOM, mxnetwork
from . import choose
from .base import Program

BATCH = 32
_RUNS, _SECONDS = 3, 2.0  # at least so many batches, and so long


def recorded_speed() -> dict[str, float]:
    """For each network that was measured on this machine, the seconds that it takes for 1,000 images."""
    found = {}
    for file in _folder().glob("*.json"):
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
            found[str(kept["network"])] = float(kept["seconds"])
        except (OSError, ValueError, TypeError, KeyError):  # what can't be read counts as not measured
            continue
    return found


def measure_speed(networks: Sequence[Entry]) -> None:
    """Measure how long each network takes for 1,000 decoded images of its size, and keep it in the cache.

    Raises
    ------
    StoreError
        The cache can't be written to.
    """
    folder, reporter = store.make_folder(_folder()), progress.current()
    reporter.event("start", title="Measuring", total=len(networks), unit="networks")
    try:
        for network in networks:
            kept = {"network": network.name, "seconds": _seconds(network), "machine": _machine()}
            store.write(folder / f"{network.name}.json", [json.dumps(kept).encode()], "the measured speed")
            reporter.event("advance", n=1)
    finally:
        reporter.event("end")


def _seconds(entry: Entry) -> float:
    network = mxnetwork(entry.name, weights=None if entry.installed() else RANDOM)
    executor = choose().bind(Program.of(network.main))
    height, width = network.preprocess.size
    shape = (BATCH, height, width, network.preprocess.channels)
    batch = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    executor.predict(batch)  # the first call binds
    times: list[float] = []
    while len(times) < _RUNS or sum(times) < _SECONDS:
        start = time.perf_counter()
        executor.predict(batch)
        times.append(time.perf_counter() - start)
    return min(times) * 1000 / BATCH  # what other programs take is not the network's


def _folder() -> Path:
    """Where speeds of this machine and this version of the engine are kept."""
    return store.cache_dir() / "speed" / hashlib.sha256(_machine().encode()).hexdigest()[:16]


def _machine() -> str:
    engine = choose().engine
    return f"{machine.processor()}, {machine.usable_cpus()} CPUs, {engine.name} {engine.version()}"
