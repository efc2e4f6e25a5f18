"""`mxtrain`: from images to a model, whatever is asked and whatever goes wrong."""

from __future__ import annotations

import hashlib
import re
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mxtune import Callback, Model, Network, engines, mxexample, mximages, mxload, mxnetwork, mxtrain, progress
from mxtune.errors import (
    ArgumentError,
    CheckpointError,
    LabelError,
    NetworkError,
    PictureError,
    PictureWarning,
    StoreError,
    TrainingError,
    TrainingWarning,
)

IMAGES = mximages(mxexample("fashion"))
TRAIN, TEST = IMAGES.split(0.25, seed=3)
FEW = IMAGES.take(range(0, 400, 6))
PIXELS = np.stack([np.asarray(FEW.open(row)) for row in range(len(FEW))])
BRIGHTNESS = PIXELS.mean(axis=(1, 2))


def quick(x: Any = FEW, y: Any = None, **settings: Any) -> Model:
    """A LeNet from scratch: under a second."""
    return mxtrain(x, y, **{"net": "lenet", "epochs": 2, "verbose": 0, **settings})


def quick_head(x: Any = FEW, y: Any = None, **settings: Any) -> Model:
    """A head on the pretrained network, seen small."""
    return mxtrain(x, y, **{"tune": "head", "image_size": 64, "verbose": 0, **settings})


def digest(model: Model) -> str:
    return hashlib.sha256(model.to_bytes()).hexdigest()


class Told:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def event(self, kind: str, **info: Any) -> None:
        if kind in ("message", "start"):
            self.texts.append(info.get("text") or info["title"])


# ---- what is asked


def test_the_defaults_learn_the_example() -> None:
    told = Told()
    with progress.using(told):
        model = mxtrain(TRAIN)
    assert model.evaluate(TEST)["accuracy"] > 0.75
    assert model.levels == IMAGES.levels
    assert list(model.history["stage"])[:2] == ["head", "tail"]
    assert model.metrics["n"] == 60
    for text in (
        "Your images are small, so they are resized to 96 x 96. Set `image_size` to change this.",
        "Computing features",
        "Training the head",
        "tail 1/",
        "Validating",
    ):
        assert any(text in one for one in told.texts), text


@pytest.mark.parametrize("tune", ["head", "tail", "all"])
def test_each_tune_does_what_it_says(tune: str) -> None:
    model = quick_head(tune=tune, epochs=None if tune == "head" else 1)
    assert list(model.history["stage"]) == (["head"] if tune == "head" else ["head", tune])
    assert list(model.history.columns) == ["stage", "epoch", "train_loss", "valid_loss", "valid_accuracy", "lr"]


@pytest.mark.parametrize("asked", [{"tune": "head"}, {"tune": "auto", "valid": None}])
def test_settings_that_the_head_does_not_use_are_named(asked: dict[str, Any]) -> None:
    layers = {"epochs": 5, "lr": 0.01, "schedule": "constant", "patience": 2, "augment": {"rotate": 20}}
    with pytest.warns(TrainingWarning) as caught:
        model = quick_head(**asked, **layers)
    assert [str(warning.message) for warning in caught] == [
        "Only the head is trained, so these settings have no effect.\n"
        "x epochs\nx lr\nx schedule\nx patience\nx augment\n"
        'i They apply to layers: tune = "tail" or tune = "all".'
    ]
    assert caught[0].filename == __file__
    assert list(model.history["stage"]) == ["head"]


def test_settings_that_are_used_raise_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrainingWarning)
        quick_head(batch_size=16, schedule="cosine", augment="none")
        warnings.filterwarnings("ignore", "lenet has no pretrained weights", TrainingWarning)
        quick(tune="head", lr=0.01, augment="light")  # a network without weights is trained whole


def test_a_network_without_weights_on_few_pictures_says_once_what_to_take_instead() -> None:
    words = (
        "lenet has no pretrained weights, and 54 images are few to learn from.\n"
        'i Use net = "efficientnet_lite0", which has learned from a million images, or open lenet with a file of '
        'weights: mxnetwork("lenet", weights = "...").'
    )
    for net in ("lenet", mxnetwork("lenet")):
        with pytest.warns(TrainingWarning) as caught:
            quick(net=net)
        assert [str(warning.message) for warning in caught] == [words]


