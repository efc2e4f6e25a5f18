"""Prediction sets: the truth is among them as often as was asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from hearing import listening
from mxtune import Model, mxexample, mximages, mxtrain, tasks
from mxtune.errors import ArgumentError
from mxtune.model.conformal import limits_for
from mxtune.model.validation import Validation
from mxtune.tasks.losses import BinaryCrossEntropy, CrossEntropy

RNG = np.random.default_rng(7)
IMAGES = mximages(mxexample("fashion")).take(range(0, 400, 3))
PIXELS = np.stack([np.asarray(IMAGES.open(row)) for row in range(len(IMAGES))])
CLASSES = tasks.named("classification", list("abcde"))


def remembered(y: np.ndarray, outputs: np.ndarray) -> Validation:
    count = len(y)
    return Validation(["x"] * count, [bytes(16)] * count, y, outputs, np.zeros(count, bool))


def drawn(count: int) -> tuple[np.ndarray, np.ndarray]:
    logits = RNG.normal(0, 1.5, (count, 5))
    return np.array([RNG.choice(5, p=row) for row in CrossEntropy(5).probabilities(logits)]), logits


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
def test_classes_are_covered(level: float) -> None:
    y, logits = drawn(4000)
    limits = limits_for(CLASSES, remembered(*drawn(4000)), level)
    columns = CLASSES.sets(logits, limits, np.ones(4000, bool))
    covered = np.mean([CLASSES.levels[code] in one for code, one in zip(y, columns["pred_set"])])
    assert covered == pytest.approx(level, abs=0.02)
    best = [one[0] for one in columns["pred_set"]]
    assert best == list(columns["pred_class"])


def test_numbers_and_labels_are_covered() -> None:
    number = tasks.named("regression")
    truth, noise = RNG.normal(size=3000), RNG.normal(size=(3000, 1))
    limits = limits_for(number, remembered(truth[:1500], truth[:1500, None] + noise[:1500]), 0.9)
    columns = number.sets(truth[1500:, None] + noise[1500:], limits, np.ones(1500, bool))
    held = (columns["pred_lower"] <= truth[1500:]) & (truth[1500:] <= columns["pred_upper"])
    assert held.mean() == pytest.approx(0.9, abs=0.03)
    labels = tasks.named("multilabel", ["a", "b"])
    logits = RNG.normal(0, 2, (4000, 2))
    y = (RNG.random((4000, 2)) < BinaryCrossEntropy(2).probabilities(logits)).astype(np.float32)
    limits = limits_for(labels, remembered(y[:2000], logits[:2000]), 0.9)
    columns = labels.sets(logits[2000:], limits, np.ones(2000, bool))
    for k, level in enumerate(labels.levels):
        said = pd.array(columns[f"pred_{level}"])
        right = said.isna() | (said.fillna(False).to_numpy(bool) == (y[2000:, k] > 0))
        assert right.mean() == pytest.approx(0.9, abs=0.03)
        assert 0 < said.isna().mean() < 0.6


def test_too_few_images_to_tell_leave_all_open() -> None:
    limits = limits_for(CLASSES, remembered(*drawn(15)), 0.95)
    assert np.isinf(limits).all()
    assert CLASSES.sets(drawn(2)[1], limits, np.ones(2, bool))["pred_set"][0].__len__() == 5


def test_what_resembles_training_does_not_count() -> None:
    y, logits = drawn(400)
    sure = 20 * np.eye(5)[y]
    half = np.arange(400) < 200
    both = Validation(["x"] * 400, [bytes(16)] * 400, y, np.where(half[:, None], sure, logits), half)
    assert limits_for(CLASSES, both, 0.9) == limits_for(CLASSES, remembered(y[200:], logits[200:]), 0.9)


@pytest.fixture(scope="module")
def model() -> Model:
    return mxtrain(IMAGES, tune="head", image_size=48, verbose=0)


def test_a_model_predicts_sets(model: Model) -> None:
    with listening() as said:
        table = model.predict(IMAGES.take(range(20)), type="set", level=0.95)
    assert list(table.columns) == ["file", "pred_class", "pred_set"]
    assert any(text.startswith("Sets that hold the truth of 95 % of images: ") for text in said)
    wide = model.predict(IMAGES.take(range(20)), type="set", level=0.99)["pred_set"].map(len)
    assert (wide >= table["pred_set"].map(len)).all()
    again = Model.from_bytes(model.to_bytes()).predict(IMAGES.take(range(20)), type="set", level=0.95)
    assert again.equals(table)
    limit = limits_for(tasks.named(model.task, model.levels), model.validation, 0.9)[0]
    assert (1 - model.out_of_fold["prob"] <= limit + 1e-9).mean() == pytest.approx(0.9, abs=0.02)


def test_numbers_have_intervals_in_a_model() -> None:
    number = mxtrain(PIXELS, PIXELS.mean(axis=(1, 2)), tune="head", image_size=48, verbose=0)
    table = number.predict(PIXELS[:5], type="set")
    assert list(table.columns) == ["file", "pred", "pred_lower", "pred_upper"]
    assert (table["pred_lower"] < table["pred_upper"]).all()
    assert list(number.out_of_fold.columns) == ["file", "truth", "pred", "fold"]
    with pytest.raises(ArgumentError, match="`abstain` exists for classification only"):
        number.predict(PIXELS[:5], abstain=0.9)


def test_below_a_probability_nothing_is_predicted(model: Model) -> None:
    others = mximages(mxexample("fashion")).take(range(1, 400, 3))
    plain = model.predict(others, type="prob")
    table = model.predict(others, type="prob", abstain=0.9)
    unsure = plain.iloc[:, 2:].max(axis=1) < 0.9
    assert 0 < unsure.sum() < len(others)
    assert table["pred_class"].isna().equals(unsure)
    assert table["abstained"].notna().equals(unsure)
    first = int(np.flatnonzero(unsure)[0])
    expected = f"{plain['pred_class'][first]} {plain.iloc[first, 2:].max():.2f}, below 0.9"
    assert table["abstained"][first] == expected
    assert table["pred_class"][~unsure].equals(plain["pred_class"][~unsure])


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"type": "set", "level": 1}, "`level` must be above 0 and below 1"),
        ({"type": "prob", "level": 0.8}, '`level` is for sets: type = "set"'),
        ({"type": "set", "level": "high"}, "`level` must be above 0 and below 1"),
        ({"abstain": 0}, "`abstain` must be above 0 and below 1"),
        ({"type": "set", "abstain": 0.9}, "`abstain` is for classes and their probabilities"),
    ],
)
def test_wrong_levels_are_refused(model: Model, asked: dict[str, Any], text: str) -> None:
    with pytest.raises(ArgumentError, match=text):
        model.predict(IMAGES.take([0]), **asked)


def test_without_validation_there_are_no_sets() -> None:
    none = mxtrain(IMAGES, tune="head", image_size=48, verbose=0, valid=None)
    with pytest.raises(ArgumentError, match="remembers no images that it was not trained on"):
        none.predict(IMAGES.take([0]), type="set")


def test_a_held_out_part_does_as_well() -> None:
    held = mxtrain(IMAGES, tune="head", image_size=48, verbose=0, valid=0.3)
    assert held.predict(IMAGES.take(range(3)), type="set")["pred_set"].map(len).min() >= 1
