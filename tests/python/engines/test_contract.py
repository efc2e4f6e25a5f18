"""What every engine must do: the tests of each one that is installed."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from mxtune import engines
from mxtune.engines import AdamW, Device, DeviceReport, Executor, InputSpec, Program, Target
from mxtune.errors import ArgumentError, EngineError
from mxtune.graph import Builder, Graph
from mxtune.tasks.losses import BinaryCrossEntropy, CrossEntropy, Loss, SquaredError
from mxtune.zoo.opening import mxnetwork
from processes import python

RNG = np.random.default_rng(1)
PICTURES = RNG.integers(0, 256, (6, 9, 9, 3), np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2])
ALL = np.ones(6)
CROSS = CrossEntropy(3)


def small() -> tuple[Graph, dict[str, np.ndarray]]:
    b = Builder()
    x = b.act(b.batchnorm(b.conv(b.data(), "conv", 4, kernel=3), "bn"), "tanh")
    x = b.flatten(b.global_pool(x, "avg"))
    graph = b.graph(b.dense(x, "head", 3))
    params = {
        "conv_weight": RNG.normal(size=(4, 3, 3, 3)), "conv_bias": RNG.normal(size=4),
        "bn_gamma": RNG.random(4) + 0.5, "bn_beta": RNG.normal(size=4),
        "bn_moving_mean": RNG.normal(size=4), "bn_moving_var": RNG.random(4) + 0.5,
        "head_weight": RNG.normal(size=(3, 4)), "head_bias": RNG.normal(size=3),
    }  # fmt: skip
    return graph, {name: array.astype("float32") for name, array in params.items()}


GRAPH, PARAMS = small()
EPSILON = float(GRAPH.node("bn").attrs["eps"])
INPUT = {"data": InputSpec((9, 9, 3), (120.0, 110.0, 100.0), (60.0, 61.0, 62.0))}
LEARNED = frozenset(name for name in PARAMS if "moving" not in name)


@pytest.fixture(params=engines.installed())
def engine(request: pytest.FixtureRequest) -> engines.Engine:
    return engines.get(request.param)


@pytest.fixture
def bind(engine: engines.Engine) -> Any:
    """A small network bound to this engine: ``bind(trainable, devices=2, seed=4)`` ..."""

    def make(trainable: frozenset[str] = frozenset(), devices: int = 1, **settings: Any) -> Executor:
        program = Program(**{"graph": GRAPH, "params": PARAMS, "inputs": INPUT, "trainable": trainable, **settings})
        return engine.bind(program, [Device("cpu", index) for index in range(devices)])

    return make


def by_numpy(params: dict[str, np.ndarray], pictures: np.ndarray, moving: bool = False) -> np.ndarray:
    """What the small network says, computed in float64; ``moving`` takes the statistics of the batch."""
    spec, p = INPUT["data"], {name: array.astype(float) for name, array in params.items()}
    x = ((pictures - np.array(spec.mean)) / np.array(spec.std)).transpose(0, 3, 1, 2)
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))
    x = np.einsum("nchwij,ocij->nohw", windows, p["conv_weight"]) + p["conv_bias"][:, None, None]
    mean, var = (x.mean((0, 2, 3)), x.var((0, 2, 3))) if moving else (p["bn_moving_mean"], p["bn_moving_var"])
    mean, var, gamma, beta = (a[:, None, None] for a in (mean, var, p["bn_gamma"], p["bn_beta"]))
    x = np.tanh((x - mean) / np.sqrt(var + EPSILON) * gamma + beta)
    return x.mean((2, 3)) @ p["head_weight"].T + p["head_bias"]


def test_what_must_be_the_same_bytes_is_on_a_cpu_what_it_is_otherwise(bind: Any) -> None:
    states = []
    for asked in (False, True, True):
        executor = bind(LEARNED, deterministic=asked)
        for _ in range(3):
            executor.step(PICTURES, LABELS, ALL, CROSS, 0.01)
        states.append({name: array.tobytes() for name, array in executor.state().items()})
    assert states[0] == states[1] == states[2]


# ---- what an engine reports about itself


def test_an_engine_names_its_precisions_passes_and_devices(engine: engines.Engine) -> None:
    assert engine.installed() and engine.name in engines.names()
    assert "float32" in engine.precisions
    assert engine.default_precision([Device("cpu")]) == engine.precisions[0]
    assert len(set(engine.passes)) == len(engine.passes)
    reports = engine.devices()
    assert reports[0] == DeviceReport(Device("cpu"))
    assert all((report.reason is None) == (report.remedy is None) for report in reports)
    assert len(reports) > 1  # of GPUs it says something in any case


def test_an_unknown_precision_is_refused_with_those_there_are(engine: engines.Engine) -> None:
    with pytest.raises(ArgumentError, match="`precision` must be one of float32"):
        engine.bind(Program(GRAPH, PARAMS, INPUT), [Device("cpu")], "float7")


def test_engine_precision_and_passes_are_the_arithmetic(engine: engines.Engine) -> None:
    target = Target(engine, (Device("cpu"),), "float32")
    assert target.arithmetic.split() == [engine.name, "float32", *engine.passes]


def test_an_unknown_engine_is_named_and_a_second_of_a_name_refused(engine: engines.Engine) -> None:
    with pytest.raises(ArgumentError, match="There is no engine abacus"):
        engines.get("abacus")
    with pytest.raises(ValueError, match=f"already an engine {engine.name}"):
        engines.register(engine)


# ---- predict


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6])
def test_a_batch_of_any_size_gives_what_its_pictures_give_alone(bind: Any, count: int) -> None:
    found = bind().predict(PICTURES[:count])
    assert (found.shape, found.dtype) == ((count, 3), np.float32)
    np.testing.assert_allclose(found, by_numpy(PARAMS, PICTURES[:count]), atol=1e-5)


@pytest.mark.parametrize("count", [1, 32, 100])
def test_a_cpu_takes_as_many_rows_as_are_asked_for(bind: Any, count: int) -> None:
    executor = bind()
    executor.predict(PICTURES)
    assert executor.rows(count) == count


def test_what_is_in_training_predicts_with_its_stored_statistics(bind: Any) -> None:
    for trainable in (LEARNED, frozenset(PARAMS)):
        np.testing.assert_allclose(bind(trainable).predict(PICTURES), by_numpy(PARAMS, PICTURES), atol=1e-5)


def test_several_heads_come_as_a_list(bind: Any) -> None:
    maps, logits = bind(graph=Graph(GRAPH.nodes, (("bn", 0), ("head", 0)))).predict(PICTURES[:3])
    assert maps.shape == (3, 4, 7, 7)
    np.testing.assert_allclose(logits, by_numpy(PARAMS, PICTURES[:3]), atol=1e-5)


def test_several_inputs_of_pictures_and_features_come_by_name(bind: Any) -> None:
    b = Builder(GRAPH)
    graph = b.graph(b.add(GRAPH.heads[0], b.data("more"), "sum"))
    executor = bind(LEARNED, graph=graph, inputs={**INPUT, "more": InputSpec((3,))})
    more = RNG.normal(size=(5, 3)).astype("float32")
    batch = {"more": more, "data": PICTURES[:5]}
    np.testing.assert_allclose(executor.predict(batch), by_numpy(PARAMS, PICTURES[:5]) + more, atol=1e-5)
    value, _ = CROSS(by_numpy(PARAMS, PICTURES[:5]) + more, LABELS[:5], ALL[:5])
    assert executor.step(batch, LABELS[:5], ALL[:5], CROSS, 0.01) == pytest.approx(value, abs=1e-5)
    with pytest.raises(EngineError, match="different numbers of rows"):
        executor.predict({"more": more[:2], "data": PICTURES})


@pytest.mark.parametrize(
    "batch",
    [
        PICTURES[:, :, :, :2], PICTURES[:, 0], PICTURES[:, :2, :2], PICTURES[:0], PICTURES.astype("float32"),
        PICTURES.transpose(0, 3, 1, 2), {"pixels": PICTURES}, {},
    ],
)  # fmt: skip
def test_a_batch_that_does_not_fit_is_one_clear_error(bind: Any, batch: Any) -> None:
    executor = bind()
    with pytest.raises(EngineError, match=r"takes uint8 of N x 9 x 9 x 3 as data|nothing to run"):
        executor.predict(batch)
    assert executor.predict(PICTURES[:1]).shape == (1, 3)


# ---- step


@pytest.mark.parametrize(
    ("loss", "targets"),
    [
        (CrossEntropy(3, 0.1, (1.0, 2.0, 0.5)), LABELS),
        (BinaryCrossEntropy(3), (RNG.random((6, 3)) > 0.5).astype(float)),
        (SquaredError((1.0, 2.0, 3.0), (1.0, 0.5, 2.0)), RNG.normal(size=(6, 3))),
    ],
)
@pytest.mark.parametrize("moving", [False, True])
def test_loss_and_gradient_are_those_of_numpy(bind: Any, loss: Loss, targets: np.ndarray, moving: bool) -> None:
    """The gradient is read off the first moment of a plain AdamW; the reference's comes by numerical differences."""
    executor = bind(frozenset(PARAMS) if moving else LEARNED, optimiser=AdamW(beta1=0.0, beta2=0.0, epsilon=1e3))
    counts = np.array([1, 1, 1, 0.5, 0, 1])

    def reference(params: dict[str, np.ndarray]) -> float:
        return loss(by_numpy(params, PICTURES, moving), targets, counts)[0]

    assert executor.step(PICTURES, targets, counts, loss, 1e3) == pytest.approx(reference(PARAMS), rel=1e-4)
    after = executor.parameters()
    for name in ("conv_weight", "bn_gamma", "head_weight", "head_bias"):
        for place in list(np.ndindex(PARAMS[name].shape))[:4]:
            shifted = [{**PARAMS, name: PARAMS[name].astype(float)} for _ in range(2)]
            shifted[0][name][place] += 1e-4
            shifted[1][name][place] -= 1e-4
            gradient = (reference(shifted[0]) - reference(shifted[1])) / 2e-4
            moved = float(after[name][place]) - float(PARAMS[name][place])  # lr g / (|g| + epsilon)
            assert moved == pytest.approx(-gradient, abs=2e-3)


