"""What every task must do; one that is added is walked too, when it says which labels it has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mxtune import mximages, tasks
from mxtune.errors import ArgumentError, LabelError
from mxtune.tasks import Classification, Multilabel, Regression, Task
from mxtune.tasks.label_type import LabelType

RNG = np.random.default_rng(0)
LABELS: dict[str, tuple[Task, np.ndarray]] = {
    "classification": (Classification(("a", "b", "c")), np.array([0, 1, 2, 1, 0, 2, 1, 0])),
    "multilabel": (Multilabel(("a", "b")), np.array([[1, 0], [0, 1], [1, 1], [0, 0]] * 2, np.float32)),
    "regression": (Regression(), np.array([1, 3, 2, 5, 4, 8, 7, 6], np.float32)),
    "regression of several": (Regression(("x", "y")), RNG.normal(5, 2, (8, 2)).astype(np.float32)),
}
EVERY = pytest.mark.parametrize(("task", "y"), list(LABELS.values()), ids=list(LABELS))


def outputs(task: Task, y: np.ndarray) -> np.ndarray:
    return RNG.normal(size=(len(y), task.outputs)).astype(np.float32)


def test_each_task_has_labels_here() -> None:
    assert {task.name for task, _ in LABELS.values()} == set(tasks.names())


@EVERY
def test_a_task_is_its_name_and_levels(task: Task, y: np.ndarray) -> None:  # noqa: ARG001
    assert tasks.named(task.name, list(task.levels)) == task


@EVERY
def test_labels_as_a_user_gives_them_are_read_as_the_same(task: Task, y: np.ndarray) -> None:
    pictures = RNG.integers(0, 255, (len(y), 8, 8), dtype=np.uint8)
    images = mximages(pictures, task.user_labels(y), task=task.name)
    assert (images.task, images.levels) == (task.name, task.levels)
    np.testing.assert_array_equal(images.y, y)  # type: ignore[arg-type]
    assert images.label_of(0) == task.text(y[0])
    assert list(task.columns(y)) == [name for name in images.frame() if name not in ("file", "height", "width")]


@EVERY
def test_the_loss_takes_targets_and_outputs_and_its_gradient_falls(task: Task, y: np.ndarray) -> None:
    loss, targets, given = task.loss(y), task.targets(y), outputs(task, y).astype(np.float64)
    value, gradient = loss(given, targets, np.ones(len(y)))
    assert gradient.shape == given.shape
    lower, _ = loss(given - 0.01 * gradient, targets, np.ones(len(y)))
    assert lower < value


@EVERY
def test_units_are_gone_into_and_back(task: Task, y: np.ndarray) -> None:
    loss, targets = task.loss(y), task.targets(y)
    standard = loss.standardise(targets)
    np.testing.assert_allclose(loss.own_units(standard), targets)
    features = RNG.normal(size=(5, 3))
    weight, bias = RNG.normal(size=(task.outputs, 3)), RNG.normal(size=task.outputs)
    own = loss.layer_in_own_units(weight, bias)
    np.testing.assert_allclose(features @ own[0].T + own[1], loss.own_units(features @ weight.T + bias))
    for back, before in zip(loss.standardised_layer(*own), (weight, bias)):
        np.testing.assert_allclose(back, before)


@EVERY
def test_the_standardised_loss_is_the_loss_in_other_units(task: Task, y: np.ndarray) -> None:
    loss, targets, given = task.loss(y), task.targets(y), outputs(task, y).astype(np.float64)
    own, gradient = loss(loss.own_units(given), targets, np.ones(len(y)))
    standard, standard_gradient = loss.standardised()(given, loss.standardise(targets), np.ones(len(y)))
    assert own == pytest.approx(standard)
    np.testing.assert_allclose(loss.standardised_gradient(gradient), standard_gradient, atol=1e-12)


@EVERY
@pytest.mark.parametrize("type", ["class", "prob", "logit"])
def test_predictions_have_a_row_a_picture_and_nothing_for_bad_ones(task: Task, y: np.ndarray, type: str) -> None:  # noqa: A002
    values = outputs(task, y)
    whole = pd.DataFrame(task.predictions(values, type, np.ones(len(y), bool)))
    assert len(whole) == len(y)
    assert not whole.isna().any().any()
    assert all(name.startswith("pred") for name in whole)
    good = np.arange(len(y)) != 3
    values[3] = np.nan
    some = pd.DataFrame(task.predictions(values, type, good))
    assert some.isna().all(axis=1).tolist() == (~good).tolist()
    assert some[good].astype(whole.dtypes).equals(whole[good])


@EVERY
def test_the_score_is_the_primary_metric(task: Task, y: np.ndarray) -> None:
    values = outputs(task, y)
    figures = task.measure(y, values)
    assert next(iter(figures)) == task.primary_metric
    assert figures[task.primary_metric] == task.score(y, values)
    assert task.losses(y, values).shape == (len(y),)


@EVERY
def test_strata_are_codes_or_columns(task: Task, y: np.ndarray) -> None:
    strata = task.strata(y, 0.25)
    assert len(strata) == len(y)
    assert strata.dtype == (np.int64 if strata.ndim == 1 else bool)


@EVERY
def test_levels_without_pictures_can_be_left_out(task: Task, y: np.ndarray) -> None:
    counts = task.counts(y)
    if not task.has_classes:
        assert counts is None
        return
    wider = tasks.named(task.name, ["before", *task.levels])
    shifted: Any = y + 1 if y.ndim == 1 else np.insert(y, 0, 0, axis=1)
    kept = np.asarray(wider.counts(shifted)) > 0
    narrow, back = wider.without_levels(shifted, kept)
    assert narrow == task
    np.testing.assert_array_equal(back, y)


@EVERY
def test_captions_tell_a_mistake(task: Task, y: np.ndarray) -> None:
    rows = pd.DataFrame({**task.mistakes(y, outputs(task, y)), "file": "a.png", "loss": np.ones(len(y))}).to_dict(
        "records"
    )
    assert rows
    assert all(task.caption(row) for row in rows)


@EVERY
def test_class_weights_and_confusion_are_for_classes_or_refused_in_words(task: Task, y: np.ndarray) -> None:
    assert task.class_weights(None, y) is None
    if task.name == "classification":
        assert task.class_weights({"c": 3, "a": 2}, y) == [2, 1, 3]
        assert task.class_weights(pd.Series([3, 2, 1], index=["c", "b", "a"]), y) == [1, 2, 3]
        assert task.class_weights([1, 2, 3], y) == [1, 2, 3]
        for unordered in ({1, 2, 3}, {"a": 1, "b": 2, "c": 3}.values()):
            with pytest.raises(ArgumentError, match="`class_weights` has no order"):
                task.class_weights(unordered, y)  # type: ignore[arg-type]
        with pytest.raises(ArgumentError, match=r"unknown classes.\nx d\ni The classes are a, b, c."):
            task.class_weights(pd.Series([1, 2], index=["a", "d"]), y)
        with pytest.raises(ArgumentError, match=r"contains a class twice.\nx a"):
            task.class_weights(pd.Series([1, 2], index=["a", "a"]), y)
        weights = np.asarray(task.class_weights("balanced", y))
        assert (weights[y]).sum() == pytest.approx(len(y))
        assert task.confusion(y, outputs(task, y)).to_numpy().sum() == len(y)
        return
    with pytest.raises(ArgumentError, match=f"`class_weights` apply to classification only.\nx this is {task.name}"):
        task.class_weights("balanced", y)
    with pytest.raises(ArgumentError, match="confusion matrix exists for classification only"):
        task.confusion(y, outputs(task, y))


def test_words_for_a_task() -> None:
    assert str(Classification(tuple("abcdefgh"))) == "8 classes (a, b, c, d, e, f, ...)"
    assert str(Multilabel(("x",))) == "1 label (x)"
    assert str(Regression()) == "regression of one number"
    assert str(Regression(("x", "y"))) == "regression of x, y"


def test_labels_that_teach_nothing_are_refused() -> None:
    with pytest.raises(LabelError, match='All images have the same label, "b"'):
        Classification(("a", "b")).check_learnable(np.array([1, 1]))
    with pytest.raises(LabelError, match="the same target value"):
        Regression().check_learnable(np.array([2.0, 2.0], np.float32))


def test_a_task_that_is_not_there_is_named() -> None:
    with pytest.raises(ArgumentError, match=r"There is no task 'ranking'\.\ni The tasks are classification"):
        tasks.named("ranking")


def test_class_weights_go_by_what_classes_were() -> None:
    task = Classification(("False", "True"), LabelType("boolean"))
    for weights in ({True: 3, False: 1}, {"True": 3}, pd.Series([3, 1], index=[True, False])):
        assert task.class_weights(weights, np.array([0, 1])) == [1, 3]
    codes = Classification(("3", "7"), LabelType("integer"))
    assert codes.class_weights({7: 2.0}, np.array([0, 1])) == [1, 2]
    assert codes.class_weights(pd.Series([3, 7]).value_counts(), np.array([0, 1])) == [1, 1]


@pytest.mark.parametrize("type", ["prob", "logit"])
def test_a_class_called_class_has_a_column_of_its_own(type: str) -> None:  # noqa: A002
    task = Classification(("class", "file", "prob"))
    columns = list(task.predictions(np.eye(3, dtype=np.float32), type, np.ones(3, bool)))
    assert columns[-3:] == ["pred_class_", "pred_file", "pred_prob"]


def test_predictions_are_what_labels_were() -> None:
    good = np.array([True, True, False])
    for task, values in (
        (Classification(("False", "True"), LabelType("boolean")), [False, True]),
        (Classification(("3", "7"), LabelType("integer")), [3, 7]),
        (Classification(("lo", "hi"), LabelType(ordered=True)), ["lo", "hi"]),
    ):
        found = pd.Series(task.predictions(np.eye(3, 2, dtype=np.float32), "class", good)["pred_class"])
        assert found[:2].tolist() == values
        assert (found[:2] == pd.Series(values)).all()
        assert found.isna().tolist() == [False, False, True]
        assert found.cat.ordered == task.label_type.ordered
