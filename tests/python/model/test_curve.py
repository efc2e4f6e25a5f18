"""The learning curve: measured, fitted, told and drawn; what it refuses, and where it warns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mxtune import Model, mxexample, mximages, mxload, mxtrain, tasks
from mxtune.errors import ArgumentError, LabelError, PictureWarning
from mxtune.model.curve import LearningCurve, Point

HEAD: dict[str, Any] = {"tune": "head", "image_size": 48, "verbose": 0}
SIZES = np.asarray([20, 40, 80, 160, 320, 640])


def drawn(accuracy: Any, n: int = 800, models: int = 2, seed: int = 0) -> LearningCurve:
    """A curve of answers that are right as often as is said, of two classes."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    points = []
    for size in SIZES:
        right = rng.random((models, n)) < accuracy(size)
        said = np.where(right, y, 1 - y)
        points.append(Point(float(size), np.eye(2)[said] * 4.0))
    return LearningCurve(tasks.named("classification", ["cat", "dog"]), y, np.zeros(0, np.int64), points, n)


def test_a_power_law_is_found_again() -> None:
    curve = drawn(lambda size: 0.95 - 1.2 * size**-0.45, n=4000, models=8)
    for images in (100, 4000, 8000):
        assert curve.expected(images) == pytest.approx(0.95 - 1.2 * images**-0.45, abs=0.01)
    low, high = curve.interval(8000)
    assert low < curve.expected(8000) < high
    low, high = curve.gain_interval
    assert low < curve.gain < high
    assert curve.gain == pytest.approx(1.2 * (4000**-0.45 - 8000**-0.45), abs=0.005)


def test_what_no_longer_rises_gains_nothing() -> None:
    curve = drawn(lambda _: 0.8)
    assert curve.gain == pytest.approx(0, abs=0.01)
    assert curve.gain_interval[0] < 0.005
    assert not curve.classes["short"].any()


@pytest.fixture(scope="module")
def model() -> Model:
    return mxtrain(mxexample("fashion"), **HEAD)


@pytest.fixture(scope="module")
def curve(model: Model) -> LearningCurve:
    return model.learning_curve()


def test_more_images_are_better_and_the_last_point_is_what_the_folds_said(model: Model, curve: LearningCurve) -> None:
    table = curve.table
    assert list(table.columns) == ["images", "per_class", "accuracy", "lower", "upper", "fitted"]
    assert table["images"].iloc[-1] == 320
    assert table["per_class"].iloc[-1] == 32
    assert table["accuracy"].iloc[-1] == pytest.approx(model.metrics["accuracy"], abs=0.03)
    assert table["accuracy"].iloc[-1] > table["accuracy"].iloc[0] + 0.1
    assert (table["lower"] <= table["accuracy"]).all()
    assert (table["accuracy"] <= table["upper"]).all()
    assert (table["fitted"] - table["accuracy"]).abs().max() < 0.04
    assert curve.n == 400
    assert 0 < curve.gain < 0.06
    assert repr(curve).startswith("<Learning curve: accuracy ")
    assert "with 400 images" in str(curve)


def test_classes_that_are_short_of_images_are_named(fashion: tuple[np.ndarray, np.ndarray]) -> None:
    pixels, names = fashion
    wanted = (("coat", 8), ("dress", 150), ("pullover", 150), ("trouser", 150))
    rows = np.concatenate([np.flatnonzero(names == name)[:n] for name, n in wanted])
    curve = mxtrain(pixels[rows], names[rows], **HEAD).learning_curve()
    classes = curve.classes.set_index("level")
    assert classes.loc["coat", "short"]
    assert not classes.loc["trouser", "short"]
    assert "coat (8: 0" in str(curve)
    assert classes["n"].tolist() == [8, 150, 150, 150]


def test_another_session_remembers_enough(model: Model, curve: LearningCurve, tmp_path: Path) -> None:
    model.save(tmp_path / "m.mxt")
    loaded = mxload(tmp_path / "m.mxt")
    pd.testing.assert_frame_equal(loaded.learning_curve().table, curve.table)
    again = loaded.learning_curve(mxexample("fashion"))
    assert again.table["accuracy"].tolist() == pytest.approx(curve.table["accuracy"].tolist(), abs=0.04)
    loaded.memory = None  # as in a file of an earlier version
    with pytest.raises(LabelError, match="Give labelled images"):
        loaded.learning_curve()


def test_it_is_drawn(model: Model, curve: LearningCurve, tmp_path: Path) -> None:
    curve.plot(tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 5000
    axes = model.plot(kind="learning_curve").axes[0]
    assert axes.get_ylabel() == "accuracy"
    assert axes.texts[1].get_text() == f"800: {curve.expected(800):.3g}"


def test_numbers_and_several_labels_have_curves_of_their_own() -> None:
    images = mximages(mxexample("fashion"))
    brightness = np.asarray([np.asarray(image).mean() for image in images])
    numbers = mxtrain(mximages(images, brightness), **HEAD).learning_curve()
    assert numbers.metric == "rmse"
    assert list(numbers.table.columns) == ["images", "rmse", "lower", "upper", "fitted"]
    assert numbers.table["rmse"].iloc[-1] < numbers.table["rmse"].iloc[0]
    assert numbers.gain < 0
    assert (numbers.table["lower"] <= numbers.table["upper"]).all()
    assert not len(numbers.classes)
    codes = np.asarray(images.y)
    labels = np.column_stack([np.isin(codes, shown) for shown in ((0, 7), (1, 2, 3), (2, 4, 6, 8))])
    several = mxtrain(mximages(images, labels), **HEAD).learning_curve()
    assert several.metric == "f1"
    assert several.classes["n"].tolist() == labels.sum(axis=0).tolist()
    assert several.table["f1"].iloc[-1] > several.table["f1"].iloc[0]


def test_what_it_can_not_do_is_told() -> None:
    images = mximages(mxexample("fashion"))
    few = mxtrain(images.take(range(0, 400, 4)), **HEAD)
    with pytest.raises(ArgumentError, match="too few images for a learning curve"):
        few.learning_curve(images.take(range(0, 400, 27)))
    with pytest.raises(ArgumentError, match="at least 1"):
        few.learning_curve().expected(0)
    with pytest.warns(match="no pretrained"):
        layers = mxtrain(images, net="lenet", epochs=1, verbose=0)
    with pytest.raises(LabelError, match="does not know all the images"):
        layers.learning_curve()
    with pytest.warns(PictureWarning, match=r"Layers were trained on 320 of these 400 images"):
        layers.learning_curve(images)
