"""The executor: predictions, steps, and the state between them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mxtune.engines.mxnet.devices import Device
from mxtune.engines.mxnet.executor import Executor, weights
from mxtune.errors import EngineError
from mxtune.graph import Builder, Graph
from mxtune.tasks.losses import BinaryCrossEntropy, CrossEntropy, Loss, SquaredError
from mxtune.zoo.opening import mxnetwork

RNG = np.random.default_rng(1)
PICTURES = RNG.normal(size=(6, 3, 9, 9)).astype("float32")
LABELS = np.array([0, 1, 2, 0, 1, 2])


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
LEARNED = [name for name in PARAMS if "moving" not in name]


def classes(outputs: np.ndarray) -> tuple[float, np.ndarray]:
    return CrossEntropy(3)(outputs.astype(float), LABELS[: len(outputs)], np.ones(len(outputs)))


def test_a_batch_filled_up_gives_the_rows_that_each_picture_gives_alone() -> None:
    executor = Executor(GRAPH, PARAMS)
    together = executor.predict(PICTURES)
    for count in (1, 2, 3, 5):
        np.testing.assert_allclose(executor.predict(PICTURES[:count]), together[:count], atol=1e-5)
    assert sorted(executor._bound) == [1, 2, 4, 8]


def test_fused_and_plain_graphs_agree() -> None:
    np.testing.assert_allclose(
        Executor(GRAPH, PARAMS).predict(PICTURES),
        Executor(GRAPH, PARAMS, trainable=LEARNED).predict(PICTURES),
        atol=1e-5,
    )


def test_several_heads_come_as_a_list() -> None:
    two = Graph(GRAPH.nodes, (("bn", 0), ("head", 0)))
    maps, logits = Executor(two, PARAMS).predict(PICTURES[:3])
    assert maps.shape == (3, 4, 7, 7)
    np.testing.assert_allclose(logits, Executor(GRAPH, PARAMS).predict(PICTURES[:3]), atol=1e-5)


@pytest.mark.parametrize(
    "batch", [PICTURES[:, :2], PICTURES[:, 0], PICTURES[:, :, :2, :2], PICTURES[:0], {"pixels": PICTURES}, {}]
)
def test_pictures_of_another_shape_are_one_clear_error(batch: np.ndarray) -> None:
    executor = Executor(GRAPH, PARAMS)
    with pytest.raises(EngineError) as caught:
        executor.predict(batch)
    assert "Stack trace" not in str(caught.value)
    assert ".cc" not in str(caught.value)
    assert executor.predict(PICTURES[:1]).shape == (1, 3)


@pytest.mark.parametrize("name", ["conv_weight", "bn_moving_var", "head_weight", "head_bias"])
def test_parameters_of_another_shape_are_one_clear_error(name: str) -> None:
    with pytest.raises(EngineError, match="MXNet failed to run the network"):
        Executor(GRAPH, {**PARAMS, name: np.zeros((5, 7), "float32")}).predict(PICTURES)


@pytest.mark.parametrize(
    ("loss", "targets"),
    [
        (CrossEntropy(3, 0.1, (1.0, 2.0, 0.5)), LABELS),
        (BinaryCrossEntropy(3), (RNG.random((6, 3)) > 0.5).astype(float)),
        (SquaredError((1.0, 2.0, 3.0), (1.0, 0.5, 2.0)), RNG.normal(size=(6, 3))),
    ],
)
def test_a_step_follows_the_gradient_of_numerical_differences(loss: Loss, targets: np.ndarray) -> None:
    executor = Executor(GRAPH, PARAMS, trainable=LEARNED)
    count = np.array([1, 1, 1, 0.5, 0, 1])
    executor.step(PICTURES, lambda outputs: loss(outputs.astype(float), targets, count), 0.0)
    for name in ("conv_weight", "bn_gamma", "head_weight", "head_bias"):
        gradient = executor._grads[0][name].asnumpy()
        for place in list(np.ndindex(gradient.shape))[:4]:

            def value(shift: float, name: str = name, place: tuple[int, ...] = place) -> float:
                moved = {**PARAMS, name: PARAMS[name].copy()}
                moved[name][place] += shift
                said = Executor(GRAPH, moved, trainable=["conv_bias"]).predict(PICTURES)
                return loss(said.astype(float), targets, count)[0]

            assert gradient[place] == pytest.approx((value(1e-2) - value(-1e-2)) / 2e-2, abs=2e-3)


def test_the_first_step_is_one_of_adamw_without_decay_of_biases_and_batchnorm() -> None:
    executor = Executor(GRAPH, PARAMS, trainable=LEARNED, decay=0.5, rates={"head_weight": 0.1})
    executor.step(PICTURES, classes, 0.01)
    after = executor.parameters()
    for name in LEARNED:
        gradient = executor._grads[0][name].asnumpy()
        rate = 0.001 if name == "head_weight" else 0.01
        kept = PARAMS[name] * (1 - rate * 0.5 * (PARAMS[name].ndim > 1))
        step = rate * np.sign(gradient)
        unclear = np.abs(gradient) < 1e-4  # Adam's first step is the sign of the gradient
        np.testing.assert_allclose(after[name][~unclear], (kept - step)[~unclear], atol=1e-4)


def test_frozen_statistics_and_weights_do_not_move() -> None:
    executor = Executor(GRAPH, PARAMS, trainable=["head_weight", "bn_gamma"], decay=0.1)
    for _ in range(3):
        executor.step(PICTURES, classes, 0.1)
    for name, array in executor._arrays[0].items():
        same = np.array_equal(array.asnumpy(), PARAMS[name])
        assert same == (name not in {"head_weight", "bn_gamma"}), name


def test_opened_statistics_move_and_are_given_back() -> None:
    executor = Executor(GRAPH, PARAMS, trainable=list(PARAMS))
    executor.step(PICTURES, classes, 0.01)
    assert set(executor.parameters()) == set(PARAMS)
    assert not np.array_equal(executor.parameters()["bn_moving_mean"], PARAMS["bn_moving_mean"])


def test_networks_in_many_threads_do_not_disturb_one_another() -> None:
    network = mxnetwork("efficientnet_lite0", image_size=64)
    executors = [Executor(network.graph, network.params) for _ in range(4)]
    pictures = [RNG.normal(size=(8, 3, 64, 64)).astype("float32") for _ in executors]
    alone = [executor.predict(batch) for executor, batch in zip(executors, pictures)]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            for expected, found in zip(alone, pool.map(Executor.predict, executors, pictures)):
                np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("rows", [1, 3, 6])
def test_two_devices_take_the_step_of_one(rows: int) -> None:
    one = Executor(GRAPH, PARAMS, trainable=LEARNED, decay=0.1)
    two = Executor(GRAPH, PARAMS, (Device("cpu", 0), Device("cpu", 1)), LEARNED, 0.1)
    for _ in range(3):
        assert two.step(PICTURES[:rows], classes, 0.05) == pytest.approx(one.step(PICTURES[:rows], classes, 0.05))
    for name, array in one.parameters().items():
        np.testing.assert_allclose(two.parameters()[name], array, atol=2e-4)
        np.testing.assert_array_equal(two._arrays[1][name].asnumpy(), two._arrays[0][name].asnumpy())
    np.testing.assert_allclose(two.predict(PICTURES), one.predict(PICTURES), atol=1e-3)


def test_a_step_after_fewer_rows_does_not_use_old_gradients() -> None:
    two = Executor(GRAPH, PARAMS, (Device("cpu", 0), Device("cpu", 1)), LEARNED)
    two.step(PICTURES, classes, 0.05)
    state = two.state()
    two.step(PICTURES[:1], classes, 0.05)
    fresh = Executor(GRAPH, PARAMS, (Device("cpu", 0), Device("cpu", 1)), LEARNED)
    fresh.restore(state)
    fresh.step(PICTURES[:1], classes, 0.05)
    for name, array in fresh.parameters().items():
        np.testing.assert_array_equal(two.parameters()[name], array)


def test_restoring_a_state_goes_on_exactly() -> None:
    unbroken = Executor(GRAPH, PARAMS, trainable=list(PARAMS), decay=0.1, seed=4)
    for _ in range(2):
        unbroken.step(PICTURES, classes, 0.05)
    state = unbroken.state()
    resumed = Executor(GRAPH, PARAMS, trainable=list(PARAMS), decay=0.1, seed=4)
    resumed.restore(state)
    assert weights(state).keys() == PARAMS.keys()
    for _ in range(2):
        assert unbroken.step(PICTURES, classes, 0.05) == resumed.step(PICTURES, classes, 0.05)
    for name, array in unbroken.parameters().items():
        np.testing.assert_array_equal(resumed.parameters()[name], array)


def test_a_loss_that_is_no_number_changes_nothing() -> None:
    executor = Executor(GRAPH, PARAMS, trainable=LEARNED)
    assert np.isnan(executor.step(PICTURES, lambda outputs: (float("nan"), outputs), 0.1))
    for name, array in executor.parameters().items():
        np.testing.assert_array_equal(array, PARAMS[name])


def test_a_node_with_dropout_draws_the_same_after_a_resume() -> None:
    from mxtune.zoo.opening import mxnetwork

    net = mxnetwork("lenet", classes=3).insert("fc1", "Dropout", p=0.5)
    pictures = RNG.normal(size=(6, 1, 28, 28)).astype("float32")
    first = Executor(net.graph, net.params, trainable=list(net.params), seed=7)
    losses = [first.step(pictures, classes, 1e-6) for _ in range(3)]
    assert len(set(np.round(losses, 4))) == 3  # each step draws anew
    again = Executor(net.graph, net.params, trainable=list(net.params), seed=7)
    again.step(pictures, classes, 1e-6)
    later = Executor(net.graph, net.params, trainable=list(net.params), seed=7)
    later.restore(again.state())
    assert [later.step(pictures, classes, 1e-6) for _ in range(2)] == losses[1:]
