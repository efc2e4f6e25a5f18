"""`mxtune.ray.predict` on 10,000 to 100,000 small images: two workers beside one process, seconds for each further
image, and memory of the process that asks.

The images are clothes of 28 x 28 in PNG, which EfficientNet-Lite0 sees at 96 x 96. Every process decodes and computes
with one thread. Each run is a process of its own; starting Ray is not counted, starting its workers is. `make cluster`
makes the environment; without it nothing is measured.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from .data import fashion_labels, fashion_mnist
from .measure import ROOT, Figure, Process, fresh, spread

_PYTHON = ROOT / ".cache" / "cluster" / "bin" / "python"
_BESIDE, _ROUNDS = 20_000, 3
_COUNTS = (10_000, 30_000, 100_000)
_SHARD = 5_000  # images of a Parquet file


def figures(beside: int = _BESIDE, rounds: int = _ROUNDS, counts: Sequence[int] = _COUNTS) -> list[Figure]:
    """Two workers beside one process, by turns; then one row for each number of images."""
    if not _PYTHON.exists():
        return []
    with tempfile.TemporaryDirectory() as place:
        made = Path(place)
        _run("make", made, beside, max(counts))
        one, two = [], []
        for _ in range(rounds):
            one.append(_run("one", made, beside).said)
            two.append(_run("ray", made, "files", beside).said)
        ratios = [alone["seconds"] / both["seconds"] for alone, both in zip(one, two)]
        rows = [
            Figure(f"{beside:,} files, one process", spread([run["seconds"] for run in one], ".1f", "s")),
            Figure(f"{beside:,} files, Ray with two workers", spread([run["seconds"] for run in two], ".1f", "s")),
            Figure("one process / Ray", spread(ratios, ".2f"), ">= 1.6 on 2 free CPUs"),
        ]
        runs = {count: _run("ray", made, "parquet", count).said for count in counts}
        for count, run in runs.items():
            told = f"{run['seconds']:.1f} s, {run['peak']:.0f} MB in the process that asks"
            rows.append(Figure(f"{count:,} images in Parquet", told))
        for less, more in zip(counts, counts[1:]):
            each = 1000 * (runs[more]["seconds"] - runs[less]["seconds"]) / (more - less)
            rows.append(Figure(f"{less:,} to {more:,}: each further image", f"{each:.2f} ms"))
        peaks = [run["peak"] for run in runs.values()]
        return [
            *rows,
            Figure("memory of that process: most less least", f"{max(peaks) - min(peaks):.0f} MB", "<= 50 MB"),
        ]


def _run(*arguments: object) -> Process:
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", "MXTUNE_CACHE_GB": "0"}
    return fresh(str(_PYTHON), "-W", "ignore", "-m", "benchmarks.cluster", *map(str, arguments))


def make(place: Path, files: int, rows: int) -> None:
    """A model; images in a folder; and the same in Parquet."""
    import io

    import PIL.Image
    import pyarrow as pa
    import pyarrow.parquet as pq

    from mxtune import mxtrain

    pixels, codes = fashion_mnist()
    mxtrain(pixels[:500], fashion_labels(codes[:500]), tune="head", verbose=0).save(place / "model.mxt")
    contents = []
    for image in pixels[: max(files, min(rows, len(pixels)))]:
        stream = io.BytesIO()
        PIL.Image.fromarray(image.reshape(28, 28)).save(stream, "PNG")
        contents.append(stream.getvalue())
    for folder in ("files", "parquet"):
        (place / folder).mkdir()
    for number, content in enumerate(contents[:files]):
        (place / "files" / f"{number:06}.png").write_bytes(content)
    for first in range(0, rows, _SHARD):
        numbers = range(first, min(first + _SHARD, rows))
        table = {
            "path": [f"{number:07}" for number in numbers],
            "bytes": [contents[n % len(contents)] for n in numbers],
        }
        pq.write_table(pa.table(table), place / "parquet" / f"{first:07}.parquet")


def one(place: Path, _: int) -> None:
    """One process, with one thread."""
    from mxtune import mxload
    from mxtune.workers import use_cpus

    use_cpus(1)
    start = time.perf_counter()
    answers = mxload(place / "model.mxt").predict(place / "files", type="prob")
    answers.to_parquet(place / "one.parquet")
    print(json.dumps({"seconds": time.perf_counter() - start, "peak": _peak()}))


def by_ray(place: Path, source: str, count: int) -> None:
    """Ray, with two workers of one thread each."""
    import shutil

    import pyarrow.parquet as pq
    import ray

    import mxtune.ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    images = place / "files" if source == "files" else sorted((place / source).iterdir())[: -(-count // _SHARD)]
    start = time.perf_counter()
    answers = mxtune.ray.predict(images, place / "model.mxt", type="prob", workers=2)
    answers.write_parquet(str(place / "answers"))
    seconds = time.perf_counter() - start
    assert pq.read_table(place / "answers", columns=["file"]).num_rows == count
    shutil.rmtree(place / "answers")
    print(json.dumps({"seconds": seconds, "peak": _peak()}))


def _peak() -> float:
    """The most memory that this process has had, MB; not that of its children."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


if __name__ == "__main__":
    _verb, _place, *_more = sys.argv[1:]
    if _verb == "make":
        make(Path(_place), *map(int, _more))
    elif _verb == "one":
        one(Path(_place), int(_more[0]))
    else:
        by_ray(Path(_place), _more[0], int(_more[1]))
