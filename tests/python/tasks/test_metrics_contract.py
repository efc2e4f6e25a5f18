"""What every metric must do; one that is added is walked too."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
import sklearn.metrics as sk

from mxtune import tasks
from mxtune.tasks.metrics import Metric, measure, metric, metrics_of

Truth = tuple[np.ndarray, np.ndarray]  # labels, predictions
RNG = np.random.default_rng(0)
METRICS = [one for name in tasks.names() for one in metrics_of(name)]
EVERY = pytest.mark.parametrize("one", METRICS, ids=lambda one: f"{one.task}-{one.name}")

SCIKIT_LEARN: dict[tuple[str, str], Callable[[np.ndarray, np.ndarray], float]] = {
    ("classification", "accuracy"): lambda y, p: sk.accuracy_score(y, p.argmax(axis=1)),
    ("classification", "balanced_accuracy"): lambda y, p: sk.balanced_accuracy_score(y, p.argmax(axis=1)),
    ("classification", "log_loss"): lambda y, p: sk.log_loss(y, p, labels=range(p.shape[1])),
    ("classification", "top5_accuracy"): lambda y, p: sk.top_k_accuracy_score(y, p, k=5, labels=range(p.shape[1])),
    ("classification", "macro_f1"): lambda y, p: sk.f1_score(y, p.argmax(axis=1), average="macro"),
    ("classification", "roc_auc"): lambda y, p: sk.roc_auc_score(y, p[:, 1]),
    ("multilabel", "f1"): lambda y, p: sk.f1_score(y, p >= 0.5, average="macro"),
    ("multilabel", "mean_average_precision"): lambda y, p: sk.average_precision_score(y, p, average="macro"),
    ("multilabel", "exact_match"): lambda y, p: sk.accuracy_score(y, p >= 0.5),
    ("multilabel", "log_loss"): lambda y, p: np.mean([sk.log_loss(y[:, k], p[:, k]) for k in range(y.shape[1])]),
    ("regression", "rmse"): sk.root_mean_squared_error,
    ("regression", "mae"): sk.mean_absolute_error,
    ("regression", "r2"): sk.r2_score,
}


def outputs_of(one: Metric) -> int:
    return next(outputs for outputs in (2, 3, 7) if one.applies(outputs))


def drawn(one: Metric, pictures: int = 200) -> Truth:
    """Labels, and predictions that are often right."""
    outputs = outputs_of(one)
    noise = RNG.normal(size=(pictures, outputs))
    if one.task == "classification":
        y = RNG.integers(0, outputs, pictures)
        shares = np.exp(noise + 1.5 * np.eye(outputs)[y])
        return y, shares / shares.sum(axis=1, keepdims=True)
    if one.task == "multilabel":
        y = RNG.integers(0, 2, (pictures, outputs))
        return y, 1 / (1 + np.exp(-(noise + 2 * y - 1)))
    y = RNG.normal(5, 3, (pictures, outputs))
    return y, y + noise


def perfect(one: Metric) -> Truth:
    y, predicted = drawn(one)
    if one.task == "classification":
        return y, np.eye(predicted.shape[1])[y]
    return y, y.astype(float)


@EVERY
def test_perfect_predictions_have_the_best_value(one: Metric) -> None:
    assert one.function(*perfect(one)) == pytest.approx(one.best, abs=1e-12)


@EVERY
def test_worse_predictions_have_a_worse_value(one: Metric) -> None:
    y, predicted = drawn(one)
    value, best = one.function(y, predicted), one.function(*perfect(one))
    assert (value < best) if one.greater_is_better else (value > best)


@EVERY
def test_the_order_of_pictures_does_not_matter(one: Metric) -> None:
    y, predicted = drawn(one)
    order = RNG.permutation(len(y))
    assert one.function(y[order], predicted[order]) == pytest.approx(one.function(y, predicted), rel=1e-12)


@EVERY
def test_pictures_told_twice_do_not_matter(one: Metric) -> None:
    y, predicted = drawn(one)
    twice = np.concatenate([y, y]), np.concatenate([predicted, predicted])
    assert one.function(*twice) == pytest.approx(one.function(y, predicted), rel=1e-12)


@EVERY
@pytest.mark.parametrize("pictures", [0, 1, 2])
def test_little_to_measure_has_an_answer_and_no_warning(one: Metric, pictures: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value = one.function(*drawn(one, pictures))
    assert isinstance(value, float)
    assert pictures or np.isnan(value)


@EVERY
def test_it_is_in_what_is_measured(one: Metric) -> None:
    y, predicted = drawn(one)
    assert measure(one.task, y, predicted)[one.name] == one.function(y, predicted)


@EVERY
def test_scikit_learn_says_the_same(one: Metric) -> None:
    reference = SCIKIT_LEARN.get((one.task, one.name))
    if reference is None:  # it has no such metric: what is above must do
        return
    y, predicted = drawn(one)
    assert one.function(y, predicted) == pytest.approx(float(reference(y, predicted)), rel=1e-9)


def test_every_task_has_its_primary_metric_first() -> None:
    for name in tasks.names():
        assert metrics_of(name)[0].name == tasks.named(name, ("a", "b")).primary_metric


def test_a_metric_is_registered_once() -> None:
    with pytest.raises(ValueError, match="regression already has a metric rmse"):
        metric("rmse", "regression", best=0)(lambda y, predicted: 0.0)  # noqa: ARG005 - never called
