"""Parts of a batch in training, each on a CPU of its own: they meet twice a step, and not at each of 1,000 operators.

The threads of OpenMP share each operator in equal slices, and all wait for the last one; within a gradient of oneDNN
they wait by polling. Beside one busy process, two threads on 2 CPUs are then slower than one. A part that is late
delays nobody before its end. Who computes what depends on the number of CPUs alone, and never on how busy they are, so
a seed gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Callable

from ...network.layers import macs
from .. import threads
from ..base import Program
from ..passes import shapes_in

_ROWS = 8  # of a part, at least
# Multiply-accumulates, and values computed, of a batch for each number that is trained: with less, gradients and
# weights that go to and fro cost more than parts gain on 2 idle CPUs. In batches of 32 at 224 pixels MobileNetV2 has
# 2,700 and 242 (1.06 times as fast), EfficientNet-Lite0 2,700 and 230 (1.05), ResNet-50 5,100 and 32 (1.02), ResNet-18
# 5,000 and 14 (.98); Lite0 at 160 pixels 1,300 and 125 (.93), at 96 480 and 58 (.94), LeNet 160 and 3 (.77).
_WORK, _VALUES = 1_600, 30
_MOST = 4  # MXNet has so many scratch memories on a CPU, which the executors that are bound get in turn
_CREW: list[ThreadPoolExecutor] = []  # each a thread that stays: what oneDNN prepares is kept by thread


def fewest_rows(program: Program) -> int:
    """From how many rows on parts are worth it."""
    graph, shapes = program.graph, shapes_in(program)
    trained = sum(program.params[name].size for name in program.trainable)
    values = sum(math.prod(shape) for node in graph.nodes if not node.is_variable for shape in shapes[node.name])
    work = max(1, macs(graph, shapes))
    return max(2 * _ROWS, math.ceil(_WORK * trained / work), math.ceil(_VALUES * trained / max(1, values)))


def parts(program: Program) -> int:
    """How many parts a batch of this program may have at most: 1 where rows must see each other, or share dice."""
    graph = program.graph
    alone = (
        not program.trainable
        or not program.trainable.isdisjoint(graph.auxiliary)  # BatchNorm with the statistics of a batch
        or any(node.has_role("dropout") and node.values.p > 0 for node in graph.nodes)  # what `Masks` left
    )
    cpus = threads.mxnet_threads()
    if alone or cpus < 2 or not threads.can_share():
        return 1
    return max(range(2, min(_MOST, cpus) + 1), key=lambda n: (n * (cpus // n), n))  # that keep most CPUs at work


def used(parts: int, rows: int) -> int:
    """How many of the parts a batch of so many rows has."""
    return max(1, min(parts, rows // _ROWS))


def run(jobs: Sequence[Callable[[], None]]) -> None:
    """Run the jobs side by side, each with its share of the CPUs; all have ended when this returns, or fails."""
    cpus = max(1, threads.mxnet_threads() // len(jobs))
    while len(_CREW) < len(jobs):
        _CREW.append(ThreadPoolExecutor(1, thread_name_prefix="mxtune-part"))
    running = [thread.submit(_job, job, cpus) for thread, job in zip(_CREW, jobs)]
    try:
        wait(running)
    finally:
        wait(running)  # Ctrl-C leaves nobody behind who writes to the arrays
    for one in running:
        one.result()


def _job(job: Callable[[], None], cpus: int) -> None:
    threads.share(cpus)
    job()