def test_steps_reduce_the_loss(bind: Any) -> None:
    executor = bind(LEARNED)
    losses = [executor.step(PICTURES, LABELS, ALL, CROSS, 0.05) for _ in range(20)]
    assert losses[-1] < 0.5 * losses[0]


def test_the_first_step_is_one_of_adamw(bind: Any) -> None:
    """Which moves each number by its learning rate, and shrinks weights alone."""
    lr, decay = 0.01, 0.5
    executor = bind(LEARNED, optimiser=AdamW({"head_weight": 0.1}, decay))
    executor.step(PICTURES, LABELS, ALL, CROSS, lr)
    for name, after in executor.parameters().items():
        own_lr = lr * (0.1 if name == "head_weight" else 1)
        shrunk = PARAMS[name] * (1 - own_lr * decay) if PARAMS[name].ndim > 1 else PARAMS[name]
        if name != "conv_bias":  # of which BatchNorm sees nothing if its statistics move; here they don't
            assert np.median(np.abs(after - shrunk)) == pytest.approx(own_lr, rel=1e-2), name


def test_only_what_is_trainable_moves(bind: Any) -> None:
    executor = bind(frozenset({"head_weight", "bn_gamma"}))
    executor.step(PICTURES, LABELS, ALL, CROSS, 0.1)
    after = executor.parameters()
    assert after.keys() == {"head_weight", "bn_gamma"}
    assert not any(np.array_equal(array, PARAMS[name]) for name, array in after.items())
    expected = by_numpy({**PARAMS, **after}, PICTURES)
    np.testing.assert_allclose(executor.predict(PICTURES), expected, atol=1e-5)


