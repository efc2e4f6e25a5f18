"""R in a Python process: a model to R and back, a data frame of 100,000 predictions, and `predict` through R.

Needs `mxtune[r]` and the R package where R finds it.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import tempfile
import time

from .bench_r import _install
from .measure import Figure, python, spread

_ROUNDS = 3
_ROWS = 100_000


def figures() -> list[Figure]:
    """Seconds and memory in one fresh process a round."""
    with tempfile.TemporaryDirectory() as place:
        _install(place)
        runs = [python("-m", "benchmarks.bench_rhost", "child").said for _ in range(_ROUNDS)]
    command = "python -m benchmarks bench_rhost"
    ratio = statistics.median(run["r"] / run["python"] for run in runs)
    copied = [run["copied"] for run in runs]
    return [
        Figure("peak memory of 100 trips of a model to R and back", spread(copied, ".1f", "MB"), "no copy", command),
        Figure("weights of that model", f"{runs[0]['weights']:.1f} MB", "", command),
        Figure(
            f"{_ROWS:,} predictions to R and back", spread([run["frame"] for run in runs], ".2f", "s"), "< 1 s", command
        ),
        Figure("predict() through the embedded R", f"{ratio:.2f} times Python", "<= 1.05 times", command),
    ]


def _child() -> None:
    import numpy as np
    import pandas as pd

    import mxtune.rhost as rh
    from mxtune import mxexample, mxtrain

    model = mxtrain(mxexample("fashion"), tune="head", seed=0, verbose=0)
    rh.py(rh.r(model))
    before = _peak()
    for _ in range(100):
        assert rh.py(rh.r(model)) is model
    said = {"copied": _peak() - before, "weights": sum(a.nbytes for a in model.network.params.values()) / 2**20}
    probabilities = np.random.default_rng(0).dirichlet(np.ones(10), _ROWS)
    frame = pd.DataFrame(probabilities, columns=[f"pred_{level}" for level in model.levels])
    frame.insert(0, "pred_class", pd.Categorical.from_codes(probabilities.argmax(axis=1), list(model.levels)))
    frame.insert(0, "file", [f"photos/{number}.jpg" for number in range(_ROWS)])
    said["frame"] = _seconds(lambda: rh.py(rh.r(frame)))
    folder = str(mxexample("fashion"))
    fit = rh.r(model)
    for name, work in (
        ("r", lambda: rh.call("predict", fit, folder)),
        ("python", lambda: model.predict(folder)),
    ):
        work()
        said[name] = min(_seconds(work) for _ in range(_ROUNDS))
    print(json.dumps(said))


def _seconds(work: object) -> float:
    start = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - start


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    assert os.environ.get("R_LIBS"), sys.argv
    _child()
