"""BLAS: one thread for products of usual size, and what was set before comes back."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from mxtune.blas import threads_for


@pytest.fixture(autouse=True)
def three_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    assert np.ones((2, 2)).dot(np.ones(2)).tolist() == [2, 2]  # it is loaded
    with threadpool_limits(3, "blas"):
        assert threads() == {3}
        yield


def threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_one_thread_inside_and_as_many_as_before_afterwards() -> None:
    with threads_for(10_000):
        assert threads() == {1}
    assert threads() == {3}
    with pytest.raises(KeyboardInterrupt), threads_for(10_000):
        raise KeyboardInterrupt
    assert threads() == {3}


def test_very_large_products_have_all_threads() -> None:
    with threads_for(10**10):
        assert threads() == {3}


@pytest.mark.parametrize("name", ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"])
def test_what_the_user_has_set_holds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "3")
    with threads_for(10_000):
        assert threads() == {3}


def test_threads_wait_for_one_another() -> None:
    inside = threading.Event()

    def other() -> None:
        with threads_for(1):
            inside.set()

    worker = threading.Thread(target=other)
    with threads_for(1):
        with threads_for(1):  # this one is inside already
            worker.start()
            assert not inside.wait(0.2)
        assert threads() == {1}
    assert inside.wait(60)
    worker.join()
    assert threads() == {3}


def test_a_forked_child_does_not_wait_for_a_thread_of_its_parent() -> None:
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with threads_for(1):
            inside.set()
            leave.wait(60)

    worker = threading.Thread(target=other)
    worker.start()
    assert inside.wait(60)
    child = os.fork()
    if not child:
        signal.alarm(60)
        with threads_for(1):
            os._exit(7)
    _, status = os.waitpid(child, 0)
    leave.set()
    worker.join()
    assert os.waitstatus_to_exitcode(status) == 7