def test_opened_statistics_move_and_are_given_back(bind: Any) -> None:
    executor = bind(frozenset(PARAMS))
    executor.step(PICTURES, LABELS, ALL, CROSS, 0.01)
    assert executor.parameters().keys() == PARAMS.keys()
    assert not np.array_equal(executor.parameters()["bn_moving_mean"], PARAMS["bn_moving_mean"])


def test_rows_that_count_0_only_fill_the_batch(bind: Any) -> None:
    filled, alone = bind(LEARNED), bind(LEARNED)
    for _ in range(3):
        a = filled.step(PICTURES, LABELS, np.array([1, 1, 1, 1, 0, 0]), CROSS, 0.05)
        b = alone.step(PICTURES[:4], LABELS[:4], ALL[:4], CROSS, 0.05)
        assert a == pytest.approx(b, rel=1e-4)
    for name, array in alone.parameters().items():
        np.testing.assert_allclose(filled.parameters()[name], array, atol=1e-3)


def test_where_no_row_counts_nothing_is_learned(bind: Any) -> None:
    executor = bind(LEARNED)
    assert executor.step(PICTURES, LABELS, np.zeros(6), CROSS, 0.1) == 0
    for name, array in executor.parameters().items():
        np.testing.assert_array_equal(array, PARAMS[name])


