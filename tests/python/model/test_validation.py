"""What a model remembers of its validation: figures, plots and worst images need no images then."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mxtune import Model, mxexample, mximages, mxload, mxtrain, progress
from mxtune.errors import ArgumentError, LabelError, ModelFileError, MxtuneError, PictureWarning
from mxtune.model.validation import Validation

IMAGES = mximages(mxexample("fashion"))


class Heard:
    """A reporter that keeps the sentences."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def event(self, kind: str, **info: Any) -> None:
        if kind == "message":
            self.told.append(info["text"])


def trained(images: Any = IMAGES, **settings: Any) -> Model:
    return mxtrain(images, **{"net": "lenet", "epochs": 2, "verbose": 0, **settings})


@pytest.fixture(scope="module")
def model() -> Model:
    return trained()


@pytest.fixture(scope="module")
def loaded(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Model:
    file = tmp_path_factory.mktemp("models") / "fashion.mxt"
    model.save(file)
    return mxload(file)


def test_all_figures_belong_to_the_one_that_is_printed(model: Model, loaded: Model) -> None:
    for one in (model, loaded):
        counts = one.confusion().to_numpy()
        assert counts.sum() == one.metrics["n"] == len(one.validation)
        assert np.trace(counts) / counts.sum() == pytest.approx(one.metrics["accuracy"])
        classes = one.per_class()
        assert list(classes.columns) == ["level", "n", "precision", "recall", "f1"]
        assert classes["recall"].mean() == pytest.approx(one.metrics["balanced_accuracy"])
        assert len(one.top_losses(n=5)) == 5
        worst = classes.sort_values("recall", kind="stable").iloc[0]
        assert f"  {worst['level']:<24}recall {worst['recall']:.3g} of {worst['n']}, " in one.summary()


def test_the_calibration_belongs_to_it_too(model: Model, loaded: Model) -> None:
    _, validation = IMAGES.split(0.2, seed=0)
    for one in (model, loaded):
        table = one.calibration()
        assert len(table) == 15
        assert table["n"].sum() == one.metrics["n"]
        assert (table["n"] * table["observed"].fillna(0)).sum() / 80 == pytest.approx(one.metrics["accuracy"])
        pd.testing.assert_frame_equal(table, one.calibration(validation))
        axes = one.plot(kind="calibration").axes[0]
        filled = table[table["n"] > 0]
        assert axes.get_title() == f"expected calibration error {table['error'].sum():.3g}, 80 images"
        assert [bar.get_height() for bar in axes.patches] == filled["observed"].tolist()
        assert [text.get_text() for text in axes.texts] == [str(n) for n in filled["n"]]


def test_labels_without_pictures_are_not_passed_over(model: Model) -> None:
    for judge in (model.evaluate, model.confusion, model.calibration, model.top_losses, model.plot):
        with pytest.raises(ArgumentError, match="There is y, but there are no images"):
            judge(y=["bag"] * 80)
    with pytest.raises(MxtuneError, match="There are no images"):
        model.calibration(IMAGES.take([]))
    with pytest.raises(ArgumentError, match="There is label"):
        model.evaluate(label="kind")


def test_it_is_what_evaluating_the_same_pictures_gives(model: Model) -> None:
    _, validation = IMAGES.split(0.2, seed=0)
    assert list(model.validation.names) == validation.names
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.evaluate(validation) == pytest.approx(model.metrics)
    assert model.top_losses()["file"].tolist() == model.top_losses(validation)["file"].tolist()


def test_pictures_that_were_trained_on_are_said(model: Model, loaded: Model) -> None:
    for one in (model, loaded):
        for judge in (one.evaluate, one.confusion, one.top_losses, one.per_class):
            with pytest.warns(PictureWarning, match="320 of 400 images were used to train this model"):
                judge(IMAGES)
    with pytest.warns(PictureWarning, match="used to train"):
        trained(valid=None).evaluate(IMAGES)


def test_the_plot_that_tells_most_comes_first(model: Model, loaded: Model) -> None:
    assert (loaded.default_plot, trained(valid=None).default_plot) == ("confusion", "history")
    assert loaded.plot().axes[0].get_ylabel() == "truth"
    assert loaded.plot("calibration").axes[0].get_ylabel() == "accuracy"  # as in R, and no file of that name
    assert not Path("calibration.png").exists()
    titles = [axes.get_title() for axes in model.plot(kind="top_losses").axes if axes.images]
    name, truth, predicted = titles[0].split("\n")
    assert name.endswith(".png")
    assert truth.startswith("truth: ")
    assert predicted.startswith("predicted: ")
    assert model.plot(kind="history").axes[1].get_ylim()[1] == 1


def test_worst_pictures_are_found_again_or_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = [str(Path(mxexample("fashion"), name)) for name in IMAGES.names]
    labels = [IMAGES.label_of(row) for row in range(len(IMAGES))]
    again = Model.from_bytes(trained(mximages(frame, labels)).to_bytes())
    assert again.plot(kind="top_losses").axes
    monkeypatch.chdir(tmp_path)
    moved = Model.from_bytes(trained().to_bytes())  # names within a folder, which is not here
    with pytest.raises(LabelError, match="not where they were"):
        moved.plot(kind="top_losses")
    assert moved.plot().axes


@pytest.mark.parametrize("task", ["multilabel", "regression", "several numbers"])
def test_other_tasks_remember_too(task: str) -> None:
    images = IMAGES.take(range(0, 400, 5))
    rng = np.random.default_rng(0)
    y: Any = {
        "multilabel": (rng.random((80, 3)) < 0.5).astype(int),
        "regression": rng.random(80) * 1e6,
        "several numbers": rng.random((80, 2)),
    }[task]
    one = Model.from_bytes(trained(mximages(images, y)).to_bytes())
    assert len(one.top_losses(n=4)) == 4
    assert one._task.measure(one.validation.y, one.validation.outputs) == pytest.approx(one.metrics, rel=1e-5)
    table, n = one.calibration(), len(one.validation)
    assert one.plot().axes
    if task == "multilabel":
        assert len(one.per_class()) == 3
        assert table.groupby("level", sort=False)["n"].sum().tolist() == [n] * 3
        assert one.default_plot == "per_class"
        assert len([axes for axes in one.plot(kind="calibration").axes if axes.get_title()]) == 3
    else:
        np.testing.assert_array_equal(table["observed"], np.ravel(one.validation.y, order="F"))
        squares = ((table["observed"] - table["predicted"]) ** 2).to_numpy().reshape(-1, n)
        assert np.sqrt(squares.mean(axis=1)).mean() == pytest.approx(one.metrics["rmse"])
        assert list(dict.fromkeys(table.get("level", []))) == list(one.levels)
        assert one.default_plot == "calibration"
        with pytest.raises(ArgumentError, match="Metrics per class exist for classes"):
            one.per_class()


def test_without_validation_it_is_said() -> None:
    none = Model.from_bytes(trained(valid=None).to_bytes())
    for judge in (none.confusion, none.top_losses, none.per_class, none.calibration, none.validation_images):
        with pytest.raises(LabelError, match="was trained without validation"):
            judge()


def test_the_same_training_gives_the_same_bytes(model: Model) -> None:
    assert trained().to_bytes() == model.to_bytes()


def test_copies_among_the_validation_are_said_with_the_figure_of_the_rest() -> None:
    train, valid = IMAGES.split(0.2, seed=3)
    with pytest.warns(PictureWarning) as caught, progress.using(Heard()) as heard:
        model = trained(train, valid=valid + train.take(range(40)), verbose=None)
    said = [warning.message for warning in caught if "resemble" in str(warning.message)]
    assert len(said) == 1
    assert said[0].message == "40 of 120 validation images resemble images for training."
    alone = model.evaluate(valid)["accuracy"]
    corrected = f"(too optimistic: {alone:.3g} on the 80 that resemble none for training)"
    assert [text.partition(": ")[0] for text in heard.told if corrected in text] == [
        "accuracy on the validation images"
    ]
    assert corrected in repr(model)
    assert corrected in repr(Model.from_bytes(model.to_bytes()))
    with pytest.warns(PictureWarning, match="all of them do"):
        assert "all resemble" in repr(trained(train, valid=train.take(range(40))))


def _changed(**parts: Any) -> dict[str, Any]:
    told = Validation(
        ["a", "b"], [bytes(16), bytes(16)], np.array([0, 1]), np.zeros((2, 2), np.float32), np.array([True, False])
    ).to_dict()
    return {**told, **parts}


def test_what_is_remembered_comes_back() -> None:
    back = Validation.from_dict(_changed(), 2, coded=True)
    assert (list(back.names), back.y.tolist(), back.resembling.tolist()) == (["a", "b"], [0, 1], [True, False])


@pytest.mark.parametrize(
    "parts",
    [
        {"names": ["a"]},
        {"names": [1, 2]},
        {"names": []},
        {"names": "ab"},
        {"outputs": "AAAA"},
        {"outputs": "no base 64"},
        {"y": "AAAAAAAA8D8AAAAAAAAUQA=="},
        {"digests": "AAAA"},
        {"trained": "AAAA"},
        {"trained": 7},
        {"resembling": [9]},
        {"resembling": ["x"]},
    ],
)
def test_a_hostile_memory_is_a_damaged_file(
    parts: dict[str, Any], model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises((ValueError, TypeError, IndexError)):
        Validation.from_dict(_changed(**parts), 2, coded=True)

    told = _changed(**parts)
    monkeypatch.setattr(Validation, "to_dict", lambda _: told)
    with pytest.raises(ModelFileError):
        Model.from_bytes(model.to_bytes())
