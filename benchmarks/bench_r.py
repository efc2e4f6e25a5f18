"""R beside Python, on the same engine and machine: a whole script, an array on its way in, and prediction of files.

The R package is installed into a folder of its own first. The two languages take turns; ratios are of medians.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from .measure import ROOT, Figure, fresh, python, spread

_ROUNDS = 3
_SESSIONS = 9  # of prediction: the two differ by less than one session from the next
_TRAIN_R = "invisible(mxtune::mxtrain(mxtune::mxexample('fashion'), tune = 'head', seed = 0, verbose = 0))"
_TRAIN_PYTHON = "import mxtune; mxtune.mxtrain(mxtune.mxexample('fashion'), tune='head', seed=0, verbose=0)"
# once to warm up, then the best of several; a memcpy is a copy of the same array within R
_ARRAY = """
library(mxtune)
taken <- function(work) min(replicate({rounds}, system.time(work())[["elapsed"]]))
x <- array(runif(256 * 224 * 224 * 3), {dim})
copy <- function() {{ y <- x; y[1] <- 0 }}
invisible(mximages(mxexample("fashion")))
into <- function() mximages(x, layout = "{layout}")
cat(sprintf('[%f, %f]\\n', taken(into), taken(copy)))
"""
_FILES_R = """
library(mxtune)
model <- mxload("{model}")
files <- rep(list.files(mxexample("fashion"), recursive = TRUE, full.names = TRUE), length.out = 1000)
work <- function(round) system.time(predict(model, files))[["elapsed"]]
work()
cat(sprintf('%f\\n', min(vapply(1:3, work, 0))))
"""
_FILES_PYTHON = """
import itertools, time, pathlib, mxtune
model = mxtune.mxload("{model}")
found = sorted(pathlib.Path(mxtune.mxexample("fashion")).rglob("*.png"))
files = list(itertools.islice(itertools.cycle(found), 1000))
def work():
    start = time.perf_counter()
    model.predict(files)
    return time.perf_counter() - start
work()
print(min(work() for _ in range(3)))
"""


def figures() -> list[Figure]:
    """Seconds of both languages in turn, and their ratios."""
    with tempfile.TemporaryDirectory() as place:
        _install(place)
        return [*_scripts(), *_arrays(), *_files(Path(place, "fashion.mxt"))]


def _install(library: str) -> None:
    """Install the R package into this folder, and let R find it and this Python."""
    command = ["R", "CMD", "INSTALL", "--no-docs", f"--library={library}", str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    os.environ["R_LIBS"] = os.pathsep.join(filter(None, [library, os.environ.get("R_LIBS", "")]))
    os.environ["RETICULATE_PYTHON"] = sys.executable


def _scripts() -> list[Figure]:
    r, own = [], []
    for _ in range(_ROUNDS):
        r.append(fresh("Rscript", "-e", _TRAIN_R).seconds)
        own.append(python("-c", _TRAIN_PYTHON).seconds)
    limit = 1.1 * statistics.median(own) + 1.5
    return [
        Figure("whole Rscript that fine-tunes", spread(r, ".1f", "s"), f"<= {limit:.1f} s", f'Rscript -e "{_TRAIN_R}"'),
        Figure("the same Python script", spread(own, ".1f", "s"), "", f'python -c "{_TRAIN_PYTHON}"'),
    ]


def _arrays() -> list[Figure]:
    rows = []
    for layout, dim, wanted in (
        ("NHWC", "c(256, 224, 224, 3)", "<= 6 times"),
        ("HWCN", "c(224, 224, 3, 256)", "<= 3 times"),
    ):
        into, copy = fresh("Rscript", "-e", _ARRAY.format(layout=layout, dim=dim, rounds=_ROUNDS)).said
        rows.append(
            Figure(
                f"R array of 256 images, {layout}, into the engine",
                f"{into / copy:.1f} times a copy of it in R ({into:.2f} s, {copy:.2f} s)",
                wanted,
                f'mximages(x, layout = "{layout}")',
            )
        )
    return rows


def _files(model: Path) -> list[Figure]:
    python("-c", f"{_TRAIN_PYTHON}.save({str(model)!r})")
    r, own = [], []
    for _ in range(_SESSIONS):
        r.append(float(fresh("Rscript", "-e", _FILES_R.format(model=model)).said))
        own.append(float(python("-c", _FILES_PYTHON.format(model=model)).said))
    ratio = statistics.median(r) / statistics.median(own)
    measured = f"{ratio:.2f} times Python: {spread(r, '.2f', 's')}, {spread(own, '.2f', 's')}"
    return [
        Figure(
            "predict() on 1,000 files in R, best of 3 in a session", measured, "<= 1.05 times", "predict(model, files)"
        )
    ]
