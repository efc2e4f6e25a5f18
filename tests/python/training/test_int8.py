"""A head that is trained on features in int8: what it says of itself is what the model does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mxtune import Model, mxexample, mximages, mxload, mxtrain
from mxtune.errors import ArgumentError

pytestmark = [pytest.mark.mxnet, pytest.mark.vnni]

IMAGES = mximages(mxexample("fashion"))
TRAINING, OTHERS = IMAGES.take(range(0, 400, 2)), IMAGES.take(range(1, 400, 2))
SETTINGS = {"net": "efficientnet_lite0", "tune": "head", "image_size": 32, "verbose": 0, "seed": 1, "device": "cpu"}


def train(**settings: object) -> Model:
    return mxtrain(TRAINING, **{**SETTINGS, "engine": "mxnet", "precision": "int8", **settings})


@pytest.fixture(scope="module")
def plain() -> Model:
    return train(precision="float32")


@pytest.fixture(scope="module")
def low() -> Model:
    return train()


def test_it_is_as_good_as_in_float32(plain: Model, low: Model) -> None:
    before, after = plain.evaluate(OTHERS), low.evaluate(OTHERS)
    assert after["accuracy"] >= before["accuracy"] - 0.03
    assert after["log_loss"] <= 1.1 * before["log_loss"]
    assert abs(after.novel - before.novel) <= 0.05
    assert low.metrics["accuracy"] == pytest.approx(plain.metrics["accuracy"], abs=0.05)
    assert low.metrics != plain.metrics
    assert low.settings["int8"] == {"chosen": True, "sample": 128}
    assert "trained in it, with ranges of 128 images" in low.summary()
    assert low.settings["plan"]["precision"] == "int8"


def test_its_metrics_are_those_of_int8() -> None:
    model = train(valid=OTHERS, folds=None)
    found = model.evaluate(OTHERS).figures
    assert {name: found[name] for name in model.metrics} == pytest.approx(model.metrics, rel=1e-5)
    exact = model.on("cpu", "mxnet", "float32").evaluate(OTHERS)
    assert exact["log_loss"] != model.metrics["log_loss"]
    assert exact["log_loss"] < 1.15 * model.metrics["log_loss"]  # the same head, on features that it is used to


def test_its_file_predicts_the_same(low: Model, tmp_path: Path) -> None:
    low.save(tmp_path / "x.mxt")
    expected = low.predict(OTHERS, type="prob", novelty=True)
    for loaded in (mxload(tmp_path / "x.mxt", device="cpu", engine="mxnet"), Model.from_bytes(low.to_bytes())):
        assert loaded.predict(OTHERS, type="prob", novelty=True).equals(expected)


def test_features_in_int8_are_kept_apart_from_those_in_float32(low: Model, plain: Model, tmp_path: Path) -> None:
    for expected, precision in ((plain, "float32"), (low, "int8"), (low, "int8")):
        found = train(precision=precision, cache=tmp_path)
        assert found.to_bytes() == expected.to_bytes()


@pytest.mark.parametrize("settings", [{"tune": "auto"}, {"tune": "tail"}, {"tune": "all"}, {"net": "lenet"}])
def test_layers_are_not_trained_in_int8(settings: dict[str, str]) -> None:
    with pytest.raises(ArgumentError, match="In int8 only the head is trained") as caught:
        train(**settings)
    assert "model.quantize(" in str(caught.value)


def test_regression_in_int8() -> None:
    shades = np.random.default_rng(0).integers(0, 256, 60)
    pictures = np.repeat(shades, 32 * 32 * 3).reshape(60, 32, 32, 3).astype(np.uint8)
    settings = {**SETTINGS, "engine": "mxnet", "precision": "int8", "folds": None, "valid": None}
    model = mxtrain(pictures[:40], 1000.0 + shades[:40], **settings)
    assert model.evaluate(pictures[40:], 1000.0 + shades[40:])["rmse"] < 20
