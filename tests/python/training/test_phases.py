"""Phases: what is trained, what stays frozen, and what a row of the history says."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from mxtune import Augment, ImageSet, Network, mxexample, mximages, mxnetwork, mxtrain
from mxtune.engines import Device, Program, choose
from mxtune.errors import TrainingError
from mxtune.images.loader import Loader
from mxtune.tasks import Classification
from mxtune.training.phase import Phase
from mxtune.training.phases import LayerTraining, shuffled, train_head, trainable_parameters
from mxtune.training.problem import Problem

CPU = choose("cpu")
IMAGES = mximages(mxexample("fashion"))
TRAIN, VALIDATION = IMAGES.take(range(0, 400, 5)), IMAGES.take(range(1, 400, 10))


@pytest.fixture(scope="module")
def network() -> Network:
    return mxnetwork("efficientnet_lite0", image_size=64).replace_head(10, stages=True)


def problem(network: Network, train: ImageSet = TRAIN, devices: int = 1) -> Problem:
    spec, task = network.preprocess, Classification(IMAGES.levels)
    return Problem(
        train=Loader(train, spec, Augment.none()),
        validation=Loader(VALIDATION, spec),
        task=task,
        loss=task.loss(),
        target=replace(CPU, devices=tuple(Device("cpu", index) for index in range(devices))),
        seed=0,
    )


def test_a_head_on_every_stage_is_features_times_weights(network: Network) -> None:
    trained, row, interrupted, _, _ = train_head(network, problem(network), Phase("head"), None)
    batch = Loader(VALIDATION, network.preprocess).eval_batch(range(len(VALIDATION)))
    features = CPU.bind(Program.of(trained.body)).predict(batch)
    logits = CPU.bind(Program.of(trained)).predict(batch)
    weight, bias = trained.params["head_weight"], trained.params["head_bias"]
    np.testing.assert_allclose(logits, features @ weight.T + bias, atol=1e-3)
    assert features.shape[1] > 1280  # not the last stage alone
    assert not interrupted
    assert row["valid_accuracy"] == pytest.approx((logits.argmax(axis=1) == VALIDATION.y).mean(), abs=0.03)
    assert row["stage"] == "head"


def test_the_tail_is_the_last_stage_without_statistics(network: Network) -> None:
    tail, every = trainable_parameters(network, Phase("tail")), trainable_parameters(network, Phase("all"))
    assert {"head_weight", "head_bias"} < tail < every == set(network.params)
    assert not any("moving" in name for name in tail)


@pytest.mark.parametrize("number", [0, 1], ids=["from the start", "behind a head"])
def test_statistics_move_where_all_layers_are_trained_from_the_start(network: Network, number: int) -> None:
    training = LayerTraining(network, problem(network), Phase("all", batch_size=40), number)
    training.epoch(0)
    moved = {
        name
        for name, array in training.parameters().items()
        if "moving" in name and not np.array_equal(array, network.params[name])
    }
    assert moved == (set() if number else set(network.graph.auxiliary))


@pytest.mark.parametrize(("name", "frozen", "move"), [
    ("efficientnet_lite0", "", False), ("resnet18_v1", "", True), ("resnet18_v1", "batch_norm", False),
])  # fmt: skip
def test_statistics_do_what_the_documentation_of_tune_says(name: str, frozen: str, move: bool) -> None:
    network = mxnetwork(name, image_size=32, seed=1)
    if frozen:
        network = network.freeze(frozen)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = mxtrain(TRAIN, net=network, tune="all", epochs=1, image_size=32, valid=0, verbose=0, seed=1)
    assert model.history["stage"].tolist() == (["all"] if not network.pretrained else ["head", "all"])
    statistics = [key for key in model.network.graph.auxiliary if key in network.params]
    moved = [key for key in statistics if not np.array_equal(model.network.params[key], network.params[key])]
    assert statistics and moved == (statistics if move else [])


def test_what_the_user_froze_is_never_trained(network: Network) -> None:
    frozen = network.freeze(-3)
    for name in ("tail", "all"):
        assert not trainable_parameters(frozen, Phase(name)) & frozen.frozen
    assert frozen.frozen


@pytest.mark.parametrize("name", ["tail", "all"])
def test_only_what_is_trained_changes(network: Network, name: str) -> None:
    partly = network.freeze(10)
    training = LayerTraining(partly, problem(partly), Phase(name, epochs=2, lr=1e-3), 1)
    training.epoch(0)
    after = training.parameters()
    assert set(after) <= trainable_parameters(partly, Phase(name))
    assert not partly.frozen & set(after)
    assert not np.array_equal(after["head_weight"], partly.params["head_weight"])


@pytest.mark.parametrize("lr", [1e-30, 1e-3])
def test_a_frozen_front_gives_the_step_of_the_whole_network(network: Network, lr: float) -> None:
    """The front is fused and the rest is not: together they must be the network itself, before a step and after."""
    training = LayerTraining(network, problem(network), Phase("tail", epochs=1, lr=lr, batch_size=16), 1)
    row = training.epoch(0)
    trained = replace(network, params={**network.params, **training.parameters()})
    logits = CPU.bind(Program.of(trained)).predict(Loader(VALIDATION, network.preprocess).eval_batch(range(40)))
    expected = problem(network).score(logits)
    assert row["valid_loss"] == pytest.approx(expected["valid_loss"], rel=1e-4)
    assert row["valid_accuracy"] == expected["valid_accuracy"]


def test_a_last_small_batch_counts_each_picture_once() -> None:
    batches = list(shuffled(13, 5, (0, 1, 0)))
    assert len(batches) == 3
    assert all(len(rows) == 5 for rows, _ in batches)
    counted = np.concatenate([rows[counts > 0] for rows, counts in batches])
    assert sorted(counted.tolist()) == list(range(13))


def test_the_order_of_an_epoch_depends_on_its_key_alone() -> None:
    def order(key: tuple[int, ...]) -> list[int]:
        return [int(row) for rows, _ in shuffled(40, 8, key) for row in rows]

    assert order((0, 1, 2)) == order((0, 1, 2))
    assert order((0, 1, 2)) != order((0, 1, 3))


def test_an_epoch_can_be_gone_over_again_exactly(network: Network) -> None:
    phase = Phase("tail", epochs=2, lr=1e-3, batch_size=16)
    first = LayerTraining(network, problem(network), phase, 1)
    first.epoch(0)
    state = first.state()
    second = LayerTraining(network, problem(network), phase, 1)
    second.restore(state)
    assert first.epoch(1) == second.epoch(1)
    for name, array in first.parameters().items():
        np.testing.assert_array_equal(second.parameters()[name], array)


def test_a_loss_out_of_bounds_is_one_clear_error() -> None:
    lenet = mxnetwork("lenet", classes=10)
    training = LayerTraining(lenet, problem(lenet), Phase("all", epochs=50, lr=1e30), 0)
    with pytest.raises(TrainingError, match=r"The loss became .* in epoch 1 of the phase all.\ni Use a lower"):
        training.epoch(0)


def test_several_devices_train_as_one() -> None:
    lenet = mxnetwork("lenet", classes=10)
    phase = Phase("all", epochs=1, lr=1e-3, batch_size=16)
    rows, after = [], []
    for devices in (1, 2):
        training = LayerTraining(lenet, problem(lenet, devices=devices), phase, 0)
        rows.append(training.epoch(0))
        after.append(training.parameters())
    assert [row["train_loss"] for row in rows] == pytest.approx([rows[0]["train_loss"]] * 2, rel=1e-3)
    for name, array in after[0].items():
        np.testing.assert_allclose(after[1][name], array, atol=1e-3)
