"""The examples of rhost run, with R in a process of its own."""

from __future__ import annotations

import os
from pathlib import Path

from processes import python

ROOT = Path(__file__).parents[3]
CODE = """
import doctest, importlib, pkgutil
import mxtune.rhost as rh
from mxtune import mxexample, mxtrain
from mxtune.border import rpy2

photos = mxexample("fashion")
names = {"rh": rh, "photos": photos, "model": mxtrain(photos, net="lenet", epochs=1, verbose=0)}
modules = [rh, *(importlib.import_module(f"{rpy2.__name__}.{one.name}") for one in pkgutil.iter_modules(rpy2.__path__))]
results = [doctest.testmod(module, extraglobs=names, optionflags=doctest.REPORT_UDIFF) for module in modules]
assert sum(result.attempted for result in results) > 10
assert not any(result.failed for result in results)
"""


def test_examples_of_rhost_run() -> None:
    done = python(CODE, R_LIBS=os.environ.get("R_LIBS", str(ROOT / ".venv" / "R-library")))
    assert done.returncode == 0, done.stdout + done.stderr
