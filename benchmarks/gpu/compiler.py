"""PyTorch's compiler as `make gpu-check` tries it: its start, what it gains, and how far its outputs are apart."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import torch

from mxtune import engines
from mxtune.engines import Program
from mxtune.engines.torch import compiling
from mxtune.tasks.losses import CrossEntropy
from mxtune.zoo.opening import mxnetwork

from .network import pictures
from .speed import Line, Step, fastest

_NETWORKS = ("resnet50", "vit_tiny_patch16_224")


def rows(device: str) -> Iterator[Line]:
    """Check, what was found, what is wanted, whether it is so."""
    if not compiling.can_compile(torch.device("cpu" if device == "cpu" else "cuda")):
        yield "PyTorch's compiler", "is not used here", "", True
        return
    for name in _NETWORKS:
        for learns in (False, True):
            yield from _raced(name, device, learns)


def _raced(name: str, device: str, learns: bool) -> Iterator[Line]:
    network = mxnetwork(name, weights="random", seed=1, classes=1000)
    images = pictures(network, 64)
    learned = frozenset(network.params) if learns else frozenset[str]()
    steps: dict[str, Step] = {}
    values = {}
    usual, compiling.START = compiling.START, {False: 0.0, True: 0.0}
    try:
        for way, to_come in (("as it is", 0), ("compiled", 10**12)):
            bound = engines.choose(device, engine="torch").bind(Program.of(network, learned))
            bound.expect(to_come)

            def step(bound: engines.Executor = bound) -> object:
                if not learns:
                    return bound.predict(images)
                return bound.step(images, np.arange(64), np.ones(64), CrossEntropy(1000), 1e-4)

            steps[way] = step
            values[way] = [step(), step()][-1]
            start = time.perf_counter()
            values[way] = step()
            seconds = time.perf_counter() - start
        used = bound._compiling._compiled is not None  # type: ignore[attr-defined]
    finally:
        compiling.START = usual
    what = f"{name}, {'training' if learns else 'prediction'}, compiled"
    yield what, "yes" if used else "no", "yes", used
    yield f"{what}: its start", f"{seconds:.0f} s", f"<= {usual[learns]:.0f} s", seconds <= usual[learns]
    one, other = (np.asarray(values[way], np.float64) for way in ("as it is", "compiled"))
    apart = float(np.abs(one - other).max() / np.abs(one).max())
    yield f"{what}: outputs or losses", f"{apart:.1e} apart", "<= 0.05", apart <= 0.05
    best = fastest(steps, 10)
    gained = 1 - best["compiled"] / best["as it is"]
    yield f"{what}: of the time it gains", f"{gained:.2f}", f">= {compiling.GAIN}", gained >= compiling.GAIN
