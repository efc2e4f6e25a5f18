"""``python -m benchmarks.serving.batches MODEL``: images a second of `predict()` on the example's files, in batches."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from mxtune import mxexample, mxload

_TIMES = 3

model = mxload(sys.argv[1])
files = [str(file) for file in sorted(Path(mxexample("fashion")).rglob("*.png"))]
model.predict(files[:64], type="prob")  # the network is planned
began = time.perf_counter()
model.predict(files * _TIMES, type="prob")
print(_TIMES * len(files) / (time.perf_counter() - began))
