"""BLAS: one thread, what was set before comes back, and products that the CPUs share."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from mxtune import blas
from mxtune.blas import one_thread, product


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
    with one_thread():
        assert threads() == {1}
    assert threads() == {3}
    with pytest.raises(KeyboardInterrupt), one_thread():
        raise KeyboardInterrupt
    assert threads() == {3}


@pytest.mark.parametrize("shapes", [((20_000, 300), (300, 3)), ((3, 20_000), (20_000, 301)), ((700, 500), (500, 699))])
def test_a_product_has_the_same_bits_by_any_number_of_threads(
    shapes: tuple[tuple[int, int], tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(1)
    left, right = (random.normal(size=shape).astype(np.float32) for shape in shapes)
    products = []
    for number in (1, 2, 5):
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", str(number))
        monkeypatch.setattr(blas, "_pool", None)
        with one_thread():
            products.append(product(left, right))
    assert all(np.array_equal(one, products[0]) for one in products)
    np.testing.assert_allclose(products[0], left.astype(float) @ right, atol=1e-3)


def test_the_threads_of_a_product_are_those_that_the_user_has_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "_pool", None)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = {*threading.enumerate()}
    with one_thread():
        product(np.ones((20_000, 300)), np.ones((300, 3)))
    assert len({*threading.enumerate()} - before) == 1  # others, of an earlier pool, may end meanwhile


def test_a_forked_child_has_threads_of_its_own() -> None:
    left, right = np.ones((20_000, 300)), np.ones((300, 3))
    product(left, right)
    child = os.fork()
    if not child:
        signal.alarm(60)
        os._exit(7 if product(left, right)[-1, -1] == 300 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_threads_wait_for_one_another() -> None:
    inside = threading.Event()

    def other() -> None:
        with one_thread():
            inside.set()

    worker = threading.Thread(target=other)
    with one_thread():
        with one_thread():  # this one is inside already
            worker.start()
            assert not inside.wait(0.2)
        assert threads() == {1}
    assert inside.wait(60)
    worker.join()
    assert threads() == {3}


def test_a_forked_child_does_not_wait_for_a_thread_of_its_parent() -> None:
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with one_thread():
            inside.set()
            leave.wait(60)

    worker = threading.Thread(target=other)
    worker.start()
    assert inside.wait(60)
    child = os.fork()
    if not child:
        signal.alarm(60)
        with one_thread():
            os._exit(7)
    _, status = os.waitpid(child, 0)
    leave.set()
    worker.join()
    assert os.waitstatus_to_exitcode(status) == 7
