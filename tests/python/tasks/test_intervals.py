"""Intervals: how sure a metric is."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from mxtune import tasks
from mxtune.tasks.intervals import measured

RNG = np.random.default_rng(1)
TASK = tasks.named("classification", ["cat", "dog"])


def answers(count: int, accuracy: float) -> tuple[np.ndarray, np.ndarray]:
    y = RNG.integers(0, 2, count)
    right = RNG.random(count) < accuracy
    return y, np.eye(2)[np.where(right, y, 1 - y)].astype(np.float32)


def test_it_holds_the_truth_as_often_as_it_says() -> None:
    held = 0
    for _ in range(60):
        low, high = measured(TASK, *answers(150, 0.8)).interval("accuracy") or (1, 0)
        held += low <= 0.8 <= high
    assert 50 <= held <= 60


def test_more_images_make_it_narrower() -> None:
    widths = [np.ptp(measured(TASK, *answers(count, 0.8)).intervals["accuracy"]) for count in (100, 1600)]
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.4)


def test_images_that_belong_together_tell_less() -> None:
    y, outputs = answers(60, 0.7)
    alone = measured(TASK, y, outputs)
    tenfold = measured(TASK, np.repeat(y, 10), np.repeat(outputs, 10, axis=0), np.repeat(np.arange(60), 10))
    widths = [np.ptp(figures.intervals["accuracy"]) for figures in (alone, tenfold)]
    assert widths[1] == pytest.approx(widths[0], rel=0.15)


def test_it_is_a_dict_and_a_table() -> None:
    figures = measured(TASK, *answers(100, 0.8))
    assert figures == TASK.measure(figures._y, figures._outputs)
    table = figures.frame()
    assert list(table.columns) == ["metric", "estimate", "lower", "upper"]
    assert table["metric"].tolist() == list(figures)
    known = table[table["metric"] != "n"]
    assert ((known["lower"] <= known["estimate"]) & (known["estimate"] <= known["upper"])).all()
    assert pickle.loads(pickle.dumps(figures)).intervals == figures.intervals  # noqa: S301
    assert figures.interval("accuracy") == figures.intervals["accuracy"]


def test_all_right_is_not_certain() -> None:
    y, outputs = answers(20, 1)
    low, high = measured(TASK, y, outputs).intervals["accuracy"]
    assert (round(low, 3), high) == (0.832, 1)
    low, high = measured(TASK, 1 - y, outputs).intervals["accuracy"]
    assert (low, round(high, 3)) == (0, 0.168)
    pairs = measured(TASK, y, outputs, np.arange(20) // 2).intervals["accuracy"]
    assert round(pairs[0], 3) == 0.692


def test_of_nothing_and_of_one_image_there_is_none() -> None:
    assert measured(TASK, *answers(1, 1)).intervals == {}
    assert measured(TASK, np.repeat(0, 9), np.ones((9, 2)), np.zeros(9, int)).intervals == {}


@pytest.mark.filterwarnings("error")
def test_what_few_draws_can_measure_has_none() -> None:
    rare = np.array([0] * 39 + [1])
    known = measured(TASK, rare, np.eye(2)[rare].astype(np.float32)).intervals
    assert "accuracy" in known
    assert "roc_auc" in known  # two draws of three have the one dog
    assert "roc_auc" not in measured(TASK, np.zeros(40, int), np.eye(2)[rare].astype(np.float32)).intervals


def test_other_tasks_have_theirs() -> None:
    truth = RNG.normal(size=200)
    figures = measured(tasks.named("regression"), truth, (truth + RNG.normal(0, 0.5, 200))[:, None])
    assert figures.intervals["rmse"][0] < 0.5 < figures.intervals["rmse"][1]
    labels = (RNG.random((200, 3)) < 0.4).astype(np.float32)
    assert set(measured(tasks.named("multilabel", ["a", "b", "c"]), labels, 4 * labels - 2).intervals) >= {"f1"}
