"""`time_budget`: what is cut, what is kept, and that the clock is heeded."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from mxtune import mxexample, mximages, mxnetwork, mxtrain
from mxtune.errors import ArgumentError, TrainingWarning
from mxtune.training import budget as budgets
from mxtune.training.budget import Budget, within
from mxtune.training.options import Options
from mxtune.training.plan import Facts, Plan, decide


def planned(tune: str = "all", images: int = 1000) -> Plan:
    return decide(Facts(images, validated=True), Options(tune=tune))


def of_layers(text: str) -> dict[str, int]:
    """The arguments for layers that a budget tells."""
    return {name: int(value) for name, value in re.findall(r"(epochs|patience) = (\d+)", text)}


def test_a_budget_that_suffices_changes_nothing() -> None:
    plan = within(planned(), 1000, 250, Budget(100_000, rate=100), size_is_free=True)
    assert plan.phases == planned().phases
    assert plan.size == planned().size


def test_epochs_are_cut_first_then_the_phase_then_the_size() -> None:
    few = within(planned(), 1000, 250, Budget(120, rate=100), size_is_free=True)
    none = within(planned(), 1000, 250, Budget(25, rate=100), size_is_free=True)
    small = within(planned(), 1000, 250, Budget(13, rate=100), size_is_free=True)
    assert 0 < few.phases[1].epochs < planned().phases[1].epochs
    assert [phase.name for phase in none.phases] == ["head"]
    assert none.size == planned().size
    assert small.size < planned().size
    by_hand = decide(Facts(1000, validated=True), Options(tune="all", **of_layers(few.why["time_budget"])))
    assert by_hand.phases == few.phases
    assert 'tune = "head", valid = 0.2' in none.why["time_budget"]


def test_a_size_that_the_user_chose_is_kept() -> None:
    with pytest.warns(TrainingWarning, match="too small for 1250 images: the least there is takes about"):
        plan = within(planned(), 1000, 250, Budget(1, rate=100), size_is_free=False)
    assert plan.size == planned().size


def test_a_size_that_the_network_came_with_is_kept() -> None:
    photos = mximages(mxexample("fashion")).take(range(0, 400, 10))
    settings = {"tune": "head", "folds": None, "verbose": 0, "time_budget": 0.01}
    with pytest.warns(TrainingWarning, match="too small for 40 images"):
        first = mxtrain(photos, net=mxnetwork("efficientnet_lite0", image_size=112), **settings)
    assert first.preprocess.size == (112, 112)
    with pytest.warns(TrainingWarning, match="too small for 40 images"):
        assert mxtrain(photos, net=first, **settings).preprocess.size == (112, 112)
    with pytest.warns(TrainingWarning, match="too small for 40 images"):
        assert mxtrain(photos, net="efficientnet_lite0", **settings).preprocess.size == (64, 64)


def test_a_training_says_what_it_took_and_gave_and_how_to_repeat_it() -> None:
    start = time.monotonic()
    model = mxtrain(mxexample("fashion"), time_budget=30, verbose=0)
    assert time.monotonic() - start < 33
    assert list(model.settings["time_budget"]["spent"]) == ["head", "tail"]
    summary = model.summary()
    assert "took        head" in summary
    assert "tail" in summary
    assert "without it: image_size =" in summary
    size, epochs = model.settings["plan"]["size"][0], model.settings["plan"]["phases"][1]["epochs"]
    again = mxtrain(mxexample("fashion"), image_size=size, epochs=epochs, verbose=0)
    assert again.history.equals(model.history)


def test_a_machine_that_becomes_slow_ends_it_early_with_the_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "rate_of", lambda *_: 1e6)
    start = time.monotonic()
    model = mxtrain(mxexample("fashion"), tune="all", epochs=500, time_budget=12, verbose=0)
    assert time.monotonic() - start < 15
    assert model.history["stage"].iloc[0] == "head"
    assert len(model.history) < 500


@pytest.mark.filterwarnings("ignore:lenet has no pretrained weights")
def test_a_network_without_weights_ends_early_with_its_best_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "rate_of", lambda *_: 1e6)
    start = time.monotonic()
    model = mxtrain(mxexample("fashion"), net="lenet", epochs=5000, patience=0, time_budget=2, verbose=0)
    assert time.monotonic() - start < 5
    assert 0 < len(model.history) < 5000


def test_a_checkpoint_is_resumed_by_the_arguments_that_were_chosen(tmp_path: Path) -> None:
    photos = mximages(mxexample("fashion")).take(range(0, 400, 4))
    settings = {"net": "lenet", "epochs": 3, "verbose": 0, "checkpoint": tmp_path / "checkpoint"}

    def stop(epoch: int, _: object) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.warns(TrainingWarning, match="interrupted"):
        first = mxtrain(photos, time_budget=1000, callbacks=stop, **settings)
    side = first.preprocess.size[0]
    whole = mxtrain(photos, image_size=side, resume=True, **settings)
    assert len(first.history) == 2 and len(whole.history) == 3
    assert whole.to_bytes() == mxtrain(photos, image_size=side, **{**settings, "checkpoint": None}).to_bytes()


def test_what_ends_in_the_first_epoch_of_layers_remembers_its_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Budget, "left", property(lambda self: -1 if "head" in self.spent else 1000))
    photos = mximages(mxexample("fashion")).take(range(0, 400, 4))
    model = mxtrain(photos, net="efficientnet_lite0", tune="tail", image_size=32, time_budget=1000, verbose=0)
    assert model.history["stage"].tolist() == ["head"]
    assert list(model.settings["time_budget"]["spent"]) == ["head", "tail"]
    assert len(model.nearest(photos.take([0]), n=2)) == 2


@pytest.mark.parametrize("wrong", [0, -1, "an hour", float("inf"), True])
def test_seconds_are_a_number(wrong: object) -> None:
    with pytest.raises(ArgumentError, match="`time_budget` must be a number of seconds above 0"):
        Options(time_budget=wrong)  # type: ignore[arg-type]


def test_a_span_of_time_is_its_seconds() -> None:
    for span in (timedelta(minutes=2), pd.Timedelta("2min")):
        assert Options(time_budget=span).time_budget == 120
    with pytest.raises(ArgumentError, match="x it is 0"):
        Options(time_budget=timedelta())


def test_folds_in_full_have_no_budget() -> None:
    with pytest.raises(ArgumentError, match="makes six"):
        Options(folds="full", time_budget=9)
