"""Training and validation: shares, strata, copies, seeds."""

from __future__ import annotations

import numpy as np
import pytest

from mxtune.errors import ArgumentError, LabelWarning, PictureWarning
from mxtune.images import ImageSet, mximages


def _pictures(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, 5, 5), dtype=np.uint8)


def _counts(images: ImageSet) -> list[int]:
    return [int(n) for n in images.counts()["n"]]


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.25, 0.5, 0.9])
def test_each_class_has_its_share_and_the_sum_is_right(fraction: float) -> None:
    labels = np.repeat(["a", "b", "c", "d"], [50, 33, 17, 7])
    train, valid = mximages(_pictures(107), labels).split(fraction, seed=3)
    assert len(valid) == round(107 * fraction)
    assert len(train) + len(valid) == 107
    assert set(train.names).isdisjoint(valid.names)
    for n, size in zip(_counts(valid), (50, 33, 17, 7)):
        assert abs(n - size * fraction) < 1


def test_every_class_with_two_pictures_trains_on_one() -> None:
    labels = np.repeat(["a", "b", "c"], [20, 2, 1])
    images = mximages(_pictures(23), labels, levels=["a", "b", "c"])
    for seed in range(10):
        train, valid = images.split(0.9, seed)
        assert min(_counts(train)) >= 1
        assert len(valid) >= 18


def test_a_seed_gives_the_same_split_everywhere() -> None:
    images = mximages(_pictures(12), ["a", "b"] * 6)
    _, valid = images.split(0.25, seed=1)
    assert valid.names == images.split(0.25, seed=1)[1].names
    assert valid.names == ["[2]", "[4]", "[9]"]  # as found on Linux, x86-64, NumPy 2
    assert {tuple(images.split(0.25, seed)[1].names) for seed in range(8)} != {tuple(valid.names)}


def test_copies_stay_on_one_side() -> None:
    pictures = np.repeat(_pictures(20), 3, axis=0)
    with pytest.warns(PictureWarning, match="20 images have exact duplicates"):
        images = mximages(pictures, np.repeat(["a", "b"], 30))
    for seed in range(5):
        train, valid = images.split(0.3, seed)
        assert set(train.hashes).isdisjoint(valid.hashes)
        assert len(valid) == 18
    with pytest.warns(PictureWarning):
        alike = mximages(np.repeat(_pictures(1), 6, axis=0), ["a"] * 6)
    assert [len(part) for part in alike.split(0.5)] == [6, 0]


def test_numbers_are_split_over_their_whole_range() -> None:
    y = np.concatenate([np.linspace(0, 1, 80), np.linspace(90, 100, 20)])
    train, valid = mximages(_pictures(100), y).split(0.2, seed=2)
    assert len(valid) == 20
    assert (valid.y > 50).sum() == 4
    assert abs(float(train.y.mean()) - float(valid.y.mean())) < 2
    several = mximages(_pictures(100), np.stack([y, -y, y * 3], axis=1))
    assert len(several.split(0.2)[1]) == 20


def test_rare_labels_are_on_both_sides() -> None:
    rng = np.random.default_rng(5)
    table = (rng.random((200, 5)) < [0.5, 0.3, 0.1, 0.05, 0.02]).astype(int)
    table[:2, 4], table[2:, 4] = 1, 0
    images = mximages(_pictures(200), table)
    train, valid = images.split(0.25, seed=0)
    assert abs(len(valid) - 50) <= 3
    assert min(_counts(train)) >= 1
    for n, size in zip(_counts(valid)[:4], _counts(images)[:4]):
        assert abs(n - size / 4) <= 0.1 * size + 1


def test_pictures_without_labels_and_tiny_sets_are_split_too() -> None:
    assert [len(part) for part in mximages(_pictures(10)).split(0.2)] == [8, 2]
    assert [len(part) for part in mximages(_pictures(2), ["a", "a"]).split(0.2)] == [1, 1]
    with pytest.warns(LabelWarning):
        single = mximages(_pictures(1), ["a"])
    assert [len(part) for part in single.split(0.2)] == [1, 0]
    assert len(mximages(_pictures(3)).take([]).split(0.2)[0]) == 0


@pytest.mark.parametrize("fraction", [0, 1, -0.5, 2])
def test_a_share_outside_of_0_to_1_is_refused(fraction: float) -> None:
    with pytest.raises(ArgumentError, match="above 0 and below 1"):
        mximages(_pictures(3)).split(fraction)
