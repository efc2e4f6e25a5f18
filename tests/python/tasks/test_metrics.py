"""Metrics: the numbers of scikit-learn, and an answer where there is little to measure."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as sk

from mxtune.tasks.metrics import calibration, confusion, measure


@pytest.fixture(autouse=True)
def warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def softmax(logits: np.ndarray) -> np.ndarray:
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exp / exp.sum(axis=1, keepdims=True)


def drawn(n: int, classes: int, seed: int = 0, skill: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.choice(classes, n, p=rng.dirichlet(np.full(classes, 3.0)))
    return y, softmax(rng.normal(size=(n, classes)) + skill * np.eye(classes)[y])


@pytest.mark.parametrize("classes", [2, 3, 5, 6, 20])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_classification_agrees_with_scikit_learn(classes: int, dtype: str) -> None:
    y, shares = drawn(500, classes)
    shares = shares.astype(dtype)
    predicted, labels = shares.argmax(axis=1), np.arange(classes)
    found = measure("classification", y, shares)
    expected = {
        "accuracy": sk.accuracy_score(y, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(y, predicted),
        "log_loss": -np.log(shares[np.arange(500), y].astype(float)).mean(),
        "macro_f1": sk.f1_score(y, predicted, average="macro"),
        "n": 500,
    }
    if classes > 5:
        expected["top5_accuracy"] = sk.top_k_accuracy_score(y, shares, k=5, labels=labels)
    if classes == 2:
        expected["roc_auc"] = sk.roc_auc_score(y, shares[:, 1])
    if dtype == "float64":  # rounded, the sums of rows are not near enough to 1 for scikit-learn
        assert expected["log_loss"] == pytest.approx(sk.log_loss(y, shares, labels=labels))
    assert found == pytest.approx(expected, abs=1e-6)
    assert all(type(value) in (float, int) for value in found.values())


def test_tied_scores_count_half() -> None:
    rng = np.random.default_rng(3)
    y, score = rng.integers(0, 2, 300), rng.integers(0, 5, 300) / 4
    found = measure("classification", y, np.column_stack([1 - score, score]))
    assert found["roc_auc"] == pytest.approx(sk.roc_auc_score(y, score))


def test_sure_and_wrong_costs_much_but_not_infinity() -> None:
    for dtype, most in (("float32", 16), ("float64", 37)):
        loss = measure("classification", [0, 1], np.array([[0, 1], [0, 1]], dtype))["log_loss"]
        assert most / 2 - 1 < loss < most / 2
    assert measure("classification", [0], [[1, 0]])["log_loss"] == 0


def test_absent_classes_do_not_count() -> None:
    y, shares = drawn(200, 4)
    kept = (y != 2) & (shares.argmax(axis=1) != 2)
    y, shares = y[kept], shares[kept]
    found = measure("classification", y, shares)
    assert found["balanced_accuracy"] == pytest.approx(
        sk.recall_score(y, shares.argmax(axis=1), average="macro", labels=[0, 1, 3])
    )
    assert found["macro_f1"] == pytest.approx(sk.f1_score(y, shares.argmax(axis=1), average="macro"))


def test_one_class_and_no_picture_have_an_answer() -> None:
    found = measure("classification", [1, 1], [[0.1, 0.9], [0.3, 0.7]])
    assert (found["accuracy"], found["balanced_accuracy"], found["macro_f1"]) == (1, 1, 1)
    assert np.isnan(found["roc_auc"])
    assert measure("classification", [0], [[1.0]])["accuracy"] == 1
    nothing = measure("classification", np.zeros(0, int), np.zeros((0, 3)))
    assert nothing.pop("n") == 0
    assert all(np.isnan(value) for value in nothing.values())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_multilabel_agrees_with_scikit_learn(dtype: str) -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, (300, 4))
    shares = np.round(1 / (1 + np.exp(-rng.normal(2 * y - 1, 1.5))), 2).astype(dtype)  # rounded: ties
    found = measure("multilabel", y, shares)
    assert found == pytest.approx(
        {
            "f1": sk.f1_score(y, shares >= 0.5, average="macro"),
            "mean_average_precision": sk.average_precision_score(y, shares, average="macro"),
            "exact_match": sk.accuracy_score(y, shares >= 0.5),
            "log_loss": np.mean([sk.log_loss(y[:, k], shares[:, k].astype(float)) for k in range(4)]),
            "n": 300,
        },
        abs=1e-5,
    )


def test_label_that_never_occurs_does_not_count() -> None:
    y = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0]])
    shares = np.array([[0.9, 0.2, 0.1], [0.6, 0.7, 0.2], [0.8, 0.4, 0.3]])
    found = measure("multilabel", y, shares)
    seen = measure("multilabel", y[:, :2], shares[:, :2])
    assert found["f1"] == seen["f1"]
    assert found["mean_average_precision"] == seen["mean_average_precision"] == 1
    assert np.isnan(measure("multilabel", y[:, 2:], shares[:, 2:])["mean_average_precision"])
    assert measure("multilabel", y[:0], shares[:0])["n"] == 0


@pytest.mark.parametrize("shape", [(200,), (200, 1), (200, 3)])
def test_regression_agrees_with_scikit_learn(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(2)
    y = rng.normal(5, [1, 10, 0.1][: shape[1]] if len(shape) > 1 else 2, shape)
    said = y + rng.normal(size=shape)
    assert measure("regression", y, said) == pytest.approx(
        {
            "rmse": sk.root_mean_squared_error(y, said),
            "mae": sk.mean_absolute_error(y, said),
            "r2": sk.r2_score(y, said),
            "n": 200,
        }
    )


def test_truth_that_does_not_vary_has_no_r2() -> None:
    found = measure("regression", [0.1] * 7, [0.2] * 7)
    assert np.isnan(found["r2"])
    assert found["rmse"] == pytest.approx(0.1)
    assert np.isnan(measure("regression", [1.0], [2.0])["r2"])
    assert measure("regression", [], [])["n"] == 0
    both = measure("regression", [[0.1, 1], [0.1, 2]], [[0.1, 1], [0.1, 2]])
    assert both["r2"] == 1


def test_confusion_has_the_truth_in_rows() -> None:
    rng = np.random.default_rng(4)
    y, predicted = rng.integers(0, 3, 100), rng.integers(0, 3, 100)
    table = confusion(y, predicted, ("a", "b", "c"))
    np.testing.assert_array_equal(table, sk.confusion_matrix(y, predicted))
    assert (table.index.name, table.columns.name) == ("truth", "predicted")
    assert list(table.index) == list(table.columns) == ["a", "b", "c"]


def test_confusion_keeps_levels_that_never_occur() -> None:
    table: Any = confusion([0], [2], ["a", "b", "c"])
    assert table.loc["a", "c"] == table.to_numpy().sum() == 1
    assert confusion([], [], ["a"]).shape == (1, 1)


@pytest.mark.parametrize("classes", [2, 10])
def test_calibration_agrees_with_scikit_learn(classes: int) -> None:
    from sklearn.calibration import calibration_curve

    y, shares = drawn(2000, classes)
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == y
    table = calibration(confidence, right)
    filled = table[table["n"] > 0]
    observed, predicted = calibration_curve(right, confidence, n_bins=15)
    np.testing.assert_allclose(filled["observed"], observed)
    np.testing.assert_allclose(filled["predicted"], predicted)
    assert list(table.columns) == ["lower", "upper", "n", "predicted", "observed", "error"]
    assert len(table) == 15
    assert table["n"].sum() == 2000
    gaps = np.abs(filled["observed"] - filled["predicted"])
    assert table["error"].sum() == pytest.approx(np.average(gaps, weights=filled["n"]))


def test_a_probability_on_the_edge_of_two_bins_is_in_the_lower_one() -> None:
    table = calibration([0.0, 1 / 15, np.nextafter(1 / 15, 1), 1.0], [True, False, True, True])
    assert np.flatnonzero(table["n"]).tolist() == [0, 1, 14]
    assert table["n"].tolist()[:2] == [2, 1]
    assert table["error"].sum() == pytest.approx((abs(1 - 1 / 15) + (1 - 1 / 15)) / 4)
    assert calibration([], []).isna()["observed"].all()
