"""What PyTorch's executor does beyond the contract: it leaves PyTorch as the user has it, and says what it lacks."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import numpy as np
import pytest

from mxtune import engines
from mxtune.engines import AdamW, Executor, Program
from mxtune.errors import EngineError
from mxtune.graph import Builder, Graph, Node
from mxtune.tasks.losses import CrossEntropy
from processes import passes
from running import bound, program

RNG = np.random.default_rng(1)
MAPS = RNG.normal(size=(6, 3, 9, 9)).astype("float32")
LABELS = np.array([0, 1, 2, 0, 1, 2])
ALL = np.ones(6)
CROSS = CrossEntropy(3)


def small(dropout: float = 0.5, moving: bool = True) -> Program:
    b, rng = Builder(), np.random.default_rng(0)
    x = b.dropout(b.act(b.batchnorm(b.conv(b.data(), "conv", 4, kernel=3), "bn"), "relu"), dropout)
    graph = b.graph(b.dense(x, "head", 3))
    shapes = {"conv_weight": (4, 3, 3, 3), "conv_bias": (4,), "head_weight": (3, 196), "head_bias": (3,)}
    params = {name: rng.normal(size=shape).astype("float32") for name, shape in shapes.items()}
    for name in ("gamma", "beta", "moving_mean", "moving_var"):
        params[f"bn_{name}"] = (rng.random(4) + 0.5).astype("float32")
    learned = [name for name in params if moving or "moving" not in name]
    return program(graph, params, MAPS, learned, optimiser=AdamW(weight_decay=0.1), seed=3)


SMALL = small()


@pytest.fixture(params=[name for name in engines.installed() if name == "torch"], autouse=True)
def torch(request: pytest.FixtureRequest) -> Any:  # noqa: ARG001 - none where it is missing
    """PyTorch, where it is installed."""
    from mxtune.engines.torch.load import load

    return load()


def all_that_it_does(one: Program = SMALL) -> list[np.ndarray]:
    executor: Executor = bound(one, engine="torch")
    found = [np.array([executor.step(MAPS, LABELS, ALL, CROSS, 0.05) for _ in range(2)])]
    found += [executor.predict(MAPS), executor.gradient(MAPS, np.ones((6, 3)))["data"]]
    state = executor.state()
    executor.restore(state)
    return [*found, *executor.parameters().values(), *state.values()]


def modes(torch: Any) -> dict[str, Any]:
    return {
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "types": (torch.get_default_dtype(), torch.get_default_device(), torch.get_float32_matmul_precision()),
        "gradients": (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_anomaly_enabled()),
        "autocast": (torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")),
        "random": torch.random.get_rng_state().numpy().tobytes(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "backends": (torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32, torch.backends.mkldnn.enabled),
    }


@pytest.fixture(
    params=["as it comes", "float64", "no gradient", "inference", "autocast", "meta", "one thread", "strict"]
)
def user(torch: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """What a user may have set."""
    set_before = torch.get_default_dtype(), torch.get_num_threads()
    contexts = {
        "no gradient": torch.no_grad(), "inference": torch.inference_mode(), "meta": torch.device("meta"),
        "autocast": torch.autocast("cpu", torch.bfloat16),
    }  # fmt: skip
    if request.param == "float64":
        torch.set_default_dtype(torch.float64)
    elif request.param == "one thread":
        torch.set_num_threads(1)
    elif request.param == "strict":
        torch.use_deterministic_algorithms(True)
    try:
        if request.param in contexts:
            with contexts[request.param]:
                yield request.param
        else:
            yield request.param
    finally:
        torch.set_default_dtype(set_before[0])
        torch.set_num_threads(set_before[1])
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("kind", ["cpu", "cuda", "mps"])
def test_modes_of_a_gpu_come_back_too(torch: Any, kind: str) -> None:
    from mxtune.engines.torch.settings import own_settings

    before = modes(torch)
    with torch.inference_mode(), own_settings(kind):
        assert modes(torch)["gradients"] == (True, False, False)
        assert torch.backends.cudnn.allow_tf32 == (kind != "cuda")
    assert modes(torch) == before


EXPECTED: list[list[np.ndarray]] = []


def test_what_a_user_has_set_is_neither_changed_nor_of_effect(torch: Any, user: str) -> None:
    before = modes(torch)
    found = all_that_it_does()
    assert modes(torch) == before
    expected = EXPECTED[0] if EXPECTED else found
    EXPECTED.append(found)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-3)
    if user != "one thread":  # which adds in another order
        assert [array.tobytes() for array in found] == [array.tobytes() for array in expected]


def digest() -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in all_that_it_does())).hexdigest()


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    here = Path(__file__).parent
    path = f"import sys; sys.path += {[str(here), str(here.parent)]}\n"
    assert passes(f"{path}import test_torch_executor as test; print(test.digest())").stdout.strip() == digest()


def test_nothing_is_warned_of_and_nothing_of_the_users_is_written_to() -> None:
    pictures = MAPS.copy()
    pictures.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        executor = bound(SMALL, engine="torch")
        executor.step(pictures, LABELS, ALL, CROSS, 0.05)
        executor.step(pictures[::-1], LABELS[::-1], ALL[::-1], CROSS, 0.05)
        executor.gradient(pictures, np.ones((6, 3)))
        assert executor.predict(pictures[::2]).shape == (3, 3)
    np.testing.assert_array_equal(pictures, MAPS)


def test_what_was_given_back_does_not_move_with_the_next_step() -> None:
    executor = bound(SMALL, engine="torch")
    given = [executor.parameters(), executor.state()]
    copies = [{name: array.copy() for name, array in one.items()} for one in given]
    executor.step(MAPS, LABELS, ALL, CROSS, 0.05)
    for one, copy in zip(given, copies):
        for name, array in one.items():
            np.testing.assert_array_equal(array, copy[name])
            assert array.flags.c_contiguous


def test_an_output_is_no_view_of_what_went_in() -> None:
    b = Builder()
    one = program(b.graph(b.flatten(b.data())), {}, MAPS)
    out = bound(one, engine="torch").predict(MAPS)
    assert not np.shares_memory(out, MAPS)
    out[:] = 0
    assert MAPS.any()


def test_an_operator_without_a_function_is_named_with_its_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    from mxtune.engines.torch.operators import base

    monkeypatch.delitem(base._REGISTRY, "tanh")
    graph = Graph((Node("data"), Node("odd", "tanh", {}, (("data", 0),))), (("odd", 0),))
    with pytest.raises(EngineError, match="PyTorch can't run odd, a tanh"):
        bound(program(graph, {}, MAPS), engine="torch")


@pytest.mark.parametrize("name", ["conv_weight", "head_weight", "head_bias"])
def test_parameters_of_another_shape_are_one_clear_error(name: str) -> None:
    params = {**SMALL.params, name: np.zeros((5, 7), "float32")}
    executor = bound(program(SMALL.graph, params, MAPS), engine="torch")
    with pytest.raises(EngineError, match="PyTorch failed to run the network") as caught:
        executor.predict(MAPS)
    assert str(caught.value).count("\n") == 1


def test_mxtune_looks_at_devices_and_chooses_without_pytorch() -> None:
    passes(
        "import sys, mxtune\nfrom mxtune import engines\n"
        "engines.names(), engines.installed(), engines.choose('cpu'), engines.choose()\n"
        "assert 'torch' not in sys.modules"
    )


def _graphs() -> dict[str, Graph]:
    """Graphs in which memory that is written over could be seen elsewhere."""
    one = {"num_filter": "4", "kernel": "(1, 1)", "no_bias": "True"}

    def drawn(*nodes: tuple[str, str, str], heads: str) -> Graph:
        made = [Node("data"), Node("w"), Node("x", "Convolution", one, (("data", 0), ("w", 0)))]
        for name, op, inputs in nodes:
            attrs = {"clip": {"a_min": "-1", "a_max": "1"}, "Activation": {"act_type": "relu"}}.get(op, {})
            made.append(Node(name, op, attrs, tuple((source, 0) for source in inputs.split())))
        return Graph(tuple(made), tuple((name, 0) for name in heads.split()))

    return {
        "a view is an output": drawn(("flat", "Flatten", "x"), ("y", "relu", "x"), heads="flat y"),
        "a view is read later": drawn(("flat", "Flatten", "x"), ("y", "clip", "x"), ("z", "tanh", "flat"), heads="y z"),
        "it is an output itself": drawn(("y", "Activation", "x"), heads="x y"),
        "it is read later": drawn(("y", "relu", "x"), ("z", "elemwise_add", "y x"), heads="z"),
        "twice in one sum": drawn(("y", "elemwise_add", "x x"), ("z", "clip", "y"), heads="z"),
        "a gate": drawn(("s", "sigmoid", "x"), ("y", "elemwise_mul", "x s"), ("z", "relu", "y"), heads="z"),
        "a copy of it": drawn(("c", "_copy", "x"), ("y", "relu", "x"), ("z", "elemwise_add", "c y"), heads="z"),
        "a sum and a ReLU": drawn(
            ("y", "tanh", "x"), ("s", "elemwise_add", "x y"), ("z", "Activation", "s"), heads="z"
        ),
        "a ReLU of a ReLU": drawn(("y", "relu", "x"), ("z", "relu", "y"), heads="z"),
        "of what goes in": drawn(("y", "relu", "data"), ("z", "elemwise_add", "data data"), heads="x y z"),
        "of a parameter": drawn(("v", "relu", "w"), ("z", "elemwise_add", "w w"), heads="x v z"),
    }


def _expected(torch: Any, graph: Graph, data: Any, w: Any) -> dict[str, Any]:
    """What each node of such a graph gives, by functions that write over nothing."""
    functions = {
        "Flatten": lambda data: data.flatten(1), "relu": torch.relu, "Activation": torch.relu, "tanh": torch.tanh,
        "clip": lambda data: data.clamp(-1, 1), "elemwise_add": torch.add, "sigmoid": torch.sigmoid,
        "elemwise_mul": torch.mul, "_copy": torch.clone,
    }  # fmt: skip
    values = {"data": data, "w": w, "x": torch.nn.functional.conv2d(data, w)}
    for node in graph.nodes[3:]:
        values[node.name] = functions[node.op](*(values[source] for source, _ in node.inputs))
    return values


@pytest.mark.parametrize("name", _graphs())
def test_nothing_is_written_over_that_somebody_else_sees(torch: Any, name: str) -> None:
    graph = _graphs()[name]
    params = {"w": RNG.normal(size=(4, 3, 1, 1)).astype("float32")}
    executor: Any = bound(program(graph, params, MAPS), engine="torch")
    pictures = MAPS.copy()
    found = [executor.predict(pictures) for _ in range(2)]
    values = _expected(torch, graph, torch.from_numpy(MAPS), torch.from_numpy(params["w"]))
    for outputs in found:
        for head, array in zip(graph.heads, outputs if len(graph.heads) > 1 else [outputs]):
            np.testing.assert_allclose(array, values[head[0]].numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(pictures, MAPS)


@pytest.mark.parametrize("name", _graphs())
def test_nothing_is_written_over_that_a_gradient_needs(torch: Any, name: str) -> None:
    graph = _graphs()[name]
    params = {"w": RNG.normal(size=(4, 3, 1, 1)).astype("float32")}
    data = torch.from_numpy(MAPS).requires_grad_()
    head = _expected(torch, graph, data, torch.from_numpy(params["w"]))[graph.heads[-1][0]]
    weights = RNG.normal(size=tuple(head.shape)).astype("float32")
    touched = head + 0 * data.sum()  # some heads are of parameters alone
    (gradient,) = torch.autograd.grad(touched, [data], torch.from_numpy(weights))
    last = bound(program(Graph(graph.nodes, graph.heads[-1:]), params, MAPS), engine="torch")
    np.testing.assert_allclose(last.gradient(MAPS, weights)["data"], gradient.numpy(), rtol=1e-5, atol=1e-6)


def test_ctrl_c_in_the_middle_of_a_step_leaves_all_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    executor: Any = bound(SMALL, engine="torch")
    executor.step(MAPS, LABELS, ALL, CROSS, 0.05)
    before = {name: array.tobytes() for name, array in executor.state().items()}

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(executor, "_gradients", interrupted)  # what comes after all maps are computed
        executor.step(MAPS, LABELS, ALL, CROSS, 0.05)
    assert {name: array.tobytes() for name, array in executor.state().items()} == before
    with ThreadPoolExecutor(1) as pool:  # nor is anything locked
        assert pool.submit(executor.predict, MAPS).result(60).shape == (6, 3)


def test_a_batch_that_memory_does_not_hold_is_computed_in_parts(torch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    executors: list[Any] = [bound(small(dropout=0.0, moving=False), engine="torch") for _ in range(2)]
    roomy, short = executors
    expected = [roomy.step(MAPS, LABELS, ALL, CROSS, 0.05) for _ in range(2)], roomy.predict(MAPS)
    forward, seen = short._forward, []

    def limited(batch: Any, part: Any, run: Any) -> Any:
        seen.append(part.rows.stop - part.rows.start)
        if seen[-1] > 2:
            raise torch.cuda.OutOfMemoryError
        return forward(batch, part, run)

    monkeypatch.setattr(short, "_forward", limited)
    found = [short.step(MAPS, LABELS, ALL, CROSS, 0.05) for _ in range(2)], short.predict(MAPS)
    assert seen == [6, 3, 2, 2, 1, 1, *[2, 2, 1, 1] * 2]
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-5)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-3, atol=1e-3)


def test_memory_that_does_not_hold_one_row_is_an_error(torch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    executor: Any = bound(SMALL, engine="torch")

    def never(*_: Any) -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    monkeypatch.setattr(executor, "_forward", never)
    with pytest.raises(EngineError, match=r"(?s)PyTorch failed to run the network.*CUDA out of memory"):
        executor.predict(MAPS)


def test_bfloat16_is_near_float32_and_keeps_its_weights_in_it() -> None:
    exact, low = (
        engines.get("torch").bind(small(dropout=0.0), [engines.Device("cpu")], precision)
        for precision in ("float32", "bfloat16")
    )
    outputs = exact.predict(MAPS)
    assert 0 < np.abs(low.predict(MAPS) - outputs).max() < 0.03 * np.abs(outputs).max()
    losses = [executor.step(MAPS, LABELS, ALL, CROSS, 1e-4) for executor in (exact, low)]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)
    assert {array.dtype for array in low.parameters().values()} == {np.dtype("float32")}
    apart = [np.abs(low.parameters()[name] - array).max() for name, array in exact.parameters().items()]
    assert max(apart) < 0.01


def fixed_modes(torch: Any) -> tuple[Any, ...]:
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.utils.deterministic.fill_uninitialized_memory,
        os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
    )


@pytest.mark.parametrize("of_the_user", [(False, False, True, None), (True, True, False, ":16:8")])
def test_the_same_bytes_are_asked_for_while_it_computes_and_no_longer(
    torch: Any, monkeypatch: pytest.MonkeyPatch, of_the_user: tuple[bool, bool, bool, Optional[str]]
) -> None:
    on, warns, fills, workspace = of_the_user
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    if workspace:
        monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", workspace)
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", fills)
    executor: Any = bound(replace(SMALL, deterministic=True), engine="torch")
    forward, seen = executor._forward, []

    def watched(*arguments: Any) -> Any:
        seen.append(fixed_modes(torch))
        return forward(*arguments)

    def fixed_by_nothing(*_: Any) -> Any:
        return torch.zeros(3).put_(torch.tensor([0, 0]), torch.ones(2))  # which of two comes last is chance

    torch.use_deterministic_algorithms(on, warn_only=warns)
    try:
        monkeypatch.setattr(executor, "_forward", watched)
        executor.step(MAPS, LABELS, ALL, CROSS, 0.05)
        assert fixed_modes(torch) == of_the_user
        monkeypatch.setattr(executor, "_forward", fixed_by_nothing)
        with pytest.raises(EngineError, match="deterministic"):
            executor.predict(MAPS)
        assert fixed_modes(torch) == of_the_user
    finally:
        torch.use_deterministic_algorithms(False)
    assert set(seen) == {(True, False, False, workspace or ":4096:8")}


def test_an_nvidia_gpu_takes_no_algorithm_by_its_time_if_bytes_must_be_the_same(
    torch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cudnn = torch.backends.cudnn
    monkeypatch.setattr(cudnn, "benchmark", True)
    from mxtune.engines.torch import settings

    with settings._convolutions(deterministic=True):
        assert (cudnn.benchmark, cudnn.deterministic) == (False, True)
    with settings._convolutions(deterministic=False):
        assert (cudnn.benchmark, cudnn.deterministic) == (True, False)


def test_threads_of_a_pytorch_that_the_user_imported_go_to_sleep_as_soon_as_ours() -> None:
    """Beside other busy programs a prediction took ten times the CPU time without it."""
    passes(
        "import ctypes, time, torch\n"
        "libgomp, free = ctypes.CDLL('libgomp.so.1'), ctypes.cast(ctypes.CDLL(None).free, ctypes.c_void_p)\n"
        "from mxtune.machine import usable_cpus\n"
        "def burned():\n"
        "    before = time.process_time()\n"
        "    for _ in range(20):\n"
        "        libgomp.GOMP_parallel(free, None, usable_cpus(), 0)\n"
        "        time.sleep(0.02)\n"
        "    return time.process_time() - before\n"
        "as_it_came = burned()\n"
        "from mxtune import engines\n"
        "assert engines.get('torch').load() is torch\n"
        "assert burned() < max(as_it_came / 2, 0.02), (as_it_came, burned())"
    )
