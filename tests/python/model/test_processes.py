"""A model in other processes: it works there, or says there what to do; nothing waits for ever."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from mxtune import Model, mxexample, mxtrain
from processes import passes

BAG = str(next(Path(mxexample("fashion"), "bag").iterdir()))
# A module, since processes that are started anew import what they run.
WORK = """
import multiprocessing as mp, os, pickle, sys, threading
from concurrent.futures import ProcessPoolExecutor
from mxtune import mxload

def work(model, image):
    model = mxload(model) if isinstance(model, str) else model
    return str(model.predict(image).pred_class[0])

def said(work):
    try:
        return work()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("processes")
    (folder / "work.py").write_text(WORK)
    model = mxtrain(mxexample("fashion"), net="lenet", epochs=1, verbose=0)
    model.save(folder / "model.mxt")
    return str(folder / "model.mxt")


def run(file: str, code: str) -> list[str]:
    """What the code prints, a line each; in it are ``file``, ``image`` and all of the module above."""
    start = f"import sys; sys.path.insert(0, {str(Path(file).parent)!r})\nfrom work import *\n"
    return passes(f"{start}file, image = {file!r}, {BAG!r}\n{textwrap.dedent(code)}").stdout.splitlines()


def predicted(file: str) -> str:
    return str(Model.from_bytes(Path(file).read_bytes()).predict(BAG).pred_class[0])


def test_loading_and_unpickling_start_no_engine_so_that_forked_workers_predict(file: str) -> None:
    lines = run(
        file,
        """
        model = pickle.loads(pickle.dumps(mxload(file)))
        print({"mxnet", "torch"} & set(sys.modules))
        with mp.get_context("fork").Pool(1) as pool:
            print(pool.starmap(work, [(model, image)])[0])
        """,
    )
    assert lines == ["set()", predicted(file)]


def test_a_model_that_has_predicted_says_in_forked_workers_what_to_do(file: str) -> None:
    lines = run(
        file,
        """
        fork, model = mp.get_context("fork"), mxload(file)
        model.predict(image)
        with fork.Pool(1) as pool:
            print(said(lambda: pool.starmap(work, [(model, image)])).splitlines()[1])
            print(said(lambda: pool.map(model.predict, [image])).splitlines()[1])
            print(said(lambda: pool.starmap(work, [(file, image)])).splitlines()[1])
            print(pool.map(mxload, [file])[0].levels == model.levels)
        with ProcessPoolExecutor(1, mp_context=fork) as workers:
            print(said(lambda: workers.submit(work, model, image).result()).splitlines()[1])
        """,
    )
    hint = 'i Start workers with multiprocessing.get_context("spawn"), or use threads. '
    assert [line.startswith(hint) for line in (*lines[:3], lines[4])] == [True] * 4
    assert lines[3] == "True"


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_workers_that_are_started_anew_predict(file: str, method: str) -> None:
    lines = run(
        file,
        f"""
        if __name__ == "__main__":
            model = mxload(file)
            model.predict(image)
            with ProcessPoolExecutor(1, mp_context=mp.get_context({method!r})) as workers:
                print(workers.submit(work, model, image).result())
        """,
    )
    assert lines == [predicted(file)]


def test_a_fork_while_another_thread_predicts_does_not_wait_for_its_lock(file: str) -> None:
    lines = run(
        file,
        """
        import importlib
        from mxtune.engines import choose
        executor = importlib.import_module(f"mxtune.engines.{choose().engine.name}.executor")
        model = mxload(file)
        model.predict(image)
        held, done = threading.Event(), threading.Event()
        def hold():
            with executor._ALONE, model._predictor._lock:
                held.set(); done.wait()
        threading.Thread(target=hold, daemon=True).start()
        held.wait()
        child = os.fork()
        if child == 0:
            print(said(lambda: model.predict(image)).splitlines()[0], flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        done.set()
        """,
    )
    (line,) = lines
    assert re.fullmatch(
        r"EngineError: \w+ was started before this process was forked, and can't be used in the child\.", line
    )
