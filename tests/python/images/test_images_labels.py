"""What labels mean, and what is said when they do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mxtune.errors import ArgumentError, LabelError, LabelWarning
from mxtune.images import ImageSet, mximages

PICTURES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)


def _y(images: ImageSet) -> Any:
    assert images.y is not None
    return images.y.tolist()


def test_strings_are_classes_sorted_bytewise() -> None:
    images = mximages(PICTURES, ["b", "Z", "ä", "b", "Z", "ä"])
    assert images.levels == ("Z", "b", "ä")
    assert _y(images) == [1, 0, 2, 1, 0, 2]
    assert mximages(PICTURES, pd.Series(list("abcabc"), index=range(10, 16))).levels == ("a", "b", "c")


def test_a_categorical_keeps_its_order_and_loses_unused_levels_aloud() -> None:
    sizes = pd.Categorical(["small", "large"] * 3, categories=["small", "middle", "large"])
    with pytest.warns(LabelWarning, match="1 class has no picture and is left out.\nx middle"):
        images = mximages(PICTURES, sizes)
    assert images.levels == ("small", "large")
    assert _y(images) == [0, 1] * 3
    assert images.frame()["label"].cat.categories.tolist() == ["small", "large"]


def test_truth_values_are_two_classes() -> None:
    images = mximages(PICTURES, np.array([True, False] * 3))
    assert (images.task, images.levels) == ("classification", ("False", "True"))


def test_numbers_are_regression_unless_told_otherwise() -> None:
    images = mximages(PICTURES, [1, 2, 3, 10, 20, 30])
    assert images.task == "regression"
    assert images.y is not None
    assert images.y.dtype == np.float32
    digits = mximages(PICTURES, np.array([10, 9, 1, 10, 9, 1]), task="classification")
    assert digits.levels == ("1", "9", "10")
    assert mximages(PICTURES, [1.0, 2.0] * 3, task="classification").levels == ("1", "2")
    assert mximages(PICTURES, np.arange(12).reshape(6, 2)).y.shape == (6, 2)


@pytest.mark.parametrize("kind", [bool, int, float])
def test_a_logical_matrix_is_multilabel(kind: type) -> None:
    table = pd.DataFrame({"sun": [1, 0, 1, 0, 1, 1], "sea": [0, 0, 1, 1, 0, 1]}).astype(kind)
    images = mximages(PICTURES, table)
    assert (images.task, images.levels) == ("multilabel", ("sun", "sea"))
    assert images.y is not None
    assert images.y.dtype == np.float32
    assert images.counts()["n"].tolist() == [4, 3]
    assert mximages(PICTURES, table.to_numpy()).levels == ("1", "2")
    assert mximages(PICTURES, table, levels=["sea", "sun"]).y[0].tolist() == [0, 1]


@pytest.mark.parametrize("task", [None, "multilabel", "regression"])
def test_columns_of_a_matrix_are_the_levels_by_name(task: str | None) -> None:
    table = pd.DataFrame({"sun": [1, 0, 1, 0, 1, 1], "sea": [0, 0, 1, 1, 0, 1]})
    for labelled in (mximages(PICTURES, table, task=task), mximages(PICTURES, table, task=task, levels=["sun", "sea"])):
        assert _y(mximages(labelled, levels=["sea", "sun"])) == table[["sea", "sun"]].to_numpy().tolist()
    for levels in (["sun", "rain"], ["sun", "rain", "sea"]):
        with pytest.raises(LabelError, match=r"\nx rain: no column\n"):
            mximages(PICTURES, table, levels=levels, task=task)
    with pytest.raises(LabelError) as caught:
        mximages(PICTURES, table, levels=["sun", "rain"], task=task)
    assert str(caught.value) == (
        "The columns of the labels are not the 2 levels.\nx sea: no level\nx rain: no column\n"
        "i A matrix without names is taken in the order of the levels."
    )
    assert mximages(PICTURES, table.to_numpy(), levels=["a", "b"], task=task).levels == ("a", "b")
    with pytest.raises(LabelError, match="Two columns of the labels have one name"):
        mximages(PICTURES, table.set_axis(["sun", "sun"], axis=1), levels=["sun", "sea"], task=task)


def test_a_set_may_lack_a_label_that_others_have() -> None:
    with pytest.warns(LabelWarning, match="1 class has a single picture"):
        small = mximages(PICTURES[:3], [["sun"], ["sea", "sun"], []], task="multilabel")
    wide = mximages(small, levels=["fog", "sea", "sun"])
    assert _y(wide) == [[0, 0, 1], [0, 1, 1], [0, 0, 0]]
    with pytest.raises(LabelError, match=r"label that is not among the levels.\nx \[1\]: sea"):
        mximages(small, levels=["sun"])


def test_a_level_may_be_called_as_a_column_of_the_frame() -> None:
    table = pd.DataFrame({"height": [0.5, 1, 2, 3, 4, 5], "file": [6.0, 5, 4, 3, 2, 1]})
    named = mximages(mximages(PICTURES, table), levels=["file", "height"])
    assert _y(named) == table[["file", "height"]].to_numpy().tolist()


def test_label_sets_are_multilabel() -> None:
    images = mximages(PICTURES, [["sun", "sea"], [], {"sun"}, "sea", ("sea",), ["sun"]])
    assert images.levels == ("sea", "sun")
    assert _y(images) == [[1, 1], [0, 0], [0, 1], [1, 0], [1, 0], [0, 1]]
    assert images.label_of(0) == "sea, sun"
    assert mximages(PICTURES, list("ababab"), task="multilabel").y.shape == (6, 2)


def test_a_one_hot_matrix_can_be_classification() -> None:
    images = mximages(PICTURES, np.eye(3)[[0, 1, 2, 0, 1, 2]], task="classification")
    assert _y(images) == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, ""])
def test_missing_labels_are_named(missing: Any) -> None:
    with pytest.raises(LabelError) as caught:
        mximages(PICTURES, ["a", missing, "b", "a", missing, "b"])
    assert str(caught.value) == "2 pictures have no label.\nx [1]\nx [4]"


def test_numbers_that_are_none_are_named() -> None:
    with pytest.raises(LabelError, match=r"1 picture has no label.\nx \[2\]"):
        mximages(PICTURES, [1.0, 2, np.nan, 4, 5, 6])
    with pytest.raises(LabelError, match=r"1 picture has a label that is no finite number.\nx \[2\]: inf"):
        mximages(PICTURES, [1.0, 2, np.inf, 4, 5, 6])
    with pytest.raises(LabelError, match=r"x \[0\]: tall"):
        mximages(PICTURES, ["tall", "1", "2", "3", "4", "5"], task="regression")
    with pytest.raises(LabelError, match="1 picture has a missing label"):
        mximages(PICTURES, pd.DataFrame({"a": [1, 0, None, 1, 1, 1], "b": 1}))


def test_known_levels_are_kept_and_others_refused() -> None:
    images = mximages(PICTURES, list("bbabab"), levels=["c", "b", "a"])
    assert images.levels == ("c", "b", "a")
    assert _y(images) == [1, 1, 2, 1, 2, 1]
    with pytest.raises(LabelError) as caught:
        mximages(PICTURES, list("abcabd"), levels=["a", "b"])
    assert str(caught.value) == (
        "2 pictures have a label that is not among the levels.\nx [2]: c\nx [5]: d\ni The levels are a, b."
    )
    assert mximages(PICTURES, [7, 8] * 3, levels=["7", "8"]).task == "classification"


def test_too_few_labels_are_an_error() -> None:
    with pytest.raises(LabelError, match="There are 5 labels for 6 pictures"):
        mximages(PICTURES, list("ababa"))
    with pytest.raises(LabelError, match="There are 5 labels for 6 pictures"):
        mximages(PICTURES, np.eye(5))


def test_a_class_with_one_picture_is_named() -> None:
    with pytest.warns(LabelWarning, match="1 class has a single picture.\nx b"):
        images = mximages(PICTURES, list("aabaaa"))
    assert images.problems == ["a single picture: b"]


def test_a_set_can_be_labelled_anew() -> None:
    images = mximages(PICTURES)
    assert mximages(images) is images
    named = mximages(images, list("ababab"))
    assert named.levels == ("a", "b")
    assert images.y is None
    assert mximages(named, levels=["b", "a"]).y.tolist() == [1, 0] * 3
    with pytest.raises(LabelError, match="not among the levels"):
        mximages(named, levels=["a"])


def test_a_wrong_task_is_refused() -> None:
    with pytest.raises(ArgumentError, match="`task` must be one of classification, multilabel, regression"):
        mximages(PICTURES, list("ababab"), task="clustering")


def test_the_fingerprint_follows_contents_names_and_labels() -> None:
    one = mximages(PICTURES, list("ababab")).fingerprint
    assert len(one) == 64
    assert mximages(PICTURES.copy(), list("ababab")).fingerprint == one
    assert mximages(PICTURES, list("ababab"), on_bad="keep").fingerprint == one
    assert mximages(PICTURES, list("bababa")).fingerprint != one
    assert mximages(PICTURES[::-1], list("ababab")).fingerprint != one


def test_taking_pictures_takes_their_labels() -> None:
    images = mximages(PICTURES, list("abcabc"))
    part = images.take([4, 0])
    assert part.names == ["[4]", "[0]"]
    assert part.levels == images.levels
    assert _y(part) == [1, 0]
    assert np.array_equal(np.asarray(part.open(0)), PICTURES[4])
    assert len(images.take(np.array([True, False] * 3))) == 3
    assert len(images.take([])) == 0
    assert "0 pictures" in repr(images.take([]))


def test_a_frame_has_a_row_for_each_picture() -> None:
    frame = mximages(PICTURES, [["sun"], [], ["sea"], [], [], ["sun", "sea"]]).frame()
    assert frame.columns.tolist() == ["file", "sea", "sun", "height", "width"]
    assert frame["sun"].tolist() == [True, False, False, False, False, True]
    assert mximages(PICTURES, np.arange(6.0)).frame()["label"].tolist() == [0, 1, 2, 3, 4, 5]