def test_a_loss_that_is_no_number_changes_nothing(bind: Any) -> None:
    executor = bind(LEARNED)
    assert np.isnan(executor.step(PICTURES, np.full((6, 3), np.nan), ALL, SquaredError((0.0,) * 3, (1.0,) * 3), 0.1))
    for name, array in executor.parameters().items():
        np.testing.assert_array_equal(array, PARAMS[name])


# ---- gradient


ROW = {"data": InputSpec((3, 8, 8)), "more": InputSpec((3,))}


def with_inner_input() -> tuple[Graph, dict[str, np.ndarray]]:
    """Every kind of layer that may lie behind a cut: normalised, clipped, pooled, dropped, dense."""
    b, rng = Builder(), np.random.default_rng(2)
    x = b.act(b.batchnorm(b.conv(b.data(), "conv", 4, kernel=3), "bn"), "relu6")
    pooled = b.concat([b.pool(x, "max", 2, 2), b.pool(x, "avg", 2, 2)])
    x = b.dropout(b.act(b.dense(pooled, "fc", 5), "sigmoid"), 0.5)
    graph = b.graph(b.add(b.dense(x, "head", 3), b.data("more"), "sum"), ("bn", 0))
    params = {
        **{name: PARAMS[name] for name in PARAMS if name.startswith(("conv", "bn"))},
        "fc_weight": rng.normal(size=(5, 72)) / 8, "fc_bias": rng.normal(size=5),
        "head_weight": rng.normal(size=(3, 5)), "head_bias": rng.normal(size=3),
    }  # fmt: skip
    return graph, {name: array.astype("float32") for name, array in params.items()}


