"""The plan: which stages, how long, how fast."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mxtune.errors import ArgumentError
from mxtune.training.plan import Stage, Wishes, make


def names(tune: str, pretrained: bool = True) -> list[str]:
    return [stage.name for stage in make(Wishes(tune=tune), 300, pretrained, True)]


def test_each_tune_has_its_stages() -> None:
    assert names("head") == ["head"]
    assert names("tail") == names("auto") == ["head", "tail"]
    assert names("all") == ["head", "all"]


def test_a_network_without_weights_is_trained_whole() -> None:
    assert names("head", pretrained=False) == ["all"]


def test_a_light_network_is_trained_longer_and_faster() -> None:
    light, other = (make(Wishes("all"), 3200, True, True, light)[1] for light in (True, False))
    assert light.epochs > 2 * other.epochs
    assert light.lr > other.lr
    assert light.patience < light.epochs


def test_a_batch_is_never_more_than_there_is() -> None:
    assert {stage.batch_size for stage in make(Wishes(batch_size=64), 5, True, True)} == {5}


def test_nobody_is_patient_without_validation() -> None:
    assert all(stage.patience == 0 for stage in make(Wishes(patience=3), 100, True, False))


@pytest.mark.parametrize("pictures", [300, 60_000])
def test_all_layers_are_given_until_the_rate_falls(pictures: int) -> None:
    stage = make(Wishes("all"), pictures, True, True)[1]
    falling = stage.rate(stage.patience, stage.epochs)
    assert stage.patience < stage.epochs
    assert falling < 0.2 * stage.lr


def test_wishes_are_heard() -> None:
    stage = make(Wishes("tail", epochs=7, batch_size=8, lr=0.01, schedule="constant", patience=2), 100, True, True)[1]
    assert (stage.epochs, stage.batch_size, stage.lr, stage.schedule, stage.patience) == (7, 8, 0.01, "constant", 2)


@pytest.mark.parametrize("number", [3, 3.0, np.int32(3), np.float64(3)])
def test_whole_numbers_of_r_and_numpy_are_whole_numbers(number: float) -> None:
    wishes = Wishes(epochs=number, batch_size=number, patience=number, lr=np.float32(0.5))
    assert [type(value) for value in (wishes.epochs, wishes.batch_size, wishes.patience)] == [int] * 3
    assert json.dumps([stage.to_dict() for stage in make(wishes, 100, True, True)])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tune", "heads"), ("schedule", "step"), ("epochs", 0), ("epochs", 1.5), ("epochs", True), ("epochs", "3"),
        ("batch_size", -1), ("patience", -1), ("patience", np.nan), ("epochs", np.inf),
        ("lr", 0), ("lr", np.nan), ("lr", np.inf), ("lr", "fast"), ("lr", True),
    ],
)  # fmt: skip
def test_values_of_no_use_are_named(name: str, value: object) -> None:
    with pytest.raises(ArgumentError, match=f"`{name}` must be"):
        Wishes(**{name: value})  # type: ignore[arg-type]


def test_the_rate_rises_then_falls_to_nothing() -> None:
    rates = [Stage("all", lr=1.0).rate(step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == 1.0 == rates[9] == rates[10]
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.001


def test_a_constant_rate_rises_and_stays() -> None:
    stage = Stage("all", lr=1.0, schedule="constant")
    assert [stage.rate(step, 20) for step in (0, 1, 5, 19)] == [0.5, 1, 1, 1]


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_short_training_has_a_rate(steps: int) -> None:
    assert all(Stage("all", lr=1.0).rate(step, steps) > 0 for step in range(steps))
