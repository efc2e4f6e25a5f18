"""Several processes on CPUs learn by MXNet what one learns. `test_torch_parallel` is about those of PyTorch."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lockstep import BATCH, CROSS, LABELS, equal, lenet, steps, with_moving_statistics
from mxtune import engines
from mxtune.engines import LostProcessError
from mxtune.engines.devices import CPU
from mxtune.errors import EngineError
from mxtune.tasks.losses import CrossEntropy

RNG = np.random.default_rng(5)


PROGRAM = lenet()


@pytest.fixture(params=[name for name in engines.installed() if name == "mxnet"], scope="module")
def mxnet(request: pytest.FixtureRequest) -> Any:
    """MXNet, where it is installed."""
    return engines.get(request.param)


@pytest.fixture(scope="module")
def started(mxnet: Any) -> Any:
    return mxnet.replicate(PROGRAM, CPU * 3, "float32", True)


@pytest.fixture(scope="module")
def beginning(started: Any) -> Any:
    return started.state()


@pytest.fixture
def three(started: Any, beginning: Any) -> Any:
    """Three processes that have learned nothing yet."""
    started.restore(beginning)
    return started


@pytest.fixture
def alone(mxnet: Any) -> Any:
    return mxnet.bind(PROGRAM, CPU)


@pytest.fixture(scope="module", autouse=True)
def _none_is_left(started: Any) -> Iterator[None]:
    yield
    pids = started._processes.pids
    started._processes.close(EngineError("over"))
    assert all(map(gone, pids))


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def stopped(pid: int, then: signal.Signals) -> None:
    """Stop a process, and send it another signal some time later."""
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(0.3, os.kill, (pid, then)).start()


def test_three_learn_what_one_learns_dropout_included(three: Any, alone: Any) -> None:
    assert steps(three) == pytest.approx(steps(alone), rel=1e-5)
    equal(three.state(), alone.state())
    assert three.parameters().keys() == PROGRAM.trainable
    for rows in (7, 1):
        np.testing.assert_allclose(three.predict(BATCH[:rows]), alone.predict(BATCH[:rows]), atol=1e-4)


def test_they_learn_the_same_bytes_each_time_whoever_is_slow(three: Any, beginning: Any) -> None:
    states = []
    for slow in (0, 2):
        three.restore(beginning)
        stopped(three._processes.pids[slow], signal.SIGCONT)
        steps(three)
        states.append(three.state())
    equal(*states, 0)


def test_there_may_be_fewer_rows_than_processes(three: Any, alone: Any) -> None:
    for rows in (2, 1):
        assert steps(three, rows) == pytest.approx(steps(alone, rows), rel=1e-4)
    equal(three.state(), alone.state(), 2e-4)  # AdamW makes steps of what only rounding gives


def test_a_loss_that_is_no_number_changes_nothing_and_a_batch_that_does_not_fit_ends_nothing(three: Any) -> None:
    assert np.isnan(three.step(BATCH, LABELS, np.full(7, np.nan), CROSS, 0.1))
    equal(three.parameters(), dict(PROGRAM.params), 0)
    with pytest.raises(EngineError, match="The network takes uint8 of N x 28 x 28 x 1"):
        three.predict(BATCH[:, :5])
    with pytest.raises(EngineError, match="no gradient with respect to images of 8 bits"):
        three.gradient(BATCH, np.ones((7, 5), "float32"))
    assert np.isfinite(steps(three)).all()


def test_ctrl_c_in_a_step_leaves_all_of_them_with_the_weights_of_before(three: Any, alone: Any) -> None:
    pid = three._processes.pids[1]
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        steps(three)
    os.kill(pid, signal.SIGCONT)
    assert steps(three) == pytest.approx(steps(alone), rel=1e-5)
    equal(three.state(), alone.state())


def test_one_that_is_killed_in_the_middle_is_one_error_and_training_goes_on_from_a_state(
    three: Any, alone: Any
) -> None:
    steps(three)
    steps(alone)
    state, pids = three.state(), three._processes.pids
    stopped(pids[1], signal.SIGKILL)
    start = time.monotonic()
    with pytest.raises(LostProcessError, match=r"A process of the training was lost\.\nx worker 2: .* signal 9"):
        steps(three)
    assert time.monotonic() - start < 20
    assert all(map(gone, pids))
    three.restore(state)
    steps(three)
    steps(alone)
    equal(three.state(), alone.state())


def test_statistics_become_the_mean_of_what_each_share_moves_them_to(mxnet: Any) -> None:
    program = with_moving_statistics(RNG)
    two, halves = mxnet.replicate(program, CPU * 2, "float32", True), [mxnet.bind(program, CPU) for _ in range(2)]
    batch = RNG.normal(size=(6, 3, 8, 8)).astype("float32")
    two.step(batch, LABELS[:6], np.ones(6), CrossEntropy(5), 1e-3)
    for rows, half in zip((slice(3), slice(3, 6)), halves):
        half.step(batch[rows], LABELS[rows], np.ones(3), CrossEntropy(5), 1e-3)
    first, second = (half.parameters() for half in halves)
    for name in program.graph.auxiliary:
        np.testing.assert_allclose(two.parameters()[name], (first[name] + second[name]) / 2, rtol=1e-5)
        assert not np.allclose(first[name], second[name])
    pids = two._processes.pids
    del two
    gc.collect()
    assert all(map(gone, pids))
