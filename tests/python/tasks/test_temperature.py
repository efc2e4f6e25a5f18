"""Temperature: probabilities become as sure as they are right, where they were not."""

from __future__ import annotations

import numpy as np

from mxtune.tasks.losses import BinaryCrossEntropy, CrossEntropy, SquaredError
from mxtune.tasks.temperature import calibrated, temperature

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 2, (4000, 4))
CODES = np.array([RNG.choice(4, p=row) for row in CrossEntropy(4).probabilities(LOGITS)])
FOLD = np.arange(4000) % 5


def test_the_temperature_that_was_put_in_is_found() -> None:
    for true in (0.6, 1.0, 2.5):
        assert abs(temperature(LOGITS * true, CODES, CrossEntropy(4)) / true - 1) < 0.08
    labels = (RNG.random((4000, 4)) < BinaryCrossEntropy(4).probabilities(LOGITS)).astype(float)
    assert abs(temperature(LOGITS * 2, labels, BinaryCrossEntropy(4)) / 2 - 1) < 0.08


def test_it_is_used_only_where_it_helps() -> None:
    found, outputs = calibrated(LOGITS, CODES, CrossEntropy(4), FOLD)
    assert found == 1
    assert outputs is LOGITS
    found, outputs = calibrated(3 * LOGITS, CODES, CrossEntropy(4), FOLD)
    assert abs(found - 3) < 0.2
    loss = CrossEntropy(4)
    assert loss.each(outputs, CODES).mean() < loss.each(3 * LOGITS, CODES).mean() - 0.1
    assert calibrated(LOGITS, LOGITS, SquaredError.of(LOGITS), FOLD)[0] == 1


def test_a_fold_s_temperature_depends_on_none_of_its_labels() -> None:
    _, outputs = calibrated(3 * LOGITS, CODES, CrossEntropy(4), FOLD)
    other = np.where(FOLD == 2, RNG.permutation(CODES), CODES)
    _, again = calibrated(3 * LOGITS, other, CrossEntropy(4), FOLD)
    assert np.array_equal(outputs[FOLD == 2], again[FOLD == 2])
    assert not np.array_equal(outputs[FOLD == 1], again[FOLD == 1])
