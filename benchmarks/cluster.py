"""`mxtune.ray.predict`: two workers beside one process, seconds for each further image, and memory of the process that
asks.

The images are clothes: JPEG of 224 x 224, which EfficientNet-Lite0 sees as they are, and PNG of 28 x 28, which it sees
at 96 x 96; those are so small that Ray's own work, which takes the same two CPUs, tells. Every process decodes with one
thread and computes with one. Each run is a process of its own; starting Ray is not counted, starting its workers is.
`make cluster` makes the environment; without it nothing is measured.
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
_BESIDE, _ROUNDS = 20_000, 2
_KINDS = {"large": (224, "JPEG"), "small": (28, "PNG")}
_COUNTS = (10_000, 30_000, 100_000)
_SHARD = 5_000  # images of a Parquet file


def figures(beside: int = _BESIDE, rounds: int = _ROUNDS, counts: Sequence[int] = _COUNTS) -> list[Figure]:
    """Two workers beside one process, by turns; then one row for each number of images."""
    if not _PYTHON.exists():
        return []
    with tempfile.TemporaryDirectory() as place:
        made = Path(place)
        _run("make", made, beside, max(counts))
        rows = [row for kind in _KINDS for row in _beside(made, kind, beside, rounds)]
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


def _beside(made: Path, kind: str, count: int, rounds: int) -> list[Figure]:
    one, two = [], []
    for _ in range(rounds):
        one.append(_run("one", made, kind).said["seconds"])
        two.append(_run("ray", made, kind, count).said["seconds"])
    side = _KINDS[kind][0]
    wanted = ">= 1.6 on 2 free CPUs" if kind == "large" else ""
    return [
        Figure(f"{count:,} files of {side} x {side}, one process", spread(one, ".1f", "s")),
        Figure(f"{count:,} files of {side} x {side}, Ray with two workers", spread(two, ".1f", "s")),
        Figure("one process / Ray", spread([alone / both for alone, both in zip(one, two)], ".2f"), wanted),
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
    for kind, side in (("large", 224), ("small", 96)):
        images, labels = pixels[:500], fashion_labels(codes[:500])
        model = mxtrain(images, labels, net="efficientnet_lite0", image_size=side, tune="head", verbose=0)
        model.save(place / f"{kind}.mxt")

    def file(number: int, kind: str) -> bytes:
        side, form = _KINDS[kind]
        stream = io.BytesIO()
        image = PIL.Image.fromarray(pixels[number].reshape(28, 28))
        image.resize((side, side), PIL.Image.Resampling.BICUBIC).save(stream, form)
        return stream.getvalue()

    for kind in _KINDS:
        (place / kind).mkdir()
        for number in range(files):
            (place / kind / f"{number:06}").write_bytes(file(number, kind))
    (place / "parquet").mkdir()
    contents = [file(number, "small") for number in range(min(rows, len(pixels)))]
    for first in range(0, rows, _SHARD):
        numbers = range(first, min(first + _SHARD, rows))
        table = {
            "path": [f"{number:07}" for number in numbers],
            "bytes": [contents[n % len(contents)] for n in numbers],
        }
        pq.write_table(pa.table(table), place / "parquet" / f"{first:07}.parquet")


def one(place: Path, kind: str) -> None:
    """One process, with one thread."""
    from mxtune import mxload
    from mxtune.workers import use_cpus

    use_cpus(1)
    start = time.perf_counter()
    answers = mxload(place / f"{kind}.mxt").predict(sorted((place / kind).iterdir()), type="prob")
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
    images = sorted((place / source).iterdir())[: -(-count // _SHARD) if source == "parquet" else count]
    model = place / f"{'small' if source == 'parquet' else source}.mxt"
    start = time.perf_counter()
    answers = mxtune.ray.predict(images, model, type="prob", workers=2)
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
        one(Path(_place), _more[0])
    else:
        by_ray(Path(_place), _more[0], int(_more[1]))