def test_a_stage_that_does_not_help_is_said_and_leaves_the_head() -> None:
    told = Told()
    with progress.using(told):
        model = quick_head(tune="tail", lr=0.3, epochs=1, verbose=None)
    tried = next(
        text for text in told.texts if text.startswith("Also tried training the last layers: validation loss ")
    )
    assert tried.endswith("Kept the head's model: the lower validation loss decides.")
    assert ", accuracy " in tried
    head = quick_head(valid=0.2)
    np.testing.assert_array_equal(model.network.params["head_weight"], head.network.params["head_weight"])
    last = quick_head(tune="tail", lr=0.3, epochs=1, restore_best=False)
    assert not np.array_equal(last.network.params["head_weight"], head.network.params["head_weight"])


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    assert digest(quick(seed=1)) == digest(quick(seed=1)) != digest(quick(seed=2))
    assert digest(quick_head(tune="tail", epochs=1)) == digest(quick_head(tune="tail", epochs=1))


@pytest.mark.parametrize("engine", engines.installed())
def test_the_same_bytes_are_asked_for_and_kept(engine: str) -> None:
    asked, plain = (quick(engine=engine, deterministic=way) for way in (True, False))
    assert asked.settings["deterministic"] and "deterministic" not in plain.settings
    assert "seed 0, deterministic" in asked.summary() and "deterministic" not in plain.summary()
    for name, array in plain.network.params.items():  # on a CPU they always are
        assert asked.network.params[name].tobytes() == array.tobytes()
    with pytest.raises(ArgumentError, match="deterministic"):
        quick(deterministic="yes")


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    code = (
        "import hashlib; from mxtune import *;"
        "m = mxtrain(mxexample('fashion'), net='lenet', epochs=2, verbose=0, seed=4);"
        "print(hashlib.sha256(m.to_bytes()).hexdigest())"
    )
    here = digest(quick(mxexample("fashion"), seed=4))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == here


def test_several_labels_a_picture() -> None:
    y = np.stack([np.median(BRIGHTNESS) < BRIGHTNESS, PIXELS[:, :14].mean(axis=(1, 2)) > 80], axis=1)
    model = quick_head(FEW, pd.DataFrame(y, columns=["bright", "top"]), tune="tail", epochs=1)
    assert (model.task, model.levels) == ("multilabel", ("bright", "top"))
    assert model.evaluate(FEW, pd.DataFrame(y, columns=["bright", "top"]))["f1"] > 0.85
    assert "valid_f1" in model.history


def test_classes_may_be_numbered() -> None:
    codes = (np.median(BRIGHTNESS) < BRIGHTNESS).astype(int) + 1
    model = quick_head(FEW, codes, task="classification")
    assert (model.task, model.levels) == ("classification", ("1", "2"))
    assert quick_head(mximages(FEW, codes), task="classification").levels == model.levels


def test_one_number_a_picture() -> None:
    model = quick_head(FEW, BRIGHTNESS, tune="tail", epochs=1)
    assert (model.task, model.levels) == ("regression", ())
    assert model.evaluate(FEW, BRIGHTNESS)["r2"] > 0.8
    assert "valid_rmse" in model.history


def test_several_numbers_a_picture() -> None:
    y = pd.DataFrame({"mean": BRIGHTNESS, "thousandth": BRIGHTNESS / 1000})
    model = quick_head(FEW, y)
    assert model.levels == ("mean", "thousandth")
    said = model.predict(PIXELS)
    assert np.corrcoef(said["pred_mean"], BRIGHTNESS)[0, 1] > 0.9
    assert np.corrcoef(said["pred_thousandth"], BRIGHTNESS)[0, 1] > 0.9


def test_numbers_of_any_unit_are_learned_from_scratch() -> None:
    for unit in (1, 1e4, 1e-4):
        model = quick(FEW, BRIGHTNESS * unit + 3 * unit, epochs=30, augment="none")
        assert model.evaluate(FEW, BRIGHTNESS * unit + 3 * unit)["r2"] > 0.6


