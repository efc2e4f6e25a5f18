"""Groups of images: how they are told, that no split tears them apart; sets are indexed, joined and copied."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mxtune.errors import ArgumentError, LabelWarning, PictureWarning
from mxtune.images import ImageSet, mximages


def pictures(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 6, 6), dtype=np.uint8)


def pickled(images: ImageSet) -> Any:
    return pickle.loads(pickle.dumps(images))  # noqa: S301 - our own


def grouped(count: int = 210, size: int = 7) -> ImageSet:
    return mximages(pictures(count), ["a", "b"] * (count // 2), groups=[row // size for row in range(count)])


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5])
@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_on_both_sides_and_classes_have_their_share(fraction: float, seed: int) -> None:
    train, valid = grouped().split(fraction, seed)
    assert set(train.groups).isdisjoint(valid.groups)
    assert len(train) + len(valid) == 210
    for n in valid.counts()["n"]:
        assert abs(n - 105 * fraction) <= 4
    assert valid.names == grouped().split(fraction, seed)[1].names


@pytest.mark.parametrize("groups", [2, 3, 5])
def test_groups_of_one_class_validate_each_class(groups: int) -> None:
    images = mximages(pictures(120), np.repeat(["a", "b", "c", "d"], 30), groups=np.arange(120) // (30 // groups))
    train, valid = images.split(0.2)
    assert min(train.counts()["n"]) > 0
    assert set(train.groups).isdisjoint(valid.groups)
    assert groups == 2 or min(valid.counts()["n"]) > 0


def test_copies_in_two_groups_hold_them_together() -> None:
    array = pictures(40)
    array[5] = array[35]
    with pytest.warns(PictureWarning):
        images = mximages(array, ["a", "b"] * 20, groups=np.arange(40) // 10)
    for seed in range(10):
        sides = [set(part.groups) for part in images.split(0.4, seed)]
        assert {"0", "3"} <= sides[0] or {"0", "3"} <= sides[1]


def test_numbers_and_label_sets_are_split_in_groups() -> None:
    rng = np.random.default_rng(1)
    for y in (rng.random(100), (rng.random((100, 3)) < 0.4).astype(int)):
        train, valid = mximages(pictures(100), y, groups=np.arange(100) // 5).split(0.2)
        assert set(train.groups).isdisjoint(valid.groups)
        assert 10 <= len(valid) <= 35


@pytest.mark.parametrize(
    "groups",
    [
        [1, 1, 2, 2],
        np.array([1.0, 1, 2, 2]),
        pd.Categorical(["1", "1", "2", "2"]),
        {"[3]": 2, "[0]": 1, "[1]": 1, "[2]": 2},
        pd.Series([1, 1, 2, 2]),
    ],
)
def test_groups_are_told_in_many_ways(groups: Any) -> None:
    assert mximages(pictures(4), ["a", "b"] * 2, groups=groups).groups == ["1", "1", "2", "2"]


def test_groups_with_names_go_by_them(tmp_path: Any) -> None:
    from PIL import Image

    paths = [tmp_path / f"{name}.png" for name in "dabc"]
    for path, picture in zip(paths, pictures(4)):
        Image.fromarray(picture).save(path)
    who = pd.Series(["a", "b", "b", "a"], index=list("xyzw"))
    frame = pd.DataFrame({"path": list(map(str, paths)), "label": ["u", "v"] * 2}, index=who.index)
    for x in (frame, mximages(frame)):
        assert mximages(x, groups=who.sort_values()).groups == who.tolist()
        with pytest.raises(ArgumentError, match="different indices"):
            mximages(x, groups=who.reset_index(drop=True))
    by_file = pd.Series(["a", "b", "b", "a"], index=[path.name for path in paths]).sort_values()
    for x in (paths, tmp_path, frame, mximages(paths)):
        images = mximages(x, groups=by_file)
        assert images.groups == [by_file[name.split("/")[-1]] for name in images.names]
        assert mximages(x, groups=dict(by_file)).groups == images.groups


def test_a_column_or_the_names_tell_groups(tmp_path: Any) -> None:
    from PIL import Image

    for row, name in enumerate(("anna_1", "anna_2", "ben_1", "ben_2")):
        Image.fromarray(pictures(4)[row]).save(tmp_path / f"{name}.png")
    paths = sorted(map(str, tmp_path.glob("*.png")))
    frame = pd.DataFrame({"path": paths, "label": ["x", "y"] * 2, "who": ["a", "a", "b", "b"]})
    assert mximages(frame, groups="who").groups == ["a", "a", "b", "b"]
    assert mximages(str(tmp_path), groups="^([^_]+)_").groups == ["anna", "anna", "ben", "ben"]
    with pytest.raises(ArgumentError, match="no such column"):
        mximages(frame, groups="patient")


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([1, 2], "Got 2 groups for 4 images"),
        ([1, None, 2, 3], r"1 image has no group.\nx \[1\]"),
        ([1, float("nan"), "", 3], "2 images have no group"),
        ({"[0]": 1}, "3 images have no value of `groups`"),
        ({"a.png": 1}, "names of the values of `groups` don't match the images.\nx a.png\ni The first image is"),
        (pd.Series([1, 1, 2, 2], index=[4, 5, 6, 7]), r"don't match the images\.\nx 4\n"),
        (pd.Series([1, 1, 2, 2], index=["[0]", "[1]", "[2]", "[2]"]), "have one name.\nx .2."),
        ("^(x", "not a regular expression"),
        ("^nobody", "4 images have no group"),
        ({1, 2, 3, 4}, "`groups` has no order.\nx it is of type set"),
        (7, "it is an int"),
        (b"abcd", "it is a bytes"),
        (pd.DataFrame({"who": [1, 1, 2, 2]}), "one value per image.*\nx it is a DataFrame"),
        ([], "Got 0 groups for 4 images"),
    ],
)
def test_groups_of_no_use_are_refused(groups: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        mximages(pictures(4), ["a", "b"] * 2, groups=groups)


def test_a_class_of_a_single_group_is_named_and_trains() -> None:
    with pytest.warns(LabelWarning, match="1 class has images of a single group only.\nx b"):
        images = mximages(pictures(30), np.repeat(["a", "b"], [20, 10]), groups=np.arange(30) // 10 * (1))
    train, _ = images.split(0.3)
    assert train.counts()["n"].tolist()[1] == 10


def test_groups_in_training_and_validation_are_named() -> None:
    valid = mximages(pictures(6, 1), ["a", "b"] * 3, groups=list("uvwxyz"))
    with pytest.warns(PictureWarning, match="1 group is in training and in validation.\nx z"):
        images = mximages(pictures(6), ["a", "b"] * 3, groups=list("fghijz"), validation=valid)
    assert "group in training and validation: z" in images.problems


def test_one_picture_by_number_and_many_by_all_else() -> None:
    images = grouped(14)
    np.testing.assert_array_equal(np.asarray(images[3]), pictures(14)[3])
    np.testing.assert_array_equal(np.asarray(images[np.int64(-1)]), pictures(14)[13])
    assert images[2:4].names == ["[2]", "[3]"]
    assert images[[5, -1]].names == ["[5]", "[13]"]
    assert images[images.y == 1].groups == ["0", "0", "0", "1", "1", "1", "1"]
    assert len(list(images)) == 14
    for wrong in (14, -15):
        with pytest.raises(IndexError, match="the set has 14"):
            images[wrong]


@pytest.mark.parametrize(
    ("indices", "words"),
    [
        ([True, False], "A mask must have 14 entries"),
        (np.ones(15, bool), "it has 15"),
        ([14], "There is no image at 14"),
        ([-15, 3], "There is no image at -15"),
        ([0.5], "Positions must be whole numbers"),
        ([float("nan")], "Positions must be whole numbers"),
        (["a"], "Positions must be whole numbers"),
        ("ab", "Positions must be whole numbers"),
        (None, "Positions must be whole numbers"),
        (np.zeros((2, 2), int), "Positions must be whole numbers"),
    ],
)
def test_positions_of_no_use_are_refused(indices: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        grouped(14).take(indices)


def test_sets_are_joined_with_all_their_classes() -> None:
    one = mximages(pictures(4), ["a", "c"] * 2)
    both = one + mximages(pictures(2, 9), ["b", "c"])
    assert (both.levels, both.y.tolist()) == (("a", "c", "b"), [0, 1, 0, 1, 2, 1])
    np.testing.assert_array_equal(np.asarray(both[5]), pictures(2, 9)[1])
    several = mximages(pictures(2), [["u"], ["v"]]) + mximages(pictures(2), [["w", "v"], ["v"]])
    assert (several.levels, several.y.tolist()) == (
        ("u", "v", "w"),
        [[1, 0, 0], [0, 1, 0], [0, 1, 1], [0, 1, 0]],
    )
    for other in (mximages(pictures(2), [1.5, 2]), mximages(pictures(2)), grouped(14)):
        with pytest.raises(ArgumentError):
            one + other
    with pytest.raises(TypeError):
        one + 1


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, pickled])
def test_a_copy_is_the_same_set(copied: Any) -> None:
    images = grouped(14)
    other = copied(images)
    assert (other.names, other.groups, other.fingerprint) == (images.names, images.groups, images.fingerprint)
    np.testing.assert_array_equal(np.asarray(other[4]), np.asarray(images[4]))
    assert repr(other) == repr(images)
