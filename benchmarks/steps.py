"""Where the time of a training step goes, on one CPU: milliseconds by kind of operator, ours and PyTorch's, as oneDNN's
log and PyTorch's profiler say. 32 images of 224 x 224, LeNet 256 of 28 x 28; ours with BatchNorm's statistics as they
were (so there is none left but in activations), PyTorch's with moving ones.

The rest is what a step takes without a profile, less what operators take in it: pixels are normalised (PyTorch is
handed floats), weights are moved. `python -m benchmarks steps`; `make bench-peers` installs PyTorch.

29 November 2026: what is not convolutions is 12 % of ours in ResNet-50 and 32 % in LeNet, so that no pass over the
graph brings twice PyTorch's speed, or Keras's. In Lite0 it is 42 %, four fifths of which are ReLU6 as two ReLUs and a
difference (BatchNorm here), and that MXNet copies each ReLU's gradient (the reorders), as all that may be in place.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Callable

from . import peers, rivals
from .measure import Figure, fresh, python_of

_NETWORKS = {"efficientnet_lite0": 2, "resnet50": 1, "lenet": 20}  # and how many steps are looked at
_LIBRARIES = {"mxtune": "mxtune on MXNet", "torch": "PyTorch"}
_POINTWISE, _DEPTHWISE, _WIDE = "1 x 1", "depthwise", "other convolutions"
_ACTIVATION, _NORM, _SUM, _REORDER, _OTHER = "activations", "BatchNorm", "sums", "reorders", "pooling, dense"
_KINDS = (_POINTWISE, _DEPTHWISE, _WIDE, _ACTIVATION, _NORM, _SUM, _REORDER, _OTHER)
_OF_PRIMITIVE = {"reorder": _REORDER, "eltwise": _ACTIVATION, "batch_normalization": _NORM, "sum": _SUM}
_OF_OPERATOR = (  # the first that is found in its name
    ("batch_norm", _NORM), ("hardtanh", _ACTIVATION), ("clamp", _ACTIVATION), ("threshold", _ACTIVATION),
    ("relu", _ACTIVATION), ("tanh", _ACTIVATION), ("add_", _SUM), ("contiguous", _REORDER), ("copy_", _REORDER),
    ("to_mkldnn", _REORDER), ("pool", _OTHER), ("mean", _OTHER), ("addmm", _OTHER), ("mm", _OTHER),
)  # fmt: skip


def figures() -> list[Figure]:
    """A row for each network and library."""
    with tempfile.TemporaryDirectory() as folder:
        for network in _NETWORKS:
            if network != "lenet":
                rivals.export(network, Path(folder))
        return [figure(network, library, folder) for network in _NETWORKS for library in _LIBRARIES]


def figure(network: str, library: str, folder: str) -> Figure:
    """The row of one, whose weights are in the folder."""
    what, steps = f"{network}: {_LIBRARIES[library]}", str(_NETWORKS[network])
    if not Path(python := python_of(library)).exists():
        return Figure(what, "not installed: make bench-peers")
    command = (python, "-W", "ignore", "-m", "benchmarks.steps")
    total = fresh(*command, "whole", library, network, folder, steps).said
    kinds = fresh(*command, "by_kind", library, network, folder, steps).said
    parts = [f"{kind} {kinds[kind]:.1f}" for kind in _KINDS if kinds.get(kind, 0) >= total / 1000]
    rest = f"the rest {total - sum(kinds.get(kind, 0) for kind in _KINDS):.1f}"
    return Figure(what, f"{total:.1f} ms: {', '.join([*parts, rest])}")


def _step(library: str, name: str, folder: Path) -> rivals.Step:
    """A step of training, on one CPU."""
    os.environ["OMP_NUM_THREADS"] = "1"
    if library == "torch":
        import torch

        torch.set_num_threads(1)
    if name == "lenet":
        return {"mxtune": peers.mxtune, "torch": peers.torch}[library]()
    return {"mxtune": rivals.mxtune, "torch": rivals.torch}[library]("train", name, folder)


def mxtune(name: str, folder: Path, steps: int) -> Iterable[tuple[str, float]]:
    """Ours, by the lines that oneDNN writes past Python."""
    os.environ["DNNL_VERBOSE"] = "1"
    step = _step("mxtune", name, folder)
    with tempfile.TemporaryFile() as log:
        stdout = os.dup(1)
        os.dup2(log.fileno(), 1)
        for turn in range(2 + steps):
            if turn == 2:
                log.seek(0)
                log.truncate()
            step()
        os.dup2(stdout, 1)
        log.seek(0)
        lines = log.read().decode().splitlines()
    for line in lines:
        if line.startswith("dnnl_verbose,exec"):
            _, _, _, primitive, *_, problem, milliseconds = line.split(",")
            kind = _OF_PRIMITIVE.get(primitive, _OTHER)
            if primitive == "convolution":
                kernel = re.search(r"kh(\d+).*kw(\d+)", problem)
                assert kernel is not None
                kind = _DEPTHWISE if problem.startswith("g") else _POINTWISE if kernel.groups() == ("1", "1") else _WIDE
            yield kind, float(milliseconds) / steps


def torch(name: str, folder: Path, steps: int) -> Iterable[tuple[str, float]]:
    """PyTorch, by its profiler."""
    from torch.profiler import ProfilerActivity, profile

    step = _step("torch", name, folder)
    for _ in range(2):
        step()
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as found:
        for _ in range(steps):
            step()
    for event in found.key_averages(group_by_input_shape=True):
        yield _kind_of(event), event.self_cpu_time_total / 1000 / steps


def _kind_of(event: Any) -> str:
    if event.key in ("aten::mkldnn_convolution", "aten::convolution_backward"):
        maps, kernels = event.input_shapes[1 if event.key.endswith("backward") else 0 :][:2]
        if kernels[1] == 1 and maps[1] > 1:
            return _DEPTHWISE
        return _POINTWISE if max(kernels[2:]) == 1 else _WIDE
    return next((kind for words, kind in _OF_OPERATOR if words in event.key), "")


def by_kind(library: str, name: str, folder: Path, steps: int) -> Counter[str]:
    """Milliseconds of a step by kind of operator."""
    timed: dict[str, Callable[[str, Path, int], Iterable[tuple[str, float]]]] = {"mxtune": mxtune, "torch": torch}
    kinds: Counter[str] = Counter()
    for kind, milliseconds in timed[library](name, folder, steps):
        kinds[kind] += milliseconds
    return kinds


def whole(library: str, name: str, folder: Path, steps: int) -> float:
    """Milliseconds of a step, without a profile."""
    step = _step(library, name, folder)
    taken = []
    for _ in range(3 + 2 * steps):
        start = time.perf_counter()
        step()
        taken.append(time.perf_counter() - start)
    return 1000 * statistics.median(taken[2:])


if __name__ == "__main__":
    _, what, *told, place, steps = sys.argv
    print(json.dumps({"whole": whole, "by_kind": by_kind}[what](*told, Path(place), int(steps))))