def test_a_model_goes_on_with_the_same_and_with_other_levels() -> None:
    first = quick()
    for x in (FEW, FEW.take(np.asarray(FEW.y) < 3)):
        again = mxtrain(mximages(x, [FEW.levels[code] for code in x.y]), net=first, epochs=1, verbose=0)
        assert again.levels == tuple(sorted({FEW.levels[code] for code in x.y}))
        assert again.history["stage"][0] == "head"  # what it learned before counts as learned
        np.testing.assert_array_equal(again.preprocess.size, first.preprocess.size)


def test_a_users_own_network_without_pretraining_is_trained_whole() -> None:
    lenet = mxnetwork("lenet")
    own = Network(lenet.graph, {}, {"name": "mine"}, lenet.preprocess).initialise(5)
    model = mxtrain(FEW, net=own, epochs=1, verbose=0)
    assert model.history["stage"].tolist() == ["all"] and model.network.pretrained
    assert not np.array_equal(model.network.params["conv1_weight"], own.params["conv1_weight"])
    assert Model.from_bytes(model.to_bytes()).network.pretrained


def test_a_model_goes_on_from_its_file(tmp_path: Path) -> None:
    quick().save(tmp_path / "first.mxt")
    model = mxtrain(FEW, net=tmp_path / "first.mxt", tune="head", verbose=0)
    assert model.provenance["source"].startswith("mxtune, from initial values")


def test_a_model_on_every_stage_goes_on_as_it_is() -> None:
    first = quick_head()
    again = mxtrain(FEW, net=first, tune="tail", epochs=1, verbose=0)
    assert again.network.n_parameters == first.network.n_parameters


@pytest.mark.parametrize("tune", ["tail", "all"])
def test_what_is_frozen_stays_byte_for_byte(tune: str) -> None:
    network = mxnetwork("efficientnet_lite0", image_size=64).freeze("stem*").freeze(12)
    model = mxtrain(FEW, net=network, tune=tune, epochs=1, lr=0.01, restore_best=False, verbose=0)
    assert network.frozen
    for name in network.frozen:
        assert model.network.params[name].tobytes() == network.params[name].tobytes(), name
    changed = [name for name in network.trainable if name in model.network.params]
    assert any(not np.array_equal(model.network.params[name], network.params[name]) for name in changed)


@pytest.mark.parametrize("size", [(48, 80), 72])
def test_pictures_may_be_seen_at_any_size(size: Any) -> None:
    model = quick_head(image_size=size, tune="tail", epochs=1)
    assert model.preprocess.size == (size if isinstance(size, tuple) else (size, size))
    assert len(model.predict(FEW.take([0]))) == 1
    assert quick(image_size=size).preprocess.size == model.preprocess.size


def test_a_name_and_a_network_of_that_name_give_the_same_model() -> None:
    by_name = mxtrain(FEW, net="efficientnet_lite0", tune="head", verbose=0)
    told = Told()
    with progress.using(told):
        as_object = mxtrain(FEW, net=mxnetwork("efficientnet_lite0"), tune="head")
    assert digest(as_object) == digest(by_name)
    assert (by_name.preprocess.size, by_name.preprocess.fit) == ((96, 96), "stretch")
    assert any("stretched to 96 x 96, nothing is cut off" in text for text in told.texts)


@pytest.mark.parametrize("chosen", [{"fit": "crop"}, {"fit": "pad"}, {"fit": "crop", "size": (80, 80)}])
def test_preprocessing_that_the_user_chose_counts(chosen: dict[str, Any], tmp_path: Path) -> None:
    network = mxnetwork("efficientnet_lite0", preprocess={"size": (72, 72), **chosen})
    model = mxtrain(FEW, net=network, tune="head", verbose=0)
    assert (model.preprocess.size, model.preprocess.fit) == (chosen.get("size", (72, 72)), chosen["fit"])
    model.save(tmp_path / "model.mxt")
    for net in (model, model.network, tmp_path / "model.mxt"):
        assert mxtrain(FEW, net=net, tune="head", verbose=0).preprocess == model.preprocess


