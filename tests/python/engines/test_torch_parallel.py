"""Training by a process for each device, on CPUs: it learns what one process learns, and nothing of it stays behind."""

from __future__ import annotations

import gc
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hearing import listening
from mxtune import engines, mxexample, mxtrain
from mxtune.engines import AdamW, Device, Executor, Program, Target
from mxtune.errors import EngineError, TrainingError, TrainingWarning
from mxtune.machine import usable_cpus
from mxtune.tasks.losses import CrossEntropy
from mxtune.training import train
from mxtune.zoo.opening import mxnetwork
from processes import PACKAGE, passes
from running import small

RNG = np.random.default_rng(5)
LABELS = np.array([0, 1, 2, 3, 4, 0, 1])
ALL = np.ones(7)
PATHS = [str(PACKAGE), str(Path(__file__).parent), str(Path(__file__).parents[1])]
HERE = f"import sys; sys.path += {PATHS}\nimport test_torch_parallel as test\n"
CROSS = CrossEntropy(5, 0.1)
CPUS = (Device("cpu", 0), Device("cpu", 1))
GPUS = (Device("gpu", 0), Device("gpu", 1))


@pytest.fixture(params=[name for name in engines.installed() if name == "torch"], autouse=True)
def torch(request: pytest.FixtureRequest) -> Iterator[Any]:  # noqa: ARG001 - none where it is missing
    """PyTorch, where it is installed; it has as many threads as each of two processes has, which decides last bits."""
    from mxtune.engines.torch.load import load

    module = load()
    threads = module.get_num_threads()
    module.set_num_threads(max(1, usable_cpus() // 2))
    yield module
    module.set_num_threads(threads)


def lenet(dropout: float = 0.5) -> Program:
    net = mxnetwork("lenet", classes=5, seed=2).insert("fc1", "Dropout", p=dropout)
    return Program.of(net, frozenset(net.params), AdamW({"fc1_weight": 0.5}, 0.1), seed=3)


def with_batchnorm() -> Program:
    """All of it is trained, the statistics too."""
    net = small("resnet18")
    return Program.of(net, frozenset(net.params), AdamW(weight_decay=0.1))


def pictures(program: Program, rows: int = 7) -> np.ndarray:
    (spec,) = program.inputs.values()
    return RNG.integers(0, 256, (rows, *spec.shape), np.uint8)


def in_processes(program: Program, devices: int = 2) -> Any:
    from mxtune.engines.torch.parallel.replicas import TorchReplicas

    return TorchReplicas(program, [Device("cpu", index) for index in range(devices)])


def in_one(program: Program, devices: int = 2) -> Any:
    return engines.get("torch").bind(program, [Device("cpu", index) for index in range(devices)])


def steps(executor: Executor, batch: np.ndarray, counts: np.ndarray = ALL) -> list[float]:
    return [executor.step(batch, LABELS[: len(batch)], counts, CROSS, 1e-3) for _ in range(3)]


def equal(learned: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert learned.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_allclose(learned[name], array, atol=1e-5, err_msg=name)


def state_of(pid: int) -> str:
    """What the system says of a process: "" where there is none, "Z" for one that nobody has waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def come_true(what: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.05)
    return what()


@pytest.fixture(params=[lenet, with_batchnorm])
def program(request: pytest.FixtureRequest) -> Program:
    made: Program = request.param()
    return made


def test_two_processes_learn_what_one_learns(program: Program) -> None:
    batch, counts = pictures(program), np.array([1, 1, 1, 0.5, 1, 1, 0])
    two, one = in_processes(program), in_one(program)
    assert steps(two, batch, counts) == pytest.approx(steps(one, batch, counts), rel=1e-5)
    equal(two.parameters(), one.parameters())
    assert two.parameters().keys() == program.trainable
    assert not any(np.array_equal(array, program.params[name]) for name, array in two.parameters().items())
    np.testing.assert_allclose(two.predict(batch), one.predict(batch), atol=1e-3)
    equal(two.state(), one.state())


def test_there_may_be_fewer_rows_than_processes_and_a_state_goes_from_one_way_to_the_other() -> None:
    program = lenet()
    batch = pictures(program)
    four, one, fresh = in_processes(program, 4), in_one(program, 1), in_one(program)
    for rows in (7, 2, 1):
        assert steps(four, batch[:rows], ALL[:rows]) == pytest.approx(steps(one, batch[:rows], ALL[:rows]), rel=1e-5)
    equal(four.state(), one.state())
    np.testing.assert_allclose(four.predict(batch[:2]), one.predict(batch[:2]), atol=1e-5)
    fresh.restore(four.state())
    four.restore(fresh.state())
    equal(four.state(), one.state())


def test_a_loss_that_is_no_number_changes_nothing_and_a_batch_that_does_not_fit_ends_nothing() -> None:
    program = lenet()
    two, batch = in_processes(program), pictures(program)
    assert np.isnan(two.step(batch, LABELS, np.full(7, np.nan), CROSS, 0.1))
    equal(two.parameters(), dict(program.params))
    with pytest.raises(EngineError, match="The network takes uint8 of N x 28 x 28 x 1"):
        two.step(batch[:, :5], LABELS, ALL, CROSS, 0.1)
    with pytest.raises(EngineError, match="no gradient with respect to images of 8 bits"):
        two.gradient(batch, np.ones((7, 5), "float32"))
    assert np.isfinite(two.step(batch, LABELS, ALL, CROSS, 0.1))


def test_gradients_are_sent_while_those_of_earlier_layers_are_still_computed() -> None:
    """And each counts once: of a weight that is used twice, of one that is not used, of a batch in two parts."""
    passes(
        "import os, torch, torch.distributed as dist\n"
        "store = dist.FileStore(f'/proc/self/fd/{os.memfd_create(str())}', 1)\n"
        "dist.init_process_group('gloo', store=store, rank=0, world_size=1)\n"
        "from mxtune.engines.torch.parallel import exchange\n"
        "exchange.BUCKET = 12\n"
        "weights = [torch.full((2,), float(n), requires_grad=True) for n in (1, 2, 3)]\n"
        "statistic, events, sums = torch.zeros(1), [], dist.all_reduce\n"
        "weights[0].register_hook(lambda _: events.append('first layer'))\n"
        "dist.all_reduce = lambda *a, **k: (events.append(len(a[0])), sums(*a, **k))[1]\n"
        "one = exchange.Exchange(weights, [statistic], torch.device('cpu'))\n"
        "one.begin()\n"
        "for part in range(2):\n"
        "    if part: one.last_part()\n"
        "    value = (weights[2] * (weights[0] + weights[0] * weights[0])).sum()\n"
        "    torch.autograd.grad(value, weights, materialize_grads=True)\n"
        "    with torch.no_grad(): one.add(value.detach(), [(statistic, torch.full((1,), part + 1.0))])\n"
        "with torch.no_grad():\n"
        "    assert one.end(False, False) == (24, False, False)\n"
        "    one.move()\n"
        "assert events == ['first layer', 2, 'first layer', 2, 2, 5], events\n"
        "assert [gradient[0].item() for gradient in one.gradients] == [18, 0, 4]\n"
        "assert statistic.item() == 1.5"
    )


# ---- what goes wrong


def test_a_process_that_is_killed_is_one_error_that_names_it_and_training_can_go_on() -> None:
    program = lenet()
    two, one, batch = in_processes(program), in_one(program), pictures(program)
    steps(two, batch)
    steps(one, batch)
    state, pids = two.state(), two._processes.pids
    os.kill(pids[0], signal.SIGSTOP)  # the other waits for it in the middle of the step
    threading.Timer(0.5, os.kill, (pids[0], signal.SIGKILL)).start()
    start = time.monotonic()
    with pytest.raises(EngineError, match=r"A process of the training was lost\.\nx worker 1: .* signal 9"):
        steps(two, batch)
    assert time.monotonic() - start < 20
    assert [state_of(pid) for pid in pids] == ["", ""]
    with pytest.raises(EngineError, match="process of the training was lost"):
        two.parameters()
    two.restore(state)
    steps(two, batch)
    steps(one, batch)
    equal(two.parameters(), one.parameters())


FAULTS = """
import os
import re
from torch.cuda import OutOfMemoryError
from mxtune.engines.torch.parallel import exchange
from mxtune.engines.torch.parallel.exchange import Exchange
from mxtune.engines.torch.parallel.replica import Replica
exchange.BUCKET = 100_000
came, forward = Exchange._came, Replica._forward
def short(self, place, gradient):
    came(self, place, gradient)
    if self.rows > 2 and place == 3:
        raise OutOfMemoryError("CUDA out of memory.")
def counted(self, batch, part, run):
    self._exchange.rows = part.rows.stop - part.rows.start
    if self._place == 1 and os.environ["FAULT"] == "never":
        raise OutOfMemoryError("CUDA out of memory.")
    if self._place == 1 and os.environ["FAULT"] == "bug":
        raise KeyError("a bug")
    return forward(self, batch, part, run)
Exchange._came, Replica._forward = short, counted
"""


@pytest.fixture
def fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Provokes a fault in the processes, which read this module as they start."""
    (tmp_path / "sitecustomize.py").write_text(FAULTS)

    def provoked(kind: str) -> None:
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setenv("FAULT", kind)

    return provoked


def test_what_memory_does_not_hold_is_computed_in_parts_by_all(fault: Callable[[str], None]) -> None:
    fault("in the backward pass")
    for program in (lenet(), with_batchnorm()):
        two, one, batch = in_processes(program), in_one(program), pictures(program)
        one._pieces = 2
        step = batch, LABELS, ALL, CROSS, 1e-3
        assert two.step(*step) == pytest.approx(one.step(*step), rel=1e-5)
        # AdamW magnifies rounding by another order of sums, where BatchNorms see two images
        statistics = program.graph.auxiliary or program.trainable
        learned, expected = two.parameters(), one.parameters()
        equal({name: learned[name] for name in statistics}, {name: expected[name] for name in statistics})


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("never", "PyTorch failed to train the network.\nx worker 2: CUDA out of memory"),
        ("bug", "worker 2: .* exit code 1"),
    ],
)
def test_an_error_in_one_process_ends_all(fault: Callable[[str], None], kind: str, message: str) -> None:
    fault(kind)
    two, batch = in_processes(lenet()), pictures(lenet())
    pids = two._processes.pids
    with pytest.raises(EngineError, match=message):
        steps(two, batch)
    assert [state_of(pid) for pid in pids] == ["", ""]


def test_ctrl_c_while_they_compute_loses_nothing_and_they_end_with_the_executor() -> None:
    program = lenet()
    two, one, batch = in_processes(program), in_one(program), pictures(program)
    pids = two._processes.pids
    os.kill(pids[1], signal.SIGSTOP)
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        steps(two, batch)
    os.kill(pids[1], signal.SIGCONT)
    one.step(batch, LABELS, ALL, CROSS, 1e-3)
    equal(two.parameters(), one.parameters())
    del two
    gc.collect()
    assert [state_of(pid) for pid in pids] == ["", ""]


def test_they_end_with_a_process_that_is_killed() -> None:
    code = (
        f"{HERE}program = test.lenet(); two = test.in_processes(program); print(*two._processes.pids, flush=True)\n"
        "while True: test.steps(two, test.pictures(program))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2, "they have started"
    time.sleep(0.3)
    os.kill(pids[0], signal.SIGSTOP)  # the other waits for it for ever
    time.sleep(0.2)
    parent.kill()
    parent.communicate()
    os.kill(pids[0], signal.SIGCONT)
    assert come_true(lambda: all(state_of(pid) in ("", "Z", "X") for pid in pids))


def test_a_forked_process_is_refused_and_ends_nothing() -> None:
    passes(
        f"{HERE}import gc, os\nfrom mxtune.errors import EngineError\n"
        "two, batch = test.in_processes(test.lenet()), test.pictures(test.lenet())\n"
        "if os.fork() == 0:\n"
        "    try: two.predict(batch)\n"
        "    except EngineError: os._exit(0 if (globals().pop('two'), gc.collect()) else 1)\n"
        "    os._exit(1)\n"
        "assert os.wait()[1] == 0\n"
        "assert two.predict(batch).shape == (7, 5)"
    )


# ---- where it is used


def test_several_gpus_that_train_have_processes_and_nothing_else_has(
    torch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mxtune.engines.torch import gpus, parallel

    program = lenet()
    monkeypatch.setattr(torch.distributed, "is_nccl_available", lambda: True)
    monkeypatch.setattr(gpus, "build", lambda: gpus.Build(backend="cuda"))
    assert parallel.pays(program, GPUS)
    assert not parallel.pays(program, GPUS[:1])
    assert not parallel.pays(program, CPUS)
    assert not parallel.pays(replace(program, trainable=frozenset()), GPUS)
    assert not parallel.pays(replace(program, deterministic=True), GPUS)
    monkeypatch.setattr(gpus, "build", lambda: gpus.Build(backend="xpu"))
    assert not parallel.pays(program, GPUS)


@pytest.fixture
def two_cpus(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """`mxtrain` runs on two CPUs, as it does on two GPUs; the numbers of its processes."""
    from mxtune.engines.parallel import replicas
    from mxtune.engines.torch import parallel

    seen: list[list[int]] = []
    made = replicas.Processes

    def noted(*arguments: Any) -> Any:
        processes = made(*arguments)
        seen.append(processes.pids)
        return processes

    monkeypatch.setattr(train, "choose", lambda *_: Target(engines.get("torch"), CPUS, "float32"))
    monkeypatch.setattr(parallel, "pays", lambda program, _: bool(program.trainable))
    monkeypatch.setattr(replicas, "Processes", noted)
    return seen


def trained(callback: Callable[[int, Any], None]) -> Any:
    return mxtrain(mxexample("fashion"), net="lenet", epochs=3, verbose=0, cache=False, callbacks=callback)


@pytest.mark.filterwarnings("ignore:lenet has no pretrained weights")
def test_a_model_is_trained_by_two_processes(two_cpus: list[list[int]]) -> None:
    model = trained(lambda *_: None)
    losses = list(model.history["train_loss"])
    assert len(losses) == 3
    assert losses[2] < losses[0]
    gc.collect()
    assert [state_of(pid) for pids in two_cpus for pid in pids] == ["", ""]


@pytest.mark.filterwarnings("ignore:lenet has no pretrained weights")
def test_an_interrupted_training_gives_its_model_and_leaves_no_process(two_cpus: list[list[int]]) -> None:
    with pytest.warns(TrainingWarning, match="The training was interrupted"):
        model = trained(lambda *_: os.kill(os.getpid(), signal.SIGINT))
    assert len(model.history) == 1
    gc.collect()
    assert [state_of(pid) for pids in two_cpus for pid in pids] == ["", ""]


@pytest.mark.filterwarnings("ignore:lenet has no pretrained weights")
def test_a_training_that_loses_processes_all_the_time_still_gives_its_model(
    two_cpus: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mxtune.training import run

    monkeypatch.setattr(run, "_AGAIN", 0)
    with pytest.raises(
        TrainingError, match=r"Training could not continue\. A process of the training was lost"
    ) as caught:
        trained(lambda *_: os.kill(two_cpus[0][1], signal.SIGKILL))
    assert len(caught.value.model.history) == 1  # type: ignore[attr-defined]
    assert [state_of(pid) for pids in two_cpus for pid in pids] == ["", ""]


@pytest.mark.parametrize(
    ("python", "why"),
    [("/bin/false", "worker [12]: its process ended with exit code 1"), ("/none", "No such file.*'/none'")],
)
def test_one_process_computes_on_all_where_there_can_not_be_one_for_each(
    monkeypatch: pytest.MonkeyPatch, python: str, why: str
) -> None:
    from mxtune.engines.torch import parallel

    monkeypatch.setattr(parallel, "pays", lambda *_: True)
    monkeypatch.setattr(sys, "executable", python)
    program = lenet()
    with listening() as messages:
        executor = in_one(program)
    assert len(messages) == 1
    assert re.fullmatch(f"One process computes on all GPUs, as there can't be one for each: .*{why}", messages[0])
    assert np.isfinite(steps(executor, pictures(program))).all()
