"""Folds: each image is predicted by a model that has not seen it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hearing import listening
from mxtune import Model, mxexample, mximages, mxtrain, progress
from mxtune.errors import ArgumentError, LabelError, TrainingWarning
from mxtune.images.split import fold_numbers
from mxtune.tasks.losses import CrossEntropy, SquaredError
from mxtune.training.folds import Folds, fit_folds
from mxtune.training.head import PENALTIES, fit_head

IMAGES = mximages(mxexample("fashion")).take(range(0, 400, 3))
RNG = np.random.default_rng(3)
FEATURES = RNG.normal(size=(120, 30)).astype(np.float32)
CODES = (FEATURES[:, :3] + RNG.normal(0, 0.5, (120, 3))).argmax(axis=1)
NUMBERS = FEATURES[:, :2].sum(axis=1, keepdims=True).astype(np.float64) + RNG.normal(0, 0.3, (120, 1))


def trained(x: Any = IMAGES, y: Any = None, **settings: Any) -> Model:
    return mxtrain(x, y, **{"tune": "head", "image_size": 48, "verbose": 0, **settings})


@pytest.fixture(scope="module")
def model() -> Model:
    return trained()


def folds(strata: np.ndarray, count: int = 5, groups: Any = None) -> Folds:
    return Folds(count, 0, strata, list(range(len(strata))) if groups is None else groups, True)


# ---- who is in which


def test_each_class_is_spread_evenly_and_a_seed_gives_the_same() -> None:
    strata = RNG.integers(0, 4, 203)
    fold = fold_numbers(strata, range(203), 5, seed=1)
    for code in range(4):
        counts = np.bincount(fold[strata == code], minlength=5)
        assert counts.max() - counts.min() <= 1
    assert np.ptp(np.bincount(fold)) <= 4
    assert np.array_equal(fold, fold_numbers(strata, range(203), 5, seed=1))
    assert not np.array_equal(fold, fold_numbers(strata, range(203), 5, seed=2))


def test_each_label_is_spread_evenly() -> None:
    labels = RNG.random((300, 4)) < [0.5, 0.2, 0.1, 0.05]
    fold = fold_numbers(labels, range(300), 3, seed=0)
    shares = np.array([labels[fold == one].mean(axis=0) for one in range(3)])
    assert np.ptp(shares, axis=0).max() < 0.12


def test_groups_stay_whole() -> None:
    groups = RNG.integers(0, 30, 200)
    fold = fold_numbers(groups % 2, groups.tolist(), 4, seed=0)
    assert all(len(set(fold[groups == one])) == 1 for one in set(groups.tolist()))
    assert np.bincount(fold).min() > 25


def test_an_image_alone_in_its_class_is_not_tested() -> None:
    strata = np.array([0, 1] * 20 + [2])
    assert folds(strata).numbers().tolist().count(-1) == 1
    assert folds(strata).numbers()[-1] == -1


# ---- what is said of them


@pytest.mark.parametrize(("targets", "loss", "outputs"), [(CODES, CrossEntropy(3), 3), (NUMBERS, None, 1)])
def test_the_final_head_is_that_of_all_images(targets: np.ndarray, loss: Any, outputs: int) -> None:
    loss = loss or SquaredError.of(targets)
    found = fit_folds(FEATURES.copy(), targets, loss, outputs, folds(CODES))
    alone, _ = fit_head(FEATURES.copy(), targets, loss, outputs, None, (found.head.penalty,))
    if found.head.penalty == 0.1:  # the one without validation
        np.testing.assert_allclose(found.head.weight, alone.weight, atol=2e-3)
    assert found.head.penalty in PENALTIES
    assert found.outputs is not None
    assert np.isfinite(found.outputs).all()


def test_what_is_said_of_a_fold_depends_on_none_of_its_labels() -> None:
    """Neither by a head nor by its penalty: the folds are nested."""
    loss = SquaredError.of(NUMBERS)
    found = fit_folds(FEATURES.copy(), NUMBERS, loss, 1, folds(CODES))
    for one in range(5):
        held_out = found.fold == one
        other = np.where(held_out[:, None], RNG.permutation(NUMBERS) * 9, NUMBERS)
        again = fit_folds(FEATURES.copy(), other, loss, 1, folds(CODES))
        assert found.outputs is not None
        assert again.outputs is not None
        np.testing.assert_allclose(again.outputs[held_out], found.outputs[held_out], atol=2e-3)
        assert not np.allclose(again.outputs[~held_out], found.outputs[~held_out], atol=0.05)


def test_heads_out_of_fold_are_those_of_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    found = fit_folds(FEATURES.copy(), CODES, CrossEntropy(3), 3, folds(CODES), penalties=(0.1,))
    assert found.outputs is not None
    z = (FEATURES - FEATURES.mean(axis=0)) / FEATURES.std(axis=0)
    for one in range(5):
        seen = found.fold != one
        theirs = LogisticRegression(C=1 / (seen.sum() * 0.1), tol=1e-8, max_iter=2000).fit(z[seen], CODES[seen])
        ours = CrossEntropy(3).probabilities(found.outputs[~seen] * found.temperature)
        if found.temperature == 1:
            np.testing.assert_allclose(ours, theirs.predict_proba(z[~seen]), atol=5e-3)
        assert (ours.argmax(axis=1) == theirs.predict(z[~seen])).all()


def test_heads_of_many_images_are_those_of_scikit_learn() -> None:
    """More than span the axes: they are solved on all features."""
    from sklearn.linear_model import LogisticRegression

    many = RNG.normal(size=(1300, 560)).astype(np.float32)
    codes = (many[:, :3] + RNG.normal(0, 0.5, (1300, 3))).argmax(axis=1)
    found = fit_folds(many.copy(), codes, CrossEntropy(3), 3, folds(codes), penalties=(0.1,))
    assert found.outputs is not None
    z, seen = (many - many.mean(axis=0)) / many.std(axis=0), found.fold != 2
    theirs = LogisticRegression(C=1 / (seen.sum() * 0.1), tol=1e-6, max_iter=500).fit(z[seen], codes[seen])
    ours = CrossEntropy(3).probabilities(found.outputs[~seen] * found.temperature)
    np.testing.assert_allclose(ours, theirs.predict_proba(z[~seen]), atol=0.02)
    assert np.abs(ours - theirs.predict_proba(z[~seen])).mean() < 0.004


def test_folds_are_made_where_the_model_can_remember_them() -> None:
    assert Folds(5, 0, np.arange(60_000) % 10, list(range(60_000)), True).are_worthwhile
    assert not Folds(5, 0, np.arange(60_000) % 100, list(range(60_000)), True).are_worthwhile
    assert not Folds(5, 0, np.arange(19) % 2, list(range(19)), True).are_worthwhile


def test_noise_is_not_predicted_out_of_fold() -> None:
    """A head that had seen an image would know its label."""
    noise = RNG.integers(0, 3, 120)
    found = fit_folds(FEATURES.copy(), noise, CrossEntropy(3), 3, folds(noise))
    assert found.outputs is not None
    assert (found.outputs.argmax(axis=1) == noise).mean() < 0.5


def test_near_copies_by_features_are_in_one_fold() -> None:
    wide = RNG.normal(size=(200, 60)).astype(np.float32)
    copies = wide[:8] + RNG.normal(0, 0.05, (8, 60)).astype(np.float32)
    codes = RNG.integers(0, 2, 208)
    with listening() as said:
        found = fit_folds(np.concatenate([wide, copies]), codes, CrossEntropy(2), 2, folds(codes))
    assert found.fold[:8].tolist() == found.fold[200:].tolist()
    assert "16 images look nearly the same to the network as others: each is in one fold with them." in said


class Interrupts:
    def __init__(self, after: int) -> None:
        self.left = after

    def event(self, kind: str, **info: Any) -> None:  # noqa: ARG002
        self.left -= kind == "advance"
        if kind == "advance" and self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("after", [5, 30])
def test_ctrl_c_gives_a_head_and_no_figures(after: int) -> None:
    with progress.using(Interrupts(after)):
        found = fit_folds(FEATURES.copy(), CODES, CrossEntropy(3), 3, folds(CODES))
    assert found.head.interrupted
    assert found.outputs is None
    assert found.arrays() == {}
    answers = FEATURES @ found.head.weight.T + found.head.bias
    assert (answers.argmax(axis=1) == CODES).mean() > 0.5


# ---- in a model


def test_a_head_is_judged_by_folds_and_learns_from_all_images(model: Model) -> None:
    assert model.settings["pictures"] == {**model.settings["pictures"], "training": len(IMAGES), "folds": 5}
    table = model.out_of_fold
    assert list(table.columns) == ["file", "truth", "pred_class", "prob", "pred_prob", "fold"]
    assert sorted(table["file"]) == sorted(IMAGES.names)
    assert set(table["fold"]) == {1, 2, 3, 4, 5}
    accuracy = (table["truth"].astype(str) == table["pred_class"].astype(str)).mean()
    assert model.metrics["accuracy"] == model.evaluate()["accuracy"] == accuracy
    assert f"on {len(IMAGES)} images out of fold" in repr(model)
    assert "validated out of 5 folds" in model.summary()
    assert model.history["valid_accuracy"][0] == pytest.approx(accuracy)
    assert int(model.confusion().to_numpy().sum()) == len(IMAGES)


def test_it_is_all_kept(model: Model) -> None:
    again = Model.from_bytes(model.to_bytes())
    assert again.out_of_fold.equals(model.out_of_fold)
    assert again.evaluate().intervals == model.evaluate().intervals
    assert trained().to_bytes() == model.to_bytes()


def test_groups_are_never_on_both_sides() -> None:
    groups = [str(row % 30) for row in range(len(IMAGES))]
    model = trained(IMAGES.grouped(groups), folds=3)
    table = model.out_of_fold.assign(group=groups)
    assert table.groupby("group")["fold"].nunique().max() == 1
    again = Model.from_bytes(model.to_bytes())
    assert again.evaluate().intervals == model.evaluate().intervals
    assert len(set(again.validation.group.tolist())) <= 30


def test_what_is_asked_for_is_done() -> None:
    held = trained(valid=0.2)
    assert len(held.validation) < len(IMAGES) / 3
    assert trained(folds=None).to_bytes() == held.to_bytes()
    assert not len(trained(valid=None).validation)
    auto = mxtrain(IMAGES, image_size=48, verbose=0, folds=4)
    assert list(auto.history["stage"]) == ["head"]
    assert set(auto.out_of_fold["fold"]) == {1, 2, 3, 4}
    with pytest.raises(LabelError, match="has no predictions out of fold"):
        _ = held.out_of_fold


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"folds": 2}, "a number from 3 to 20"),
        ({"folds": "many"}, "it is 'many'"),
        ({"folds": True}, "it is True"),
        ({"folds": 5, "valid": 0.2}, "The folds are the validation"),
        ({"folds": "full", "valid": IMAGES.take(range(9))}, "The folds are the validation"),
        ({"folds": 5, "tune": "tail"}, 'Use folds = "full"'),
        ({"folds": 5, "net": "lenet", "tune": "auto"}, "a network without weights is trained whole"),
        ({"folds": 20, "x": IMAGES.take(range(0, 133, 9))}, "too few images for 20 folds"),
    ],
)
def test_what_can_t_be_is_refused(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ArgumentError, match=text):
        trained(**settings)


def test_of_few_images_some_are_held_out_instead() -> None:
    few = IMAGES.take(range(0, 133, 9))
    assert not len(trained(few).validation.fold)
    assert len(trained(few, folds=3).validation.fold)
    sites = IMAGES.grouped([str(row % 4) for row in range(len(IMAGES))])  # each with all classes
    assert len(set(trained(sites, folds=4).validation.group.tolist())) == 4


@pytest.mark.filterwarnings("ignore:lenet has no pretrained weights")
def test_full_folds_are_trainings_of_their_own_and_say_so_first() -> None:
    settings: dict[str, Any] = {"net": "lenet", "tune": "auto", "image_size": None, "epochs": 1}
    with listening() as said:
        model = trained(**settings, folds="full", verbose=None)
    place = next(place for place, text in enumerate(said) if text.startswith("5 more models are trained"))
    assert said[place + 1 :] == [f"Fold {number} of 5:" for number in range(1, 6)]
    assert len(model.out_of_fold) == len(IMAGES)
    plain = trained(**settings)
    if model.validation.temperature == 1:
        assert model.predict(IMAGES).equals(plain.predict(IMAGES))
    assert len(plain.validation) < len(IMAGES)


def test_full_folds_train_the_network_that_was_chosen_for_all_images_on_features_that_are_there(tmp_path: Path) -> None:
    with listening() as said:
        trained(net="auto", tune="tail", epochs=1, folds="full", verbose=None, cache=tmp_path)
    assert len([text for text in said if "is trained:" in text]) == 1
    assert len(list(tmp_path.glob("*.rows"))) == 2  # for training and for validation; a fold has no others


@pytest.mark.filterwarnings("ignore:lenet has no pretrained weights")
def test_ctrl_c_among_full_folds_gives_the_whole_model() -> None:
    class Interrupts:
        def __init__(self) -> None:
            self.fold = ""

        def event(self, kind: str, **info: Any) -> None:
            self.fold = info["text"] if kind == "message" else self.fold
            if kind == "epoch" and self.fold.startswith("Fold 2"):
                self.fold = ""
                raise KeyboardInterrupt

    settings: dict[str, Any] = {"net": "lenet", "tune": "auto", "image_size": None, "epochs": 1}
    with progress.using(Interrupts()), pytest.warns(TrainingWarning, match="The folds were interrupted"):
        model = trained(**settings, folds="full", verbose=None)
    assert not len(model.validation.fold)
    assert 0 < model.metrics["n"] < len(IMAGES)
    assert model.predict(IMAGES).equals(trained(**settings).predict(IMAGES))
