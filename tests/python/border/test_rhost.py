"""R inside Python, each time in a process of its own, as a user's script is: it must also end well."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
START = """
import json, os, sys, warnings
import mxtune
import mxtune.rhost as rh
from mxtune import mxexample, mxtrain
folder = str(mxexample("fashion"))
warnings.filterwarnings("ignore", "lenet has no pretrained weights")
"""
TRAIN = 'model = mxtrain(folder, net="lenet", tune="all", epochs=1, verbose=0)\n'


@pytest.fixture(scope="session", autouse=True)
def r_library() -> None:
    """Where `make` installs the R package."""
    os.environ.setdefault("R_LIBS", str(ROOT / ".venv" / "R-library"))


def script(text: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A user's script."""
    return subprocess.run(
        [sys.executable, "-c", START + text],
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_all_that_crosses_in_one_session_of_pytest_which_ends_well() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, sorted(HERE.glob("*_session.py")))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert told.returncode == 0, told.stdout[-6000:] + told.stderr[-2000:]
    assert told.stderr == ""


# ---- the end

ENDS = {
    "after collections": (
        """
fit = rh.r(model)
for _ in range(2):
    for _ in range(20):
        rh.eval('x <- reticulate::import("numpy", convert = FALSE)$zeros(10L); rm(x)')
    rh.eval("invisible(gc())")
print(rh.eval("tempdir()"))
""",
        0,
        "",
    ),
    "exit code": ('fit = rh.r(model); rh.eval("kept <<- fit", fit=fit); sys.exit(3)', 3, ""),
    "exception": ('fit = rh.r(model); raise ValueError("mine")', 1, "ValueError: mine"),
    "threads": (
        """
from concurrent.futures import ThreadPoolExecutor
fit = rh.r(model)
with ThreadPoolExecutor(3) as pool:
    assert len({len(table) for table in pool.map(lambda _: model.predict(folder), range(3))}) == 1
""",
        0,
        "",
    ),
}


