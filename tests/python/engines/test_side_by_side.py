"""Parts of a batch in training, side by side: the step of the whole batch, and the same bytes however they run."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Callable

import numpy as np
import pytest

from mxtune import mxnetwork
from mxtune.engines import Device, Program, get, threads
from mxtune.engines.mxnet import side_by_side
from mxtune.engines.mxnet.executor import MXNetExecutor
from mxtune.engines.mxnet.passes import PASSES
from mxtune.network import Network
from mxtune.tasks.losses import CrossEntropy
from running import small

pytestmark = pytest.mark.mxnet

ROWS = 16
KINDS = (
    "lenet", "efficientnet_lite0", "resnet18_v1", "densenet121", "mobilenet_v3_small", "shufflenet_v2_x0_5",
    "convnext_atto", "squeezenet1.0.torchvision",
)  # fmt: skip
LABELS, ALL = np.arange(ROWS) % 5, np.ones(ROWS)


@pytest.fixture(autouse=True)
def _two_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "mxnet_threads", lambda: 2)
    monkeypatch.setattr(side_by_side, "_WORK", 0)  # so that small networks will do
    monkeypatch.setattr(side_by_side, "_VALUES", 0)


def learning(net: Network, shared: bool = True, moving: bool = False) -> MXNetExecutor:
    """What trains all of the network, BatchNorm's statistics only where they move."""
    learned = frozenset(net.params) - (frozenset() if moving else frozenset(net.graph.auxiliary))
    return MXNetExecutor(Program.of(net, learned, seed=3), [Device("cpu")], PASSES, shared=shared)


def images(net: Network, rows: int = ROWS) -> np.ndarray:
    spec = net.preprocess
    return np.random.default_rng(0).integers(0, 256, (rows, *spec.size, spec.channels), np.uint8)


def stepped(executor: MXNetExecutor, pictures: np.ndarray) -> tuple[float, bytes, dict[str, np.ndarray]]:
    """The loss of a step, the weights after it, and the gradients."""
    rows = len(pictures)
    loss = executor.step(pictures, LABELS[:rows], ALL[:rows], CrossEntropy(5), 1e-3)
    weights = b"".join(array.tobytes() for _, array in sorted(executor.parameters().items()))
    return loss, weights, {name: array.asnumpy() for name, array in executor._grads[0].items()}


def one_by_one(jobs: Sequence[Callable[[], None]]) -> None:
    for place, job in enumerate(jobs):
        SIDE_BY_SIDE([job if number == place else _nothing for number in range(len(jobs))])


def _nothing() -> None:
    pass


SIDE_BY_SIDE = side_by_side.run


@pytest.mark.parametrize("name", KINDS)
def test_parts_take_the_step_of_the_batch_and_do_not_disturb_each_other(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = small(name)
    pictures = images(net)
    whole = stepped(learning(net, shared=False), pictures)
    together = stepped(learning(net), pictures)
    monkeypatch.setattr(side_by_side, "run", one_by_one)
    apart = stepped(learning(net), pictures)
    assert together[0] == apart[0]
    assert together[1] == apart[1]
    assert together[0] == pytest.approx(whole[0], rel=1e-4)
    wanted = np.concatenate([array.ravel() for array in whole[2].values()])
    found = np.concatenate([together[2][key].ravel() for key in whole[2]])
    assert np.linalg.norm(found - wanted) <= 0.01 * np.linalg.norm(wanted)


def test_a_seed_gives_the_same_bytes_beside_a_busy_process() -> None:
    net = mxnetwork("lenet", classes=5).insert("fc1", "Dropout", p=0.5)
    pictures = images(net)
    quiet = learning(net)
    expected = [stepped(quiet, pictures)[:2] for _ in range(3)]
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            disturbed = learning(net)
            assert [stepped(disturbed, pictures)[:2] for _ in range(3)] == expected
        finally:
            busy.kill()


def test_rows_that_see_each_other_are_not_parted() -> None:
    net = small("resnet18_v1")
    assert learning(net)._used(ROWS) == 2
    assert learning(net, moving=True)._used(ROWS) == 1
    always = mxnetwork("lenet", classes=5).insert("fc1", "Dropout", p=0.5, mode="always")
    assert learning(always)._used(ROWS) == 1


@pytest.mark.parametrize(("cpus", "parts"), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 4), (6, 3), (16, 4)])
def test_parts_leave_few_cpus_idle(cpus: int, parts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "mxnet_threads", lambda: cpus)
    net = mxnetwork("lenet", classes=5)
    assert side_by_side.parts(Program.of(net, frozenset(net.params))) == parts


@pytest.mark.parametrize(
    ("name", "size", "used"), [("efficientnet_lite0", 224, 2), ("efficientnet_lite0", 160, 1), ("resnet18_v1", 224, 1)]
)
def test_parts_are_worth_their_weights(name: str, size: int, used: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(threads, "mxnet_threads", lambda: 2)
    executor = learning(mxnetwork(name, image_size=size, weights="random"))
    assert executor._used(32) == used


def test_few_rows_stay_together() -> None:
    net = mxnetwork("lenet", classes=5)
    executor = learning(net)
    assert executor._used(ROWS - 1) == 1
    loss = stepped(executor, images(net, ROWS - 1))[0]
    assert loss == stepped(learning(net, shared=False), images(net, ROWS - 1))[0]


def test_passes_can_be_left_out_and_parts_with_them() -> None:
    net = mxnetwork("lenet", classes=5)
    program = Program.of(net, frozenset(net.params))
    assert get("mxnet").bind(program, [Device("cpu")])._used(ROWS) == 2  # type: ignore[attr-defined]
    assert get("mxnet").bind(program, [Device("cpu")], passes=False)._used(ROWS) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("rows", [ROWS, ROWS - 1])
def test_dropout_draws_as_it_does_for_the_whole_batch(rows: int) -> None:
    net = mxnetwork("lenet", classes=5)
    dropped = net.insert("fc1", "Dropout", p=0.5)
    pictures = images(net, rows)
    np.testing.assert_array_equal(learning(dropped).predict(pictures), learning(net).predict(pictures))
    losses = [stepped(learning(dropped, shared), pictures)[0] for shared in (True, False)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    assert losses[0] != pytest.approx(stepped(learning(net), pictures)[0], rel=1e-4)


def test_all_parts_have_ended_when_one_has_failed() -> None:
    ended = threading.Event()

    def fails() -> None:
        raise ValueError("this part")

    def takes_longer() -> None:
        threading.Event().wait(0.1)
        ended.set()

    with pytest.raises(ValueError, match="this part"):
        side_by_side.run([fails, takes_longer])
    assert ended.is_set()


def test_a_thread_is_told_its_cpus_and_no_other() -> None:
    libgomp = threads._libgomp()
    assert libgomp is not None
    before = libgomp.omp_get_max_threads()
    seen: list[int] = []
    side_by_side.run([lambda: seen.append(libgomp.omp_get_max_threads()), _nothing])
    assert seen == [1]
    assert libgomp.omp_get_max_threads() == before
