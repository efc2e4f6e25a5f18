"""Callbacks: what may be one, what is told, what a fault of theirs says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mxtune import Callback
from mxtune.errors import ArgumentError, TrainingError
from mxtune.training.callbacks import as_list, notify, told


class Stops(Callback):
    def on_epoch(self, epoch: int, metrics: Any) -> bool:  # noqa: ARG002
        return epoch < 2


def fails(epoch: int, metrics: Any) -> None:  # noqa: ARG001
    raise KeyError("loss")


def test_none_one_and_several_are_a_list() -> None:
    stops = Stops()
    assert as_list(None) == []
    assert as_list(stops) == [stops]
    assert as_list((stops, fails)) == [stops, fails]


def test_what_can_not_watch_is_named() -> None:
    with pytest.raises(ArgumentError, match=r"x 'stop' is neither\nx 3 is neither"):
        as_list([fails, "stop", 3])  # type: ignore[list-item]


@pytest.mark.parametrize(("answer", "goes_on"), [(None, True), (True, True), (0, True), (False, False)])
def test_false_ends_the_training(answer: Any, goes_on: bool) -> None:
    assert notify([lambda *_: answer], "on_epoch", 1, {}) is goes_on


def test_false_of_numpy_is_false() -> None:
    assert not notify([lambda *_: np.bool_(False)], "on_epoch", 1, {})


def test_every_callback_is_told_after_one_has_stopped() -> None:
    seen: list[int] = []
    assert not notify([lambda *_: False, lambda epoch, _: seen.append(epoch)], "on_epoch", 5, {})
    assert seen == [5]


def test_a_fault_names_callback_and_station_and_keeps_its_cause() -> None:
    with pytest.raises(TrainingError) as caught:
        notify([Stops(), fails], "on_epoch", 1, {})
    assert str(caught.value) == "The callback fails failed in on_epoch.\nx KeyError: 'loss'"
    assert isinstance(caught.value.__cause__, KeyError)


def test_functions_hear_of_epochs_only() -> None:
    assert notify([fails], "on_start", {})
    assert notify([fails], "on_end", [])


def test_a_class_is_no_callback_and_is_named() -> None:
    with pytest.raises(ArgumentError, match=r"x Stops is a class: Stops\(\.\.\.\) is a callback"):
        as_list([Stops])  # type: ignore[list-item]


class Opens(Callback):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_start(self, settings: Any) -> None:  # noqa: ARG002
        self.heard.append("start")

    def on_end(self, history: Any) -> None:
        self.heard.append(f"end after {len(history)}")
        raise OSError("the disk is full")


@pytest.mark.parametrize("ended", [KeyboardInterrupt, TrainingError("no loss"), MemoryError])
def test_whatever_ends_a_training_every_callback_is_told_and_that_is_the_error(ended: Any) -> None:
    watching: list[Any] = [Opens(), fails, Opens()]
    history: list[Any] = []
    with pytest.raises(ended if isinstance(ended, type) else type(ended)), told(watching, {}, history):
        history.append({})
        raise ended
    assert watching[0].heard == watching[2].heard == ["start", "end after 1"]
    with pytest.raises(TrainingError, match="Opens failed in on_end"), told(watching, {}, history):
        pass