def rows(count: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(count)
    return {name: rng.normal(size=(count, *spec.shape)).astype("float32") for name, spec in ROW.items()}


@pytest.mark.parametrize("count", [1, 3, 4])
@pytest.mark.parametrize("trainable", [False, True])
def test_the_gradient_of_an_output_is_that_of_finite_differences(bind: Any, count: int, trainable: bool) -> None:
    graph, params = with_inner_input()
    learned = frozenset(params) if trainable else frozenset()
    executor = bind(learned, graph=graph, params=params, inputs=ROW)
    batch, rng = rows(count), np.random.default_rng(0)
    weights = rng.normal(size=(count, 3)).astype("float32")
    found = executor.gradient(batch, weights)
    assert {name: (array.shape, array.dtype.name) for name, array in found.items()} == {
        name: ((count, *spec.shape), "float32") for name, spec in ROW.items()
    }
    np.testing.assert_allclose(found["more"], weights, rtol=1e-6)
    slopes, expected = [], []
    for _ in range(20):  # a small step in a random direction crosses few of the kinks of ReLU and of a maximum
        direction = (rng.normal(size=batch["data"].shape) * 2e-3).astype("float32")
        ends = [executor.predict({**batch, "data": batch["data"] + sign * direction})[0] for sign in (0.5, -0.5)]
        slopes.append(((ends[0] - ends[1]).astype(float) * weights).sum())
        expected.append((found["data"].astype(float) * direction).sum())
    assert np.linalg.norm(np.subtract(slopes, expected)) < 0.02 * np.linalg.norm(slopes)


def test_the_gradient_of_a_row_does_not_depend_on_others(bind: Any) -> None:
    graph, params = with_inner_input()
    executor, batch = bind(graph=graph, params=params, inputs=ROW), rows(5)
    weights = np.ones((5, 3), "float32")
    together = executor.gradient(batch, weights)["data"]
    for row in range(5):
        alone = executor.gradient({name: array[row : row + 1] for name, array in batch.items()}, weights[:1])["data"]
        np.testing.assert_allclose(alone[0], together[row], atol=1e-6)


def test_the_gradient_is_of_the_parameters_as_they_are(bind: Any) -> None:
    """After a step, and after a state was restored; and it changes neither what is predicted nor what is learned."""
    graph, params = with_inner_input()
    settings = {"graph": Graph(graph.nodes, graph.heads[:1]), "params": params, "inputs": ROW}
    executor, batch = bind(frozenset(params), **settings), rows(4)
    weights, targets = np.ones((4, 3), "float32"), (LABELS[:4], ALL[:4], CROSS)
    state, first = executor.state(), executor.gradient(batch, weights)["data"]
    executor.step(batch, *targets, 0.1)
    moved, learned = executor.gradient(batch, weights)["data"], executor.parameters()
    assert np.abs(moved - first).max() > 1e-3
    fresh = bind(**{**settings, "params": {**params, **learned}})
    np.testing.assert_allclose(moved, fresh.gradient(batch, weights)["data"], atol=1e-6)
    np.testing.assert_allclose(executor.predict(batch), fresh.predict(batch), atol=1e-5)
    for name, array in executor.parameters().items():
        np.testing.assert_array_equal(array, learned[name])
    executor.restore(state)
    np.testing.assert_array_equal(executor.gradient(batch, weights)["data"], first)


def test_beside_images_only_floats_have_a_gradient(bind: Any) -> None:
    b = Builder(GRAPH)
    graph = b.graph(b.add(GRAPH.heads[0], b.data("more"), "sum"))
    executor = bind(graph=graph, inputs={**INPUT, "more": InputSpec((3,))})
    weights = RNG.normal(size=(5, 3)).astype("float32")
    found = executor.gradient({"more": weights * 0, "data": PICTURES[:5]}, weights)
    assert found.keys() == {"more"}
    np.testing.assert_array_equal(found["more"], weights)


def test_a_gradient_that_can_not_be_is_refused(bind: Any) -> None:
    with pytest.raises(EngineError, match="no gradient with respect to images of 8 bits"):
        bind().gradient(PICTURES, np.ones((6, 3), "float32"))
    graph, params = with_inner_input()
    executor = bind(graph=graph, params=params, inputs=ROW)
    with pytest.raises(EngineError, match="The gradient takes weights of 4 x 3"):
        executor.gradient(rows(4), np.ones((3, 3), "float32"))
    with pytest.raises(EngineError, match="takes float32 of N x 3 x 8 x 8 as data"):
        executor.gradient({**rows(4), "data": np.ones((4, 3, 8, 9), "float32")}, np.ones((4, 3), "float32"))


# ---- between steps


def test_parameters_come_back_as_they_went_in(bind: Any) -> None:
    found = bind(frozenset(PARAMS)).parameters()
    assert {name: array.tobytes() for name, array in found.items()} == {
        name: array.tobytes() for name, array in PARAMS.items()
    }


def test_a_restored_state_goes_on_exactly(bind: Any) -> None:
    settings = {"optimiser": AdamW(weight_decay=0.1), "seed": 4}
    unbroken, resumed = bind(frozenset(PARAMS), **settings), bind(frozenset(PARAMS), **settings)
    for _ in range(2):
        unbroken.step(PICTURES, LABELS, ALL, CROSS, 0.05)
    state = unbroken.state()
    expected = [unbroken.step(PICTURES, LABELS, ALL, CROSS, 0.05) for _ in range(2)]
    learned = unbroken.parameters()
    for executor in (resumed, unbroken):  # a fresh one, and one that has gone on and predicted meanwhile
        executor.predict(PICTURES)
        executor.restore(state)
        assert {name: array.tobytes() for name, array in executor.state().items()} == {
            name: array.tobytes() for name, array in state.items()
        }
        assert [executor.step(PICTURES, LABELS, ALL, CROSS, 0.05) for _ in range(2)] == expected
        for name, array in executor.parameters().items():
            np.testing.assert_array_equal(array, learned[name])


def test_dropout_draws_by_seed_and_step(engine: engines.Engine) -> None:
    net = mxnetwork("lenet", classes=3).insert("fc1", "Dropout", p=0.5)
    pictures = RNG.integers(0, 256, (6, 28, 28, 1), np.uint8)

    def made(seed: int) -> Executor:
        return engine.bind(Program.of(net, frozenset(net.params), seed=seed), [Device("cpu")])

    def step(executor: Executor) -> float:
        return executor.step(pictures, LABELS, ALL, CROSS, 1e-6)

    first, again, later = made(7), made(7), made(7)
    losses = [step(first) for _ in range(3)]
    assert len(set(np.round(losses, 4))) == 3  # each step draws anew
    assert step(made(8)) != losses[0]
    assert step(again) == losses[0]
    later.restore(again.state())
    assert [step(later) for _ in range(2)] == losses[1:]


# ---- devices, threads, processes


@pytest.mark.parametrize("rows", [1, 3, 6])
def test_two_devices_take_the_step_of_one(bind: Any, rows: int) -> None:
    one, two = bind(LEARNED), bind(LEARNED, devices=2)
    for _ in range(3):
        losses = [e.step(PICTURES[:rows], LABELS[:rows], ALL[:rows], CROSS, 0.05) for e in (one, two)]
        assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    for name, array in one.parameters().items():
        np.testing.assert_allclose(two.parameters()[name], array, atol=1e-3)
    np.testing.assert_allclose(two.predict(PICTURES), one.predict(PICTURES), atol=1e-2)


def test_a_step_after_fewer_rows_does_not_use_old_gradients(bind: Any) -> None:
    two, fresh = bind(LEARNED, devices=2), bind(LEARNED, devices=2)
    two.step(PICTURES, LABELS, ALL, CROSS, 0.05)
    fresh.restore(two.state())
    for executor in (two, fresh):
        executor.step(PICTURES[:1], LABELS[:1], ALL[:1], CROSS, 0.05)
    for name, array in fresh.parameters().items():
        np.testing.assert_array_equal(two.parameters()[name], array)


def test_networks_in_many_threads_do_not_disturb_one_another(engine: engines.Engine) -> None:
    net = mxnetwork("efficientnet_lite0", image_size=64)
    executors = [engine.bind(Program.of(net), [Device("cpu")]) for _ in range(4)]
    batches = [RNG.integers(0, 256, (8, 64, 64, 3), np.uint8) for _ in executors]
    alone = [executor.predict(batch) for executor, batch in zip(executors, batches)]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            together = pool.map(lambda pair: pair[0].predict(pair[1]), zip(executors, batches))
            for expected, found in zip(alone, together):
                np.testing.assert_array_equal(found, expected)


def test_a_forked_process_is_refused_in_words(engine: engines.Engine) -> None:
    assert "fork" in multiprocessing.get_all_start_methods()
    done = python(
        "import os\nimport numpy as np\nfrom mxtune import engines\nfrom mxtune.graph import Builder\n"
        "b = Builder(); graph = b.graph(b.flatten(b.data()))\n"
        "spec = {'data': engines.InputSpec((2,))}\n"
        f"engine = engines.get({engine.name!r})\n"
        "executor = engine.bind(engines.Program(graph, {}, spec), [engines.Device('cpu')])\n"
        "x = np.ones((1, 2), 'float32'); executor.predict(x)\n"
        "if os.fork() == 0:\n"
        "    try: executor.predict(x)\n"
        "    except Exception as error: print(type(error).__name__, error, flush=True)\n"
        "    os._exit(0)\n"
        "os.wait()"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("EngineError ") and "forked" in done.stdout
