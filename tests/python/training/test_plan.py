"""The plan: size, fit, head and phases, each with its reason."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from mxtune.errors import ArgumentError
from mxtune.training.options import EVERY_STAGE, LAST_FEATURES, Options
from mxtune.training.phase import Phase
from mxtune.training.plan import Facts, Plan, decide, guesses


def phases(options: Options, pictures: int = 300, validated: bool = True, **facts: Any) -> tuple[Phase, ...]:
    return decide(Facts(pictures, validated, **facts), options).phases


def names(tune: str, **facts: Any) -> list[str]:
    return [phase.name for phase in phases(Options(tune=tune), **facts)]


def test_each_tune_has_its_phases() -> None:
    assert names("head") == ["head"]
    assert names("tail") == names("auto") == ["head", "tail"]
    assert names("all") == ["head", "all"]


def test_a_network_without_weights_is_trained_whole() -> None:
    assert names("head", pretrained=False) == ["all"]


def test_a_light_network_is_trained_longer_and_faster() -> None:
    light, other = (phases(Options("all"), 3200, macs=macs)[1] for macs in (2_000_000, 400_000_000))
    assert light.epochs > 2 * other.epochs
    assert light.lr > other.lr
    assert light.patience < light.epochs


def test_a_batch_is_never_more_than_there_is() -> None:
    assert {phase.batch_size for phase in phases(Options(batch_size=64), 5)} == {5}


def test_nobody_is_patient_without_validation() -> None:
    assert all(phase.patience == 0 for phase in phases(Options(patience=3), 100, validated=False))


@pytest.mark.parametrize("pictures", [300, 60_000])
def test_all_layers_are_given_until_the_rate_falls(pictures: int) -> None:
    phase = phases(Options("all"), pictures)[1]
    falling = phase.lr_at(phase.patience, phase.epochs)
    assert phase.patience < phase.epochs
    assert falling < 0.2 * phase.lr


def test_wishes_are_heard() -> None:
    phase = phases(Options("tail", epochs=7, batch_size=8, lr=0.01, schedule="constant", patience=2), 100)[1]
    assert (phase.epochs, phase.batch_size, phase.lr, phase.schedule, phase.patience) == (7, 8, 0.01, "constant", 2)


@pytest.mark.parametrize("number", [3, 3.0, np.int32(3), np.float64(3)])
def test_whole_numbers_of_r_and_numpy_are_whole_numbers(number: float) -> None:
    options = Options(epochs=number, batch_size=number, patience=number, lr=np.float32(0.5))
    assert [type(value) for value in (options.epochs, options.batch_size, options.patience)] == [int] * 3
    assert json.dumps([phase.to_dict() for phase in phases(options, 100)])


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
        Options(**{name: value})  # type: ignore[arg-type]


def test_the_learning_rate_rises_then_falls_to_nothing() -> None:
    rates = [Phase("all", lr=1.0).lr_at(step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == 1.0 == rates[9] == rates[10]
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.001


def test_a_constant_rate_rises_and_stays() -> None:
    phase = Phase("all", lr=1.0, schedule="constant")
    assert [phase.lr_at(step, 20) for step in (0, 1, 5, 19)] == [0.5, 1, 1, 1]


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_short_training_has_a_rate(steps: int) -> None:
    assert all(Phase("all", lr=1.0).lr_at(step, steps) > 0 for step in range(steps))


def test_a_phase_and_a_plan_are_data() -> None:
    plan = decide(Facts(300, True, shorter_side=28, size_is_default=True, fit_is_default=True), Options())
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


def test_every_decision_has_a_reason() -> None:
    for tune in ("auto", "head", "tail", "all"):
        for pretrained in (True, False):
            plan = decide(Facts(300, True, pretrained=pretrained), Options(tune))
            assert list(plan.why) == [name for name in plan.to_dict() if name != "why"]
            assert all(plan.why.values())


# ---- size and fit


@pytest.mark.parametrize(
    ("tune", "side", "size"),
    [("auto", 28, 96), ("auto", 40, 128), ("auto", 300, 224), ("all", 28, 64), ("all", 50, 112)],
)
def test_small_pictures_are_seen_small_where_nobody_chose(tune: str, side: float, size: int) -> None:
    facts = Facts(300, True, shorter_side=side, size_is_default=True)
    plan = decide(facts, Options(tune))
    assert plan.size == (size, size)
    assert len(guesses(plan, facts, Options(tune))) == (size != 224)


def test_a_size_that_was_chosen_counts() -> None:
    for facts in (Facts(300, True, 28, (160, 160)), Facts(300, True, 28, size_is_default=True)):
        options = Options(image_size=None if facts.size == (160, 160) else 160)
        plan = decide(facts, options)
        assert plan.size == (160, 160)
        assert not guesses(plan, facts, options)


def test_pictures_are_stretched_where_nobody_chose_and_it_is_said() -> None:
    facts = Facts(300, True, fit_is_default=True)
    plan = decide(facts, Options())
    assert plan.fit == "stretch"
    assert "Set `preprocess` in mxnetwork() to change this" in guesses(plan, facts, Options())[0]
    for fit in ("crop", "pad"):
        assert decide(Facts(300, True, fit=fit), Options()).fit == fit


# ---- the head


def test_the_head_takes_every_stage_where_that_is_worth_it() -> None:
    assert decide(Facts(300, True), Options()).head == EVERY_STAGE
    for facts, tune in (
        (Facts(300, True, pretrained=False), "auto"),
        (Facts(300, True, pooled=True), "auto"),
        (Facts(300, True, macs=2_000_000), "all"),
    ):
        assert decide(facts, Options(tune)).head == LAST_FEATURES
    assert decide(Facts(300, True, macs=2_000_000), Options("tail")).head == EVERY_STAGE


@pytest.mark.parametrize("head", [EVERY_STAGE, LAST_FEATURES])
def test_a_head_that_is_asked_for_is_made(head: str) -> None:
    plan = decide(Facts(300, True), Options(head=head))
    assert (plan.head, plan.why["head"]) == (head, "`head` asks for it")
    assert decide(Facts(300, True, pooled=True), Options(head=head)).head == LAST_FEATURES  # which have every stage


def test_a_network_is_light_by_the_size_at_which_it_is_trained() -> None:
    facts = Facts(300, True, macs=20_000_000, size=(224, 224))
    assert decide(facts, Options("all", image_size=112)).head == LAST_FEATURES
    assert decide(facts, Options("all")).head == EVERY_STAGE
