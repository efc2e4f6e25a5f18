"""`mxtrain(tune="head")` on 1,000 to 60,000 images of Fashion-MNIST: whether time is linear in their number, and memory
constant, each in a process of its own.

Linear: the seconds for each further image, from one number to the next, beside those over the whole range.
"""

from __future__ import annotations

import json
import sys
import time

from .data import fashion_labels, fashion_mnist
from .measure import Figure, python

_COUNTS = (1_000, 4_000, 15_000, 60_000)


def figures() -> list[Figure]:
    """A row for each number of images, then what each further image takes."""
    return rows_for(_COUNTS)


def rows_for(counts: tuple[int, ...]) -> list[Figure]:
    """The same for these numbers of images."""
    runs = {count: python("-m", "benchmarks.scaling", count) for count in counts}
    rows = [
        Figure(
            f"{count:,} images",
            f"{run.said['seconds']:.1f} s, {run.cpu:.1f} s of CPU, peak memory {run.peak:.0f} MB",
            "",
            f"python -m benchmarks.scaling {count}",
        )
        for count, run in runs.items()
    ]
    first, last = counts[0], counts[-1]
    whole = (runs[last].said["seconds"] - runs[first].said["seconds"]) / (last - first)
    for less, more in zip(counts, counts[1:]):
        each = (runs[more].said["seconds"] - runs[less].said["seconds"]) / (more - less)
        what = f"{less:,} to {more:,}: each further image"
        rows.append(Figure(what, f"{1000 * each:.2f} ms, {each / whole:.2f} times the whole range's", ".9 to 1.1"))
    memory = [run.peak for run in runs.values()]
    return [*rows, Figure("memory: most less least", f"{max(memory) - min(memory):.0f} MB", "<= 300 MB")]


def _child(count: int) -> None:
    from mxtune import mxtrain

    images, codes = fashion_mnist()
    images, labels = images[:count].copy(), fashion_labels(codes[:count])
    start = time.perf_counter()
    mxtrain(images, labels, tune="head", verbose=0)
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    _child(int(sys.argv[1]))