def test_a_size_that_is_the_networks_own_can_be_chosen() -> None:
    model = mxtrain(FEW.take(range(12)), net=mxnetwork("efficientnet_lite0", image_size=224), tune="head", verbose=0)
    assert model.preprocess.size == (224, 224)


def test_the_plan_is_kept_with_its_reasons_and_told(tmp_path: Path) -> None:
    quick_head(tune="tail", epochs=1).save(tmp_path / "model.mxt")
    model = mxload(tmp_path / "model.mxt")
    plan = model.settings["plan"]
    assert [phase["name"] for phase in plan["phases"]] == ["head", "tail"]
    for name, why in plan["why"].items():
        assert f"{name} " in model.summary()
        assert why in model.summary()


def test_a_lenet_takes_colour_pictures() -> None:
    colour = np.repeat(PIXELS[..., np.newaxis], 3, axis=3) // np.array([1, 2, 3], dtype=np.uint8)
    model = quick(colour, [FEW.levels[code] for code in FEW.y])
    assert model.preprocess.channels == 3
    assert model.predict(PIXELS).shape == (67, 2)


# ---- validation


def test_without_validation_the_last_epoch_counts() -> None:
    for valid in (None, 0, False):
        model = quick(valid=valid)
        assert list(model.history.columns) == ["stage", "epoch", "train_loss", "lr"]
        assert (len(model.history), model.metrics) == (2, {})
        assert "validated on 0" in model.summary()
    with pytest.raises(LabelError, match="trained without validation"):
        model.evaluate()


@pytest.mark.filterwarnings("ignore::mxtune.errors.PictureWarning")
def test_validation_may_be_pictures_kept_aside() -> None:
    some = TEST.take(np.asarray(TEST.y) < 4)
    fewer = mximages(some, [some.levels[code] for code in some.y])
    assert fewer.levels != IMAGES.levels
    for valid in (TEST, fewer, mxexample("fashion")):
        model = quick(valid=valid)
        assert model.metrics["n"] == (400 if isinstance(valid, (str, Path)) else len(valid))
    assert quick(valid=fewer).metrics == pytest.approx(quick(valid=some).metrics)


def test_pictures_in_both_sets_are_named_at_the_users_line() -> None:
    with pytest.warns(PictureWarning, match="67 of the validation images are also") as caught:
        quick(valid=FEW)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("valid", [1, 1.5, -0.1, float("nan"), True])
def test_a_share_of_no_use_is_said(valid: Any) -> None:
    with pytest.raises(ArgumentError, match="`valid` must be a share"):
        quick(valid=valid)


# ---- odd images


@pytest.mark.filterwarnings("ignore::mxtune.errors.LabelWarning")
def test_no_labels_one_class_one_number() -> None:
    with pytest.raises(LabelError, match="have no labels"):
        quick(PIXELS)
    with pytest.raises(LabelError, match='All images have the same label, "cat"'):
        quick(PIXELS, ["cat"] * 67)
    with pytest.raises(LabelError, match='All images have the same label, "cat"'):
        quick(PIXELS[:1], ["cat"])
    with pytest.raises(LabelError, match='All images have the same label, "cat"'):
        quick(mximages(PIXELS, ["cat"] * 67, levels=["cat", "dog"]))
    with pytest.raises(LabelError, match="the same target value"):
        quick(PIXELS, [3.5] * 67)
    with pytest.raises(PictureError, match="There are no images to learn from"):
        quick(mximages(PIXELS, ["cat", *["dog"] * 66]).take([]))


@pytest.mark.filterwarnings("ignore::mxtune.errors.LabelWarning")
@pytest.mark.parametrize("how", [quick, quick_head])
def test_two_pictures_of_two_classes(how: Any) -> None:
    model = how(PIXELS[[0, 40]], ["a", "b"])
    assert model.metrics == {}
    assert set(model.predict(PIXELS[[0, 40]])["pred_class"]) <= {"a", "b"}


@pytest.mark.filterwarnings("ignore::mxtune.errors.LabelWarning")
@pytest.mark.parametrize("how", [quick, quick_head])
def test_a_class_of_one_picture_and_more_classes_than_a_batch(how: Any) -> None:
    y = [f"class {row % 40:02}" for row in range(66)] + ["alone"]
    model = how(PIXELS, y, batch_size=8)
    assert len(model.levels) == 41
    assert np.isfinite(model.metrics["log_loss"])


