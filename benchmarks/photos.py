"""`mxtrain("folder")` with all defaults on a few hundred photographs, a fifth of them held out.

The folders of class folders come from the environment variable MXTUNE_BENCH_PHOTOS, joined by colons; no images of
that kind are in the repository. Seconds are those of the whole process, from its start to the trained model.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from .measure import Figure, python, spread

_SEEDS = (1, 2, 3)


def figures() -> list[Figure]:
    """Accuracy on what is held out, and seconds, over several splits of each folder."""
    folders = [Path(text) for text in os.environ.get("MXTUNE_BENCH_PHOTOS", "").split(":") if text]
    if not folders:
        print("MXTUNE_BENCH_PHOTOS names no folders of photographs: nothing to measure.")
    rows: list[Figure] = []
    for folder in folders:
        runs = [_held_out(folder, seed) for seed in _SEEDS]
        command = f"MXTUNE_BENCH_PHOTOS={folder.name} python -m benchmarks photos"
        rows += [
            Figure(f"{folder.name}: accuracy held out", spread([run["accuracy"] for run in runs]), ">= .85", command),
            Figure(
                f"{folder.name}: from start to model", spread([run["seconds"] for run in runs], ".1f", "s"), "< 15 s"
            ),
            Figure(f"{folder.name}: CPU seconds", spread([run["cpu"] for run in runs], ".1f", "s")),
        ]
    return rows


def _held_out(folder: Path, seed: int) -> dict[str, float]:
    from mxtune import mximages

    images = mximages(folder)
    with tempfile.TemporaryDirectory() as place:
        for part, name in zip(images.split(0.2, seed), ("train", "test")):
            for code, file in zip(part.y, part.files):
                target = Path(place, name, images.levels[code])
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target)
        return dict(python("-m", "benchmarks.photos", place, time.time()).said)


def _child(place: str, start: float) -> None:
    from mxtune import mxtrain

    model = mxtrain(f"{place}/train", verbose=0)
    seconds, cpu = time.time() - start, time.process_time()
    accuracy = model.evaluate(f"{place}/test")["accuracy"]
    print(json.dumps({"accuracy": accuracy, "seconds": seconds, "cpu": cpu}))


if __name__ == "__main__":
    _child(sys.argv[1], float(sys.argv[2]))
