"""Losses: values and gradients."""

from __future__ import annotations

import numpy as np
import pytest

from mxtune.tasks.losses import BinaryCrossEntropy, CrossEntropy, Loss, SquaredError

RNG = np.random.default_rng(0)
CLASSES = RNG.integers(0, 4, 7)
SETS = (RNG.random((7, 4)) > 0.5).astype(float)
NUMBERS = RNG.normal(50, 10, (7, 4))

EVERY = [
    (CrossEntropy(4), CLASSES),
    (CrossEntropy(4, smoothing=0.1), CLASSES),
    (CrossEntropy(4, 0.05, (1.0, 0.5, 3.0, 0.0)), CLASSES),
    (BinaryCrossEntropy(4), SETS),
    (SquaredError((50.0,) * 4, (10.0, 5.0, 1.0, 2.0)), NUMBERS),
]


@pytest.mark.parametrize(("loss", "targets"), EVERY)
def test_gradient_is_that_of_numerical_differences(loss: Loss, targets: np.ndarray) -> None:
    outputs, weights = RNG.normal(size=(7, 4)), np.array([1, 1, 0, 1, 2, 1, 0.5])
    _, gradient = loss(outputs, targets, weights)
    for row, column in np.ndindex(7, 4):
        step = np.zeros((7, 4))
        step[row, column] = 1e-5
        slope = (loss(outputs + step, targets, weights)[0] - loss(outputs - step, targets, weights)[0]) / 2e-5
        assert gradient[row, column] == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize(("loss", "targets"), EVERY)
def test_loss_is_the_mean_of_each_picture_that_counts(loss: Loss, targets: np.ndarray) -> None:
    if isinstance(loss, CrossEntropy) and (loss.smoothing or loss.class_weights):
        loss = CrossEntropy(4)
    outputs = RNG.normal(size=(7, 4))
    assert loss(outputs, targets, np.ones(7))[0] == pytest.approx(loss.each(outputs, targets).mean())
    first_three = np.array([1.0, 1, 1, 0, 0, 0, 0])
    assert loss(outputs, targets, first_three)[0] == pytest.approx(loss.each(outputs, targets)[:3].mean())


def test_class_weights_count_as_scikit_learn_counts_them() -> None:
    from sklearn.metrics import log_loss

    outputs, factors = RNG.normal(size=(7, 4)), (1.0, 0.5, 3.0, 2.0)
    loss = CrossEntropy(4, class_weights=factors)
    expected = log_loss(CLASSES, loss.probabilities(outputs), sample_weight=np.array(factors)[CLASSES], labels=range(4))
    assert loss(outputs, CLASSES, np.ones(7))[0] == pytest.approx(expected)


@pytest.mark.parametrize("size", [1e3, 1e6])
def test_huge_outputs_give_finite_losses_and_shares(size: float) -> None:
    outputs = np.array([[size, -size, 0.0, 1.0]])
    for loss, target in ((CrossEntropy(4), np.array([1])), (BinaryCrossEntropy(4), np.array([[0.0, 1, 0, 1]]))):
        value, gradient = loss(outputs, target, np.ones(1))
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()
        shares = loss.probabilities(outputs)
        assert ((shares >= 0) & (shares <= 1)).all()


def test_numbers_that_are_all_the_same_have_a_scale() -> None:
    loss = SquaredError.of(np.array([[1.0, 5.0], [3.0, 5.0]]))
    assert loss.mean == (2.0, 5.0)
    assert loss.scale == (1.0, 1.0)
