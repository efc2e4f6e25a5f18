"""Engines beside one another: each trains as the first one does. What one alone must do is in test_contract.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mxtune import engines, mxtrain
from mxtune.engines import AdamW, Executor, Program
from mxtune.errors import TrainingWarning
from mxtune.graph import Builder
from mxtune.tasks.losses import BinaryCrossEntropy, CrossEntropy, Loss, SquaredError
from running import bound, program

RNG = np.random.default_rng(5)
MAPS = RNG.normal(size=(8, 3, 10, 10)).astype("float32")
CODES = np.array([0, 1, 2, 0, 1, 2, 0, 1])
COUNTS = np.array([1, 1, 0.5, 1, 0, 1, 2, 1])
LOSSES = [
    (CrossEntropy(3, 0.1, (1.0, 2.0, 0.5)), CODES),
    (BinaryCrossEntropy(3), (RNG.random((8, 3)) > 0.5).astype(float)),
    (SquaredError((1.0, 2.0, 3.0), (1.0, 0.5, 2.0)), RNG.normal(size=(8, 3))),
]
FIRST, *OTHERS = engines.installed() or [""]


def small(moving: bool = True, momentum: float = 0.9, scale: bool = True, **settings: Any) -> Program:
    """Normalised convolutions, with a bias where it has a gradient; a shortcut; a dense layer."""
    b, rng = Builder(), np.random.default_rng(0)
    x = b.act(b.batchnorm(b.conv(b.data(), "one", 6, kernel=3, bias=False), "bn1", 1e-3, momentum, scale), "relu")
    y = b.batchnorm(b.conv(x, "two", 6, kernel=3, pad=1, bias=not moving), "bn2", 1e-3, momentum, scale)
    graph = b.graph(b.dense(b.flatten(b.global_pool(b.add(x, y), "avg")), "head", 3))
    sizes = {"one_weight": (6, 3, 3, 3), "two_weight": (6, 6, 3, 3), "head_weight": (3, 6), "head_bias": (3,)}
    names = [name for name in (*graph.arguments, *graph.auxiliary) if name != "data"]
    params = {
        name: (rng.normal(size=sizes.get(name, 6)) if "weight" in name else rng.random(sizes.get(name, 6)) + 0.5)
        for name in names
    }
    learned = [name for name in names if moving or "moving" not in name]
    return program(graph, {name: array.astype("float32") for name, array in params.items()}, MAPS, learned, **settings)


def trained(
    engine: str, one: Program, loss: Loss, targets: np.ndarray, **settings: Any
) -> tuple[Executor, list[float]]:
    executor = bound(one, engine=engine, **settings)
    return executor, [executor.step(MAPS, targets, COUNTS, loss, 0.002) for _ in range(8)]


def compare(other: str, one: Program, loss: Loss, targets: np.ndarray, **settings: Any) -> None:
    (expected, losses), (found, own_losses) = (trained(name, one, loss, targets, **settings) for name in (FIRST, other))
    np.testing.assert_allclose(own_losses, losses, rtol=1e-4)
    parameters = expected.parameters()
    assert found.parameters().keys() == parameters.keys()
    fixed = {node.inputs[1][0] for node in one.graph.nodes if node.has_role("batchnorm") and node.values.fix_gamma}
    for name in parameters.keys() - fixed:  # MXNet writes ones to those that nobody reads
        array = found.parameters()[name]
        np.testing.assert_allclose(array, parameters[name], rtol=1e-3, atol=2e-4, err_msg=name)
    np.testing.assert_allclose(found.predict(MAPS), expected.predict(MAPS), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("moving", [False, True])
@pytest.mark.parametrize(("loss", "targets"), LOSSES)
def test_steps_of_each_loss_are_the_same(other: str, loss: Loss, targets: np.ndarray, moving: bool) -> None:
    compare(other, small(moving), loss, targets)


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize(
    "settings",
    [
        {"optimiser": AdamW(weight_decay=0.3)},
        {"optimiser": AdamW({"one_weight": 0.1, "head_bias": 3.0}, 0.1, 0.8, 0.95, 1e-4)},
        {"momentum": 0.5},
        {"scale": False},
    ],
)
def test_steps_of_each_optimiser_and_statistic_are_the_same(other: str, settings: dict[str, Any]) -> None:
    compare(other, small(**settings), *LOSSES[0])


@pytest.mark.parametrize("other", OTHERS)
def test_passes_and_several_devices_are_of_no_effect(other: str) -> None:
    compare(other, small(False), *LOSSES[0], passes=False)
    compare(other, small(False), *LOSSES[0], devices=2)


@pytest.mark.parametrize("other", OTHERS)
def test_one_goes_on_where_another_stopped(other: str) -> None:
    """A checkpoint names nothing that only one engine has."""
    one = small()
    (first, _), (second, _) = (trained(name, one, *LOSSES[0]) for name in (FIRST, other))
    assert first.state().keys() == second.state().keys()
    second.restore(first.state())
    losses = [executor.step(MAPS, LOSSES[0][1], COUNTS, LOSSES[0][0], 0.002) for executor in (first, second)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


@pytest.mark.parametrize("other", OTHERS)
def test_three_epochs_end_alike(other: str, fashion: Any, fashion_test: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    losses, accuracies = [], []
    for name in (FIRST, other):
        monkeypatch.setenv("MXTUNE_ENGINE", name)
        with pytest.warns(TrainingWarning, match="lenet has no pretrained weights"):
            model = mxtrain(fashion[0][:600], fashion[1][:600], net="lenet", epochs=3, valid=0.2, verbose=0)
        losses.append(model.history["train_loss"].to_numpy(float))
        accuracies.append(model.evaluate(fashion_test[0][:1000], fashion_test[1][:1000])["accuracy"])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-3)
    assert accuracies[1] == pytest.approx(accuracies[0], abs=0.005)