@pytest.mark.filterwarnings("ignore::mxtune.errors.LabelWarning")
def test_one_picture_of_several_labels_and_of_one_label() -> None:
    model = quick_head(PIXELS[:1], np.array([[1, 0]]))
    assert np.isfinite(model.predict(PIXELS[:2], type="prob").iloc[:, 1:].to_numpy()).all()


@pytest.mark.parametrize("batch_size", [1, 7, 10_000])
def test_any_size_of_batch_learns(batch_size: int) -> None:
    model = quick(FEW.take(range(0, 67, 3)), batch_size=batch_size)
    assert np.isfinite(model.history["train_loss"]).all()


def test_a_disk_or_pictures_that_go_away_cost_no_model(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    def removes(epoch: int, _: Any) -> None:
        if epoch == 2:
            shutil.rmtree(tmp_path / "folder")

    with pytest.raises(TrainingError, match=r"could not continue. Can't write the checkpoint ") as caught:
        quick(epochs=3, callbacks=removes, checkpoint=tmp_path / "folder" / "training.ckpt")
    assert isinstance(caught.value.__cause__, StoreError)
    assert caught.value.model is not None
    assert len(caught.value.model.predict(FEW)) == 67


def test_validation_pictures_are_decoded_once(tmp_path: Path) -> None:
    """They go away when their features are there: what is measured at the end needs no file."""
    for number in range(12):
        place = tmp_path / ("train" if number < 8 else "valid") / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        picture = Image.new("RGB", (1200, 1200), (20 * number, 9, 90 * (number % 2)))  # an ImageSet keeps none so large
        picture.save(place / f"{number}.png")

    def removes(*_: Any) -> None:
        shutil.rmtree(tmp_path / "valid")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = quick_head(tmp_path / "train", valid=tmp_path / "valid", callbacks=removes)
    assert model.metrics["n"] == 4


# ---- class weights


def test_class_weights_are_kept_in_the_order_of_the_levels() -> None:
    lopsided = FEW.take([*range(40), *range(50, 67)])
    counts = np.bincount(lopsided.y, minlength=10)
    found = quick(lopsided, class_weights="balanced", valid=None).settings["class_weights"]
    assert found == pytest.approx([57 / (10 * max(1, count)) for count in counts])
    some = quick(class_weights={"coat": 2, "bag": 0.5}).settings["class_weights"]
    assert [some[FEW.levels.index(level)] for level in ("coat", "bag", "dress")] == [2, 0.5, 1]
    assert quick(class_weights=np.ones(10)).settings["class_weights"] == [1.0] * 10


def test_a_class_that_counts_more_is_found_more_often() -> None:
    plain, weighted = quick_head(), quick_head(class_weights={"shirt": 50})
    said = [(model.predict(TEST)["pred_class"] == "shirt").sum() for model in (plain, weighted)]
    assert said[1] > said[0]


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ("heavy", 'must be "balanced" or numbers'),
        ({"hat": 1}, "contains unknown classes.\nx hat"),
        ([1, 2], "must be 10 non-negative numbers"),
        ([-1] * 10, "must be 10 non-negative numbers"),
        ([0] * 10, "not all 0"),
        ({"coat": "much"}, "must be 10 non-negative numbers"),
        ([np.nan] * 10, "must be 10 non-negative numbers"),
        (3, "must be 10 non-negative numbers"),
    ],
)
def test_class_weights_of_no_use_are_said(weights: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        quick(class_weights=weights)


def test_class_weights_are_for_classes() -> None:
    with pytest.raises(ArgumentError, match="apply to classification"):
        quick(FEW, BRIGHTNESS, class_weights="balanced")


# ---- arguments of no use


@pytest.mark.parametrize(
    "settings",
    [
        {"seed": -1}, {"seed": 1.5}, {"seed": "a"}, {"seed": float("nan")}, {"seed": 2**31}, {"seed": True},
        {"precision": "float16"}, {"resume": True}, {"net": 3}, {"net": None}, {"callbacks": "stop"},
        {"image_size": 0}, {"image_size": (1, 2, 3)}, {"image_size": "big"}, {"augment": "heavy"}, {"tune": "body"},
        {"checkpoint": "no/such/folder/x"}, {"cache": __file__},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.filterwarnings("error")
def test_arguments_of_no_use_are_one_clear_error(settings: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError):
        quick_head(**settings)


@pytest.mark.parametrize("net", ["efficientnet", "weights.params", "no/such-symbol.json", "lenett"])
def test_a_network_that_is_not_there_is_named(net: str) -> None:
    with pytest.raises(NetworkError, match=re.escape(Path(net).name)):
        quick(net=net)


def test_a_network_whose_layers_need_their_size_says_so() -> None:
    with pytest.raises(NetworkError):
        quick(net=mxnetwork("lenet", classes=10), image_size=40)


def test_numbers_of_r_and_numpy_are_numbers(tmp_path: Path) -> None:
    model = quick(epochs=np.float64(1), lr=np.float32(0.001), batch_size=8.0, seed=np.int64(3), patience=2.0)
    model.save(tmp_path / "model.mxt")
    assert mxload(tmp_path / "model.mxt").settings == model.settings


# ---- what goes wrong


def test_a_loss_that_is_no_number_keeps_the_head() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TrainingError, match=r"Use a lower learning rate than lr = 1e\+30") as caught:
            quick_head(tune="tail", lr=1e30, epochs=3)
    assert str(caught.value).endswith("This error's `model` is the best model so far.")
    model = caught.value.model
    assert model is not None
    head = quick_head(valid=0.2)
    assert model.predict(TEST).equals(head.predict(TEST))


def test_a_loss_that_is_no_number_from_the_start_leaves_no_model() -> None:
    with pytest.raises(TrainingError) as caught:
        quick(lr=1e30, epochs=3, valid=None)
    assert caught.value.model is None


class Watches(Callback):
    def __init__(self, stop: int = 99, fail: str = "") -> None:
        self.told: list[str] = []
        self._stop, self._fail = stop, fail

    def _hear(self, station: str) -> None:
        self.told.append(station)
        if station == self._fail:
            raise RuntimeError("the watcher fell")

    def on_start(self, settings: Any) -> None:
        assert settings["seed"] == 0
        self._hear("start")

    def on_epoch(self, epoch: int, metrics: Any) -> bool:
        metrics["train_loss"] = -1  # what a callback does to its row is its own affair
        self._hear(f"epoch {epoch}")
        return epoch < self._stop

    def on_end(self, history: Any) -> None:
        assert history[0]["train_loss"] > 0
        self._hear("end")


def test_a_callback_hears_all_and_may_end_it() -> None:
    watches = Watches(stop=2)
    model = quick(epochs=5, callbacks=watches)
    assert watches.told == ["start", "epoch 1", "epoch 2", "end"]
    assert len(model.history) == 2
    assert len(quick_head(tune="tail", callbacks=lambda *_: False).history) == 1


@pytest.mark.parametrize(("fail", "epochs"), [("start", None), ("epoch 1", 1), ("epoch 2", 2), ("end", 3)])
def test_a_callback_that_fails_is_named_and_costs_no_model(fail: str, epochs: Any) -> None:
    station = "on_" + fail.split(maxsplit=1)[0]
    with pytest.raises(TrainingError, match=f"The callback Watches failed in {station}.\nx RuntimeError") as caught:
        quick(epochs=3, callbacks=[Watches(fail=fail)])
    assert isinstance(caught.value.__cause__, RuntimeError)
    model = caught.value.model
    assert (model if epochs is None else len(model.history)) == epochs  # type: ignore[union-attr]


def test_patience_ends_a_stage() -> None:
    assert len(quick(epochs=40, lr=0.1, patience=2).history) < 40


# ---- checkpoints

BROKEN = """
import sys, time
from mxtune import *
def slow(epoch, metrics):
    print(metrics["stage"], epoch, flush=True)
    time.sleep(0.3)
mxtrain(mximages(mxexample("fashion")).take(range(0, 400, 6)), callbacks=slow, verbose=0, **{settings})
"""


def killed(settings: dict[str, Any], after: str) -> None:
    """Train in another process, and kill it when it has said so."""
    with subprocess.Popen(
        [sys.executable, "-c", BROKEN.replace("{settings}", repr(settings))], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == after:
                time.sleep(0.15)
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL


SCRATCH = {"net": "lenet", "epochs": 5, "lr": 0.003}
TAIL = {"tune": "tail", "image_size": 48, "epochs": 2}
CASES = [
    ({**SCRATCH, "restore_best": False, "valid": None}, "all 3"),
    (TAIL, "tail 1"),
    ({**TAIL, "lr": 0.3, "patience": 1}, "tail 1"),
]


@pytest.mark.parametrize(("settings", "after"), CASES)
def test_a_killed_run_goes_on_to_the_same_bytes(settings: dict[str, Any], after: str, tmp_path: Path) -> None:
    file = str(tmp_path / "training.ckpt")
    killed({**settings, "checkpoint": file}, after)
    resumed = mxtrain(FEW, checkpoint=file, resume=True, verbose=0, **settings)
    assert digest(resumed) == digest(mxtrain(FEW, verbose=0, **settings))


def test_a_finished_run_is_given_back_at_once(tmp_path: Path) -> None:
    file = tmp_path / "training.ckpt"
    model = quick_head(tune="tail", epochs=1, checkpoint=file)
    told = Told()
    with progress.using(told):
        again = quick_head(tune="tail", epochs=1, checkpoint=file, resume=True, verbose=None)
    assert digest(again) == digest(model)
    assert not any(text.startswith("tail") for text in told.texts)


def test_a_run_that_a_callback_ended_stays_ended(tmp_path: Path) -> None:
    file = tmp_path / "training.ckpt"
    model = quick(epochs=5, checkpoint=file, callbacks=lambda epoch, _: epoch < 2)
    assert digest(quick(epochs=5, checkpoint=file, resume=True)) == digest(model)


def test_resuming_before_there_is_anything_starts(tmp_path: Path) -> None:
    assert digest(quick(checkpoint=tmp_path / "new", resume=True)) == digest(quick())


def test_a_checkpoint_of_other_pictures_network_or_settings_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "training.ckpt"
    net = mxnetwork("efficientnet_lite0", image_size=64)
    mxtrain(FEW, net=net, tune="head", checkpoint=file, verbose=0)
    others: list[tuple[str, dict[str, Any]]] = [
        ("pictures", {"x": FEW.take(range(60))}),
        ("pictures", {"x": mximages(FEW, [FEW.levels[9 - code] for code in FEW.y])}),
        ("settings", {"seed": 1}),
        ("settings", {"tune": "tail"}),
        ("network", {"image_size": 96}),
        ("network", {"net": net.freeze("stem*")}),
    ]
    for what, change in others:
        settings = {"x": FEW, "net": net, "tune": "head", "verbose": 0, **change}
        with pytest.raises(CheckpointError, match=f"x different {what}"):
            mxtrain(**settings, checkpoint=file, resume=True)


def test_features_kept_on_disk_give_the_same_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = quick_head(tune="tail", epochs=1, cache=False)
    monkeypatch.setenv("MXTUNE_CACHE", str(tmp_path))
    for _ in range(2):
        assert digest(quick_head(tune="tail", epochs=1)) == digest(plain)
        assert len(list((tmp_path / "features").glob("*.rows"))) == 2


def test_decoded_images_kept_on_disk_give_the_same_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mxtune.images.loader.KEPT_BYTES", 1000)
    monkeypatch.setattr("mxtune.images.decoded.PER_FILE", 100_000)
    monkeypatch.setenv("MXTUNE_CACHE", str(tmp_path))
    settings = {"tune": "tail", "epochs": 2, "image_size": 48}
    plain = quick_head(**settings, cache=False)
    assert not list(tmp_path.iterdir())
    assert digest(quick_head(**settings)) == digest(plain)
    kept = {*tmp_path.rglob("*.pixels")}
    assert kept
    assert digest(quick_head(**settings)) == digest(plain)
    assert {*tmp_path.rglob("*.pixels")} == kept


FILES = [str(Path(mxexample("fashion")) / name) for name in FEW.names]


def test_a_second_training_decodes_no_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mxtune.images.pixels.LEAST", 0)  # these files are small
    settings = {"x": FILES, "y": [FEW.label_of(row) for row in range(len(FEW))], "seed": 1}
    plain = quick_head(**settings, cache=False)
    assert digest(quick_head(**settings, cache=tmp_path)) == digest(plain)
    with monkeypatch.context() as patch:
        patch.setattr("mxtune.images.pixels.read", None)
        assert digest(quick_head(**settings, cache=tmp_path)) == digest(plain)


PARTS = ((["train"] * 6 + ["valid"] * 2 + ["test"] * 2) * 7)[: len(FEW)]
TABLE = pd.DataFrame({"image": FILES, "kind": [FEW.label_of(row) for row in range(len(FEW))], "part": PARTS})


def test_each_part_is_used_for_what_it_is_for(tmp_path: Path) -> None:
    TABLE.to_csv(tmp_path / "labels.csv", index=False)
    told = Told()
    with progress.using(told):
        model = mxtrain(tmp_path / "labels.csv", split="part", net="lenet", epochs=1)
    assert "Of 67 images 42 for training, 13 for validation, 12 for test." in told.texts
    images = mximages(TABLE, split="part")
    assert model.validation.names == images.part("validation").names
    assert model.validation.trained == {content[:8] for content in images.part("training").hashes}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # none of them was trained on
        figures = model.evaluate(tmp_path / "labels.csv", split="part")
    assert figures == model.evaluate(images.part("test")) == model.evaluate(TABLE[TABLE.part == "test"], label="kind")
    assert figures["n"] == 12
    assert (
        model.confusion(TABLE, split="part").to_numpy().sum() == model.per_class(TABLE, split="part")["n"].sum() == 12
    )
    assert set(model.top_losses(TABLE, split="part", n=99)["file"]) == set(images.part("test").names)
    assert digest(quick(images, epochs=1)) == digest(quick(TABLE, split=PARTS, epochs=1, label="kind"))


def test_parts_without_validation_leave_it_to_valid() -> None:
    frame = TABLE[TABLE.part != "valid"]
    told = Told()
    with progress.using(told):
        model = mxtrain(frame, split="part", net="lenet", epochs=1)
    assert "Of the 42 images for training 8 are kept for validation." in told.texts
    assert set(model.validation.names) < set(frame.image[frame.part == "train"])
    assert not quick(frame, split="part", epochs=1, valid=None).metrics
    aside = TABLE[TABLE.part == "valid"].drop(columns="part")
    assert quick(frame, split="part", epochs=1, valid=aside).validation.names == aside.image.tolist()


@pytest.mark.parametrize("valid", [0.1, None, TABLE.drop(columns="part")])
def test_validation_that_is_told_twice_is_refused(valid: Any) -> None:
    with pytest.raises(ArgumentError, match="given twice: by `split` and by `valid`"):
        quick(TABLE, split="part", valid=valid)


def test_without_any_image_for_training_there_is_none() -> None:
    with pytest.raises(LabelError, match="No image is for training"):
        quick(mximages(TABLE, split="part").part("test"))


def test_a_model_takes_paths_from_the_column_that_it_was_trained_with() -> None:
    frame = TABLE.assign(file=list(reversed(FILES)))
    model = quick(frame, path="image", label="kind", epochs=1)
    for again in (model, Model.from_bytes(model.to_bytes())):
        assert again.predict(frame)["file"].tolist() == FILES
        assert again.predict(frame, path="file")["file"].tolist() == FILES[::-1]
        assert again.predict(frame.drop(columns="image"))["file"].tolist() == FILES[::-1]
        assert again.predict(FILES[0])["file"].tolist() == FILES[:1]
        assert again.predict(FEW)["file"].tolist() == FEW.names
    with pytest.warns(PictureWarning, match="used to train"):
        assert model.evaluate(frame, label="kind") == model.evaluate(FEW)
    assert "path" not in quick(FEW, epochs=1).settings
