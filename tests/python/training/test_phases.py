"""Stages: what is opened, what stays frozen, and what a row of the history says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mxtune import Augment, ImageSet, Network, mxexample, mximages, mxnetwork
from mxtune.engines.mxnet.devices import Device
from mxtune.engines.mxnet.executor import Executor
from mxtune.errors import TrainingError
from mxtune.images.loader import Views
from mxtune.tasks.losses import CrossEntropy
from mxtune.training.phases import LayerTraining, Task, better, opened, train_head
from mxtune.training.plan import Stage
from mxtune.training.state import Standing

IMAGES = mximages(mxexample("fashion"))
TRAIN, HELD = IMAGES.take(range(0, 400, 5)), IMAGES.take(range(1, 400, 10))


@pytest.fixture(scope="module")
def network() -> Network:
    return mxnetwork("efficientnet_lite0", image_size=64).replace_head(10, stages=True)


def task(network: Network, train: ImageSet = TRAIN, held: bool = True, devices: int = 1) -> Task:
    spec = network.preprocess
    return Task(
        train=Views(train, spec, Augment.none()),
        held=Views(HELD, spec) if held else None,
        loss=CrossEntropy(10),
        devices=tuple(Device("cpu", index) for index in range(devices)),
        seed=0,
    )


def test_a_head_on_every_stage_is_features_times_weights(network: Network) -> None:
    trained, row, interrupted = train_head(network, task(network), Stage("head"), None)
    views = Views(HELD, network.preprocess).central(range(len(HELD)))
    features = Executor(trained.body.graph, trained.body.params).predict(views)
    logits = Executor(trained.graph, trained.params).predict(views)
    weight, bias = trained.params["head_weight"], trained.params["head_bias"]
    np.testing.assert_allclose(logits, features @ weight.T + bias, atol=1e-3)
    assert features.shape[1] > 1280  # not the last stage alone
    assert not interrupted
    assert row["valid_accuracy"] == pytest.approx((logits.argmax(axis=1) == HELD.y).mean(), abs=0.03)
    assert row["stage"] == "head"


def test_the_tail_is_the_last_stage_without_statistics(network: Network) -> None:
    tail, every = opened(network, Stage("tail")), opened(network, Stage("all"))
    assert {"head_weight", "head_bias"} < tail < every == set(network.params)
    assert not any("moving" in name for name in tail)


def test_what_the_user_froze_is_never_opened(network: Network) -> None:
    frozen = network.freeze(-3)
    for name in ("tail", "all"):
        assert not opened(frozen, Stage(name)) & frozen.frozen
    assert frozen.frozen


@pytest.mark.parametrize("name", ["tail", "all"])
def test_only_what_is_opened_changes(network: Network, name: str) -> None:
    partly = network.freeze(10)
    training = LayerTraining(partly, task(partly), Stage(name, epochs=2, lr=1e-3), 1)
    training.epoch(0)
    after = training.parameters()
    assert set(after) <= opened(partly, Stage(name))
    assert not partly.frozen & set(after)
    assert not np.array_equal(after["head_weight"], partly.params["head_weight"])


def test_a_frozen_front_gives_the_step_of_the_whole_network(network: Network) -> None:
    """The front is fused and the rest is not: together they must be the network itself."""
    stage = Stage("tail", epochs=1, lr=1e-3, batch_size=16)
    training = LayerTraining(network, task(network), stage, 1)
    views = Views(HELD, network.preprocess).central(range(8))
    whole = Executor(network.graph, network.params).predict(views)
    np.testing.assert_allclose(training._executor.predict(training._crossing(views)), whole, atol=2e-3)
    row = training.epoch(0)
    assert np.isfinite(row["train_loss"])
    changed = replace(network, params={**network.params, **training.parameters()})
    after = Executor(changed.graph, changed.params).predict(views)
    np.testing.assert_allclose(training._executor.predict(training._crossing(views)), after, atol=2e-3)


def test_a_last_small_batch_counts_each_picture_once(network: Network) -> None:
    training = LayerTraining(network, task(network, TRAIN.take(range(13))), Stage("all", batch_size=5), 1)
    batches = list(training._batches(0))
    assert training.steps == len(batches) == 3
    assert all(len(indices) == 5 for indices, _ in batches)
    counted = np.concatenate([indices[counts > 0] for indices, counts in batches])
    assert sorted(counted.tolist()) == list(range(13))


def test_an_epoch_can_be_gone_over_again_exactly(network: Network) -> None:
    stage = Stage("tail", epochs=2, lr=1e-3, batch_size=16)
    first = LayerTraining(network, task(network), stage, 1)
    first.epoch(0)
    state = first.state()
    second = LayerTraining(network, task(network), stage, 1)
    second.restore(state)
    assert first.epoch(1) == second.epoch(1)
    for name, array in first.parameters().items():
        np.testing.assert_array_equal(second.parameters()[name], array)


def test_a_loss_out_of_bounds_is_one_clear_error() -> None:
    lenet = mxnetwork("lenet", classes=10)
    training = LayerTraining(lenet, task(lenet), Stage("all", epochs=50, lr=1e30), 0)
    with pytest.raises(TrainingError, match=r"The loss became .* in epoch 1 of stage all.\ni Use a lower"):
        training.epoch(0)


def test_the_lowest_validation_loss_is_the_best_and_without_one_the_last() -> None:
    assert better(Standing(), {"valid_loss": 3.0})
    assert better(Standing(best_score=2.0), {"valid_loss": 1.0})
    assert not better(Standing(best_score=2.0), {"valid_loss": 2.0})
    assert better(Standing(best_score=None), {})


def test_several_devices_train_as_one() -> None:
    lenet = mxnetwork("lenet", classes=10)
    stage = Stage("all", epochs=1, lr=1e-3, batch_size=16)
    rows, after = [], []
    for devices in (1, 2):
        training = LayerTraining(lenet, task(lenet, devices=devices), stage, 0)
        rows.append(training.epoch(0))
        after.append(training.parameters())
    assert [row["train_loss"] for row in rows] == pytest.approx([rows[0]["train_loss"]] * 2, rel=1e-3)
    for name, array in after[0].items():
        np.testing.assert_allclose(after[1][name], array, atol=1e-3)
