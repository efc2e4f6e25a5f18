"""Ctrl-C: a real SIGINT to another process, at any time."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import os, signal, sys, threading, warnings
from mxtune import *
from mxtune import progress

class Interrupts:
    # sends SIGINT a moment after the event that was asked for: into whatever runs then
    def event(self, kind, **info):
        text = info.get("title") or (kind + " " + str(info.get("epoch", "")) + info.get("stage", ""))
        if text.startswith(sys.argv[1]):
            threading.Timer(float(sys.argv[2]), os.kill, (os.getpid(), signal.SIGINT)).start()

images = mximages(mxexample("fashion")).take(range(0, 400, 4))
warnings.simplefilter("always")
try:
    with progress.using(Interrupts()), warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("ignore", "lenet has no pretrained weights")
        model = mxtrain(images, **eval(sys.argv[3]))
except KeyboardInterrupt:
    print("nothing learned")
    raise SystemExit(0)
told = [f"{type(w.message).__name__} {os.path.basename(w.filename)}" for w in caught]
again = Model.from_bytes(model.to_bytes())
said = model.predict(images.take(range(0, 100, 9)), type="prob")
assert said.equals(again.predict(images.take(range(0, 100, 9)), type="prob"))
assert said.notna().all().all()
print(list(model.history["stage"]), told, model.evaluate()["accuracy"] > 0.3)
"""

TAIL = "dict(tune='tail', image_size=48, epochs=30, lr=1e-4)"
SCRATCH = "dict(net='lenet', epochs=300, patience=0)"


def interrupted(when: str, delay: float, settings: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", CODE, when, str(delay), settings],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_before_anything_is_learned_it_stays_ctrl_c() -> None:
    assert interrupted("Computing features", 0.1, TAIL) == "nothing learned"


@pytest.mark.parametrize("delay", [0.05, 0.3])
def test_in_the_tail_the_best_model_comes_back_and_it_is_said(delay: float) -> None:
    said = interrupted("tail 2/30", delay, TAIL)
    assert said.startswith("['head', 'tail'")
    assert said.endswith("] ['TrainingWarning <string>'] True")


def test_after_the_head_the_head_comes_back() -> None:
    assert interrupted("tail 1/30", 0.02, TAIL) == "['head'] ['TrainingWarning <string>'] True"


def test_from_scratch_the_best_epoch_comes_back() -> None:
    said = interrupted("epoch 5all", 0.02, SCRATCH)
    assert said.startswith("['all', 'all'")
    assert said.endswith("['TrainingWarning <string>'] True")


def test_in_the_first_epoch_from_scratch_what_there_is_comes_back() -> None:
    said = interrupted("all 1/300", 0.03, SCRATCH)
    assert said.startswith(("[] ['TrainingWarning", "['all'"))


HEAD = """
import os, signal, threading, numpy as np, warnings
from mxtune import *
from mxtune.training import head
found = head.lbfgs
def slow(objective, *rest):
    threading.Timer(0.4, os.kill, (os.getpid(), signal.SIGINT)).start()
    def lingering(flat):
        import time; time.sleep(0.02)
        return objective(flat)
    return found(lingering, *rest)
head.lbfgs = slow  # provoked: the head is trained too fast to be met otherwise
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model = mxtrain(mxexample("fashion"), tune="tail", image_size=64, verbose=0)
print(list(model.history["stage"]), len(caught), model.evaluate()["accuracy"] > 0.2)
"""


def test_while_the_head_is_trained_the_best_head_comes_back() -> None:
    done = subprocess.run([sys.executable, "-c", HEAD], capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout.strip() == "['head'] 1 True", done.stderr
