"""Ctrl-C: a real SIGINT to another process, at any time."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mxtune import mxload
from processes import passes, python

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
from mxtune.training import convex
found = convex.lbfgs
def slow(objective, *rest):
    threading.Timer(0.4, os.kill, (os.getpid(), signal.SIGINT)).start()
    def lingering(flat):
        import time; time.sleep(0.1)
        return objective(flat)
    return found(lingering, *rest)
convex.lbfgs = slow  # provoked: the head is trained too fast to be met otherwise
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model = mxtrain(mxexample("fashion"), tune="tail", image_size=64, verbose=0)
print(list(model.history["stage"]), len(caught), model.evaluate()["accuracy"] > 0.2)
"""


def test_while_the_head_is_trained_the_best_head_comes_back() -> None:
    done = subprocess.run([sys.executable, "-c", HEAD], capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout.strip() == "['head'] 1 True", done.stderr


STATIONS = """
import json, os, signal, sys, tempfile, warnings
from mxtune import *
from mxtune import progress

number = getattr(signal, sys.argv[1])
images = mximages(mxexample("fashion")).take(range(0, 400, 8))
folder = tempfile.mkdtemp()

class Signalled:
    # sends a signal at one of the stations: where work begins, goes on for the first time, ends
    def __init__(self, at):
        self.at, self.titles, self.last = at, [""], None
    def event(self, kind, **info):
        if kind == "advance" == self.last:
            return
        self.last = kind
        self.titles.append(info.get("title", self.titles[-1]))
        if len(self.titles) - 1 == self.at:
            os.kill(os.getpid(), number)

def train(at):
    reporter, file = Signalled(at), os.path.join(folder, "model.mxt")
    with progress.using(reporter), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            mxtrain(images, tune="tail", image_size=32, epochs=2).save(file)
            model = mxload(file)
            outcome = [len(model.history), "accuracy" in model.metrics]
        except KeyboardInterrupt:
            outcome = "nothing"
    said = [str(w.message).partition(": this is ")[2] for w in caught if "interrupted" in str(w.message)]
    return [reporter.titles, outcome, said]

titles, *whole = train(0)
assert whole == [[3, True], []]
first = titles.index("Training the head") + 2 if number == signal.SIGTERM else 1  # before, it ends the process
print(json.dumps([[titles[at], *train(at)[1:]] for at in range(first, len(titles) - 1)]))
"""


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_wherever_a_signal_comes_what_was_learned_is_in_the_file(number: str) -> None:
    """At every station of a training in turn: of the head's fit, the epochs, the measuring at the end."""
    told = json.loads(passes(STATIONS, arguments=[number]).stdout)
    learned = [outcome != "nothing" for _, outcome, _ in told]
    start = learned.index(True)
    assert all(learned[start:])  # once there is something
    assert {title for title, *_ in told[:start]} <= {"", "Computing features", "Training the head"}
    for _, (epochs, measured), said in told[start:]:
        assert measured
        assert said == ["the whole model." if epochs == 3 else "the best model so far."]
    assert [epochs for _, (epochs, _), _ in told[start:]] == sorted(epochs for _, (epochs, _), _ in told[start:])
    assert {title for title, *_ in told} >= {"Training the head", "tail 1/2", "tail 2/2", "Validating"}


AT_THE_END = """
import os, signal, sys, time, warnings
from mxtune import *
from mxtune import progress
from mxtune.errors import TrainingWarning

class Interrupts:
    def __init__(self, title, times):
        self.title, self.times = title, times
    def event(self, kind, **info):
        if info.get("title") == self.title:
            for _ in range(self.times):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.2)  # the same key again sooner is one press

images = mximages(mxexample("fashion")).take(range(0, 400, 8))
warnings.simplefilter("error", TrainingWarning)
for title, times in (("tail 2/2", 1), ("Validating", 1), ("tail 2/2", 2), ("Validating", 2)):
    try:
        with progress.using(Interrupts(title, times)):
            mxtrain(images, tune="tail", image_size=32, epochs=2)
    except (TrainingWarning, KeyboardInterrupt) as error:
        model = error.model
        print(type(error).__name__, len(model.history), bool(model.metrics), len(model.predict(images)))
try:
    mxtrain(images, net="lenet", epochs=1)
except TrainingWarning as error:
    print(error.model, error.message.partition(" has ")[0])
"""


def test_where_warnings_are_errors_and_after_a_second_ctrl_c_the_exception_has_the_model() -> None:
    assert passes(AT_THE_END).stdout.splitlines() == [
        "TrainingWarning 2 True 50",
        "TrainingWarning 3 True 50",
        "KeyboardInterrupt 2 False 50",
        "KeyboardInterrupt 3 False 50",
        "None lenet",  # what is known before is told before
    ]


WRITING = """
import os, signal, sys, time
from mxtune import *

number = getattr(signal, sys.argv[1])
model = mxtrain(mximages(mxexample("fashion")).take(range(0, 400, 8)), tune="head", image_size=32, verbose=0)
sync = os.fsync
def interrupted(file):  # provoked: while the file is written
    os.fsync = sync
    for _ in range(2):
        os.kill(os.getpid(), number)
        time.sleep(0.2)
    sync(file)
os.fsync = interrupted
try:
    model.save(sys.argv[2])
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


@pytest.mark.parametrize(("number", "code", "said"), [("SIGINT", 0, "stopped"), ("SIGTERM", -signal.SIGTERM, "")])
def test_a_signal_while_the_model_is_written_waits_until_it_is(
    number: str, code: int, said: str, tmp_path: Path
) -> None:
    done = python(WRITING, arguments=[number, str(tmp_path / "model.mxt")])
    assert (done.returncode, done.stdout.strip()) == (code, said), done.stderr
    assert mxload(tmp_path / "model.mxt").metrics
    assert len(list(tmp_path.iterdir())) == 1


OWN = """
import os, signal, time, warnings
from mxtune import *
from mxtune import progress
got = []
signal.signal(signal.SIGTERM, lambda *_: got.append("mine"))

class Terminates:
    def event(self, kind, **info):
        if info.get("title") == "tail 1/1":
            os.kill(os.getpid(), signal.SIGTERM)

with progress.using(Terminates()):
    model = mxtrain(mximages(mxexample("fashion")).take(range(0, 400, 8)), tune="tail", image_size=32, epochs=1)
print(got, len(model.history), signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


def test_a_handler_of_the_users_own_stays() -> None:
    assert passes(OWN).stdout.strip() == "['mine'] 2 True"