def test_python_may_be_started_by_a_relative_path() -> None:
    folder, name = os.path.split(sys.executable)
    told = subprocess.run(
        [f"./{name}", "-c", "import mxtune.rhost as rh; print(rh.eval('6 * 7'))"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (told.returncode, told.stdout.strip(), told.stderr) == (0, "42.0", "")


ENDS |= {
    "quit in r": (
        """
import atexit
atexit.register(lambda: print("atexit", flush=True))
try:
    rh.eval("quit(save = 'no', status = 3)")
except mxtune.errors.RQuitError as error:
    print("caught", error.status)
try:
    rh.eval("q()")
finally:
    print("finally")
""",
        1,
        "i Python goes on; sys.exit(error.status) ends it, too.",
    )
}


@pytest.mark.parametrize("name", ENDS)
def test_the_process_ends_as_its_script_says(name: str) -> None:
    text, code, last = ENDS[name]
    told = script(TRAIN + text)
    assert told.returncode == code, told.stderr
    assert told.stderr.strip().rpartition("\n")[2] == last
    if name == "quit in r":
        assert told.stdout.split() == ["caught", "3", "finally", "atexit"]
    if name == "after collections":
        assert not Path(told.stdout.strip()).exists()


def test_rpy2_that_the_user_started_before_is_taken_as_it_is() -> None:
    told = script("""
import rpy2.robjects as ro, signal
signal.signal(signal.SIGINT, mine := lambda *_: None)
assert ro.r("interactive()")[0]
assert rh.r(mxtune.mxnetwork("lenet")).classes == ("mxnetwork",)
assert rh.eval("interactive()")
""")
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


# ---- Ctrl-C

INTERRUPTS = """
import signal, subprocess, time
model = mxtrain(folder, net="lenet", tune="all", epochs=1, verbose=0)

def python_loop(*_):
    while True:
        pass

train = 'mxtune::mxtrain(folder, net="lenet", tune="all", epochs=9999, patience=0, verbose=0, callbacks=slow)'
slow = rh.eval("function(epoch, metrics) Sys.sleep(20)")
cases = {
    "python": python_loop,
    "r": lambda: rh.eval("repeat 1"),
    "r asleep": lambda: rh.call("Sys.sleep", 20),
    "r printing": lambda: rh.eval("repeat { cat(''); flush(stdout()) }"),
    "python in r": lambda: rh.call("sapply", 1, python_loop),
    "python asleep in r": lambda: rh.call("sapply", 1, lambda _: time.sleep(20)),
    "r in python in r": lambda: rh.call("sapply", 1, lambda _: rh.eval("repeat 1")),
    "reticulate": lambda: rh.eval("reticulate::py_run_string('while True: pass')"),
    "r in reticulate": lambda: rh.eval("reticulate::py_call(reticulate::r_to_py(function(x) Sys.sleep(20)), 1)"),
    "prediction in r": lambda: rh.eval("repeat predict(fit, folder)", fit=model, folder=folder),
    "caught by r": lambda: rh.eval("tryCatch(Sys.sleep(20), interrupt = function(i) 'caught')"),
    "training in r": lambda: type(rh.eval(train, folder=folder, slow=slow)).__name__,
}
rh.start()
said = {}
for name, work in cases.items():
    delay = 1.5 if name == "training in r" else 0.6
    subprocess.Popen(["sh", "-c", f"sleep {delay}; kill -INT {os.getpid()}"])
    told = []
    start = time.monotonic()
    try:
        told.append(work())
    except BaseException as error:
        told.append(type(error).__name__)
    seconds = time.monotonic() - start
    for late in (lambda: time.sleep(0.1), lambda: rh.eval("Sys.sleep(0.1)")):
        try:
            late()
        except BaseException as error:
            told.append("late " + type(error).__name__)
    said[name] = [told, seconds < 8]

def leave(*_):
    sys.exit(4)

signal.signal(signal.SIGTERM, leave)
print(json.dumps(said), flush=True)
subprocess.Popen(["sh", "-c", f"sleep 0.6; kill -TERM {os.getpid()}"])
rh.eval("repeat 1")
"""


def test_ctrl_c_is_one_keyboard_interrupt_in_every_nesting() -> None:
    told = script("import warnings; warnings.simplefilter('ignore')" + INTERRUPTS)
    assert told.stderr == ""
    said = json.loads(told.stdout)
    expected = {name: [["KeyboardInterrupt"], True] for name in said}
    expected |= {"caught by r": [["caught"], True], "training in r": [["Model"], True]}
    assert said == expected
    assert told.returncode == 4  # SIGTERM's own handler ended it, out of R's loop


STEPS = """
import signal
rh.start()
works = {
    "eval": lambda: rh.eval("sum(1:10)"),
    "frame": lambda: rh.eval("frame", frame=frame),
    "object": lambda: rh.eval("quote(x)"),
    "python": lambda: rh.eval("x", x=works),
    "python in r": lambda: rh.call("sapply", 1, lambda x: x + 1),
    "r in python in r": lambda: rh.call("sapply", 1, lambda x: rh.call("sum", [x, rh.eval("1 + 1")])),
}
frame = rh.eval("data.frame(a = 1:2, b = c('x', NA))")

def at_step(work, step, number):  # what comes of a signal at this step of Python's code, and how many are left
    def count(*_):
        nonlocal step
        step -= 1
        if step == 0:
            signal.raise_signal(number)

    try:
        sys.setprofile(count)
        work()
        left, step = step, -1
        outcome = "went on"
    except BaseException as error:
        left, outcome = 0, type(error).__name__
    finally:
        sys.setprofile(None)
    return outcome, left

def expired(*_):
    raise TimeoutError

seen = []
counted = lambda *_: seen.append(1)
handlers = {signal.SIGINT: signal.default_int_handler, signal.SIGALRM: expired, signal.SIGUSR1: counted}
for number, handler in handlers.items():
    signal.signal(number, handler)
outcomes = {}
for name, work in works.items():
    for number in handlers if name == "eval" else [signal.SIGINT]:
        work()
        steps = 100_000 - at_step(work, 100_000, number)[1]
        came = [at_step(work, step, number)[0] for step in range(1, steps - 20, steps // 100)]
        outcomes[f"{name} {number.name}"] = sorted({*came}), len(came) >= 100
assert all(signal.getsignal(number) is handler for number, handler in handlers.items())
assert rh.eval("1 + 1") == 2
print(json.dumps([outcomes, len(seen)]))
"""


def test_a_signal_at_any_step_of_a_call_does_what_its_handler_does_once() -> None:
    told = script(STEPS)
    assert (told.returncode, told.stderr) == (0, "")
    outcomes, seen = json.loads(told.stdout)
    does = {"SIGINT": "KeyboardInterrupt", "SIGALRM": "TimeoutError", "SIGUSR1": "went on"}
    assert outcomes == {name: [[does[name.split()[-1]]], True] for name in outcomes}
    assert len(outcomes) == 8
    assert seen >= 100


def test_ctrl_c_at_any_moment_of_many_short_calls_is_one_keyboard_interrupt() -> None:
    told = script("""
import random, signal, subprocess
handler, rng, said = signal.getsignal(signal.SIGINT), random.Random(1), []
for number in range(60):
    keys = f"sleep {rng.uniform(0.01, 0.06):.3f}; kill -INT {os.getpid()}"
    try:
        subprocess.Popen(["sh", "-c", keys])
        while True:
            if number % 3:
                rh.eval("sum(1:10)")
            else:
                rh.call("sapply", [1, 2], lambda x: rh.eval("quote(x)"))
    except BaseException as error:
        said.append(type(error).__name__)
assert signal.getsignal(signal.SIGINT) is handler
print(len(said), {*said})
""")
    assert (told.returncode, told.stdout.strip(), told.stderr) == (0, "60 {'KeyboardInterrupt'}", "")


# ---- threads, forks, and what is missing


def test_r_starts_in_the_main_thread_only() -> None:
    told = script("""
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(1, "worker") as pool:
    print(pool.submit(rh.start).exception())
""")
    assert told.stdout.startswith("R can only be started in the main thread, and this is the thread worker_0.")
    assert (told.returncode, told.stderr) == (0, "")


def test_a_forked_child_gets_an_error_and_leaves_its_parent_alone() -> None:
    told = script(
        TRAIN
        + """
import multiprocessing, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 and later: of the fork itself
rh.start()
def child():
    for work in (lambda: rh.eval("1"), lambda: model.predict(folder)):
        try:
            work()
        except RuntimeError as error:
            print(error, flush=True)
    sys.exit(5)
process = multiprocessing.get_context("fork").Process(target=child)
process.start()
process.join()
if os.fork() == 0:
    sys.exit(6)
print(process.exitcode, os.wait()[1] >> 8, rh.eval("dir.exists(tempdir())"), len(model.predict(folder)))
"""
    )
    assert re.sub("^(MXNet|PyTorch)", "An engine", told.stdout, flags=re.MULTILINE).splitlines() == [
        "R was started before this process was forked, and can't be used in the child.",
        'i Start workers as new processes: multiprocessing.get_context("spawn"), or subprocess.',
        "An engine was started before this process was forked, and can't be used in the child.",
        'i Start workers with multiprocessing.get_context("spawn"), or use threads. A model that was only loaded '
        "before the fork, without predicting, works in the child.",
        "5 6 True 400",
    ]
    assert (told.returncode, told.stderr) == (0, "")


TRY = """
try:
    rh.start()
except RuntimeError as error:
    print(type(error).__name__, error)
assert len(mxtune.mxzoo())
"""


def test_without_r_the_rest_works_and_rhost_says_what_to_install(tmp_path: Path) -> None:
    told = script(TRY, PATH=str(tmp_path), R_HOME="")
    assert told.stdout.startswith("RHostError R is not installed, or not found.\ni On Debian or Ubuntu run: apt-get")
    assert (told.returncode, told.stderr) == (0, "")


def test_without_rpy2_rhost_names_the_version_that_fits() -> None:
    told = script("sys.modules['rpy2'] = None" + TRY)
    assert "rpy2, which hosts it in Python, is not." in told.stdout
    assert "i Run: pip install 'rpy2" in told.stdout
    assert (told.returncode, told.stderr) == (0, "")


def test_without_the_r_package_rhost_says_how_to_install_it(tmp_path: Path) -> None:
    told = script(TRY, R_LIBS=str(tmp_path), R_LIBS_USER=str(tmp_path), R_LIBS_SITE="")
    assert told.stdout.startswith("RHostError R's package mxtune can't be loaded.\nx there is no package called")
    assert "i Run in the project's folder: R CMD INSTALL ." in told.stdout
    assert (told.returncode, told.stderr) == (0, "")


def test_without_bit64_a_whole_number_that_needs_it_is_refused_by_name(tmp_path: Path) -> None:
    site = subprocess.run(["Rscript", "-e", "writeLines(.Library.site)"], capture_output=True, text=True, check=True)
    installed = {package.name: package for folder in site.stdout.splitlines() for package in Path(folder).glob("*")}
    for name in installed.keys() - {"bit64"}:
        (tmp_path / name).symlink_to(installed[name])
    code = """
import pandas as pd
for value in (2**53, 2**53 + 1):
    try:
        print(rh.eval("class(x$id)", x=pd.DataFrame({"id": [value]})))
    except mxtune.errors.RHostError as error:
        print(error)
"""
    told = script(code, R_LIBS_SITE=str(tmp_path))
    assert told.stdout.splitlines() == [
        "numeric",
        "Can't carry `x$id` into R.",
        "x whole numbers beyond 2^53, for which R needs bit64",
        'i In R: install.packages("bit64").',
    ]
    assert (told.returncode, told.stderr) == (0, "")


# ---- notebooks


@pytest.mark.parametrize("path", sorted((ROOT / "inst" / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_notebook_runs_in_a_kernel_that_ends_well(path: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=100, kernel_name="python3", resources={"metadata": {"path": tmp_path}})
    client.execute()
    streams = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output.name == "stderr"
    ]
    assert streams == []
    assert {file.suffix for file in tmp_path.iterdir()} >= {".csv", ".png"}
