"""Several GPUs as `make gpu-check` tries them: a process for each, beside one for all; without a GPU two on CPUs."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from mxtune import engines
from mxtune.engines import AdamW, Device, Executor, Program
from mxtune.engines.torch.executor import TorchExecutor
from mxtune.engines.torch.parallel import pays
from mxtune.engines.torch.parallel.replicas import TorchReplicas
from mxtune.engines.torch.passes import passes_for
from mxtune.tasks.losses import CrossEntropy
from mxtune.zoo.opening import mxnetwork

from .network import drawn, pictures
from .speed import Line, fastest

_EACH = 64
"""Images of a step for each GPU."""


def rows(device: str) -> Iterator[Line]:
    """Check, what was found, what is wanted, whether it is so."""
    devices = _devices(device)
    network = drawn("resnet18")
    program = Program.of(network, frozenset(network.params) - {*network.graph.auxiliary}, AdamW(beta1=0.0))
    if device != "cpu" and not pays(program, devices):
        yield "several GPUs, a process for each", "is not used here", "", True
        return
    images = pictures(network, 4 * len(devices))
    start = time.perf_counter()
    ways = _ways(program, devices, "float32")
    seconds = time.perf_counter() - start
    yield f"{len(devices)} processes: their start", f"{seconds:.1f} s", "<= 60 s", seconds <= 60
    one, other = (_gradients(executor, images) for executor in ways.values())
    apart = max(np.linalg.norm(other[key] - one[key]) / max(np.linalg.norm(one[key]), 1e-6) for key in one)
    yield f"{len(devices)} processes: gradients beside one process", f"{apart:.1e} apart", "<= 0.001", apart <= 1e-3
    if device != "cpu":
        yield _raced(devices)


def _devices(device: str) -> list[Device]:
    if device == "cpu":
        return [Device("cpu", 0), Device("cpu", 1)]
    reports = engines.get("torch").devices()
    return [report.device for report in reports if report.device.kind == "gpu" and report.reason is None]


def _ways(program: Program, devices: list[Device], precision: str) -> dict[str, Executor]:
    """By one process, and by several."""
    return {
        "one": TorchExecutor(program, devices, passes_for(devices), precision),
        "several": TorchReplicas(program, devices, precision),
    }


def _gradients(executor: Executor, images: np.ndarray) -> dict[str, np.ndarray]:
    executor.step(images, np.arange(len(images)) % 10, np.ones(len(images)), CrossEntropy(10), 0.0)
    return {name: array for name, array in executor.state().items() if name.startswith("mean:")}


def _raced(devices: list[Device]) -> Line:
    network = mxnetwork("resnet50", weights=None, classes=1000)
    count = _EACH * len(devices)
    images = pictures(network, count)
    precision = engines.get("torch").default_precision(devices)
    ways = _ways(Program.of(network, frozenset(network.params)), devices, precision)
    step = (images, np.arange(count), np.ones(count), CrossEntropy(1000), 1e-4)
    best = fastest({name: lambda bound=bound: bound.step(*step) for name, bound in ways.items()}, 20)
    gain = best["one"] / best["several"]
    what = f"resnet50, training on {len(devices)} GPUs, {count / best['several']:.0f} images/s: beside one process"
    return what, f"{gain:.2f} x", ">= 1", gain >= 1
