"""What labels mean, and what is said when they do not fit."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mxtune.calls import interface
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
    with pytest.warns(LabelWarning, match="1 class has no images and is left out.\nx middle"):
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
    assert images.y.dtype == np.float64
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
        "The columns of the labels don't match `levels`.\nx sea: not among the levels\nx rain: no column\n"
        "i A matrix without names is taken in the order of `levels`."
    )
    assert mximages(PICTURES, table.to_numpy(), levels=["a", "b"], task=task).levels == ("a", "b")
    with pytest.raises(LabelError, match="Two columns of the labels have the same name"):
        mximages(PICTURES, table.set_axis(["sun", "sun"], axis=1), levels=["sun", "sea"], task=task)


def test_a_set_may_lack_a_label_that_others_have() -> None:
    with pytest.warns(LabelWarning, match="1 class has a single image"):
        small = mximages(PICTURES[:3], [["sun"], ["sea", "sun"], []], task="multilabel")
    wide = mximages(small, levels=["fog", "sea", "sun"])
    assert _y(wide) == [[0, 0, 1], [0, 1, 1], [0, 0, 0]]
    with pytest.raises(LabelError, match=r"1 image has unknown labels: sea \(1\)."):
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
    assert str(caught.value) == "2 images have no label.\nx [1]\nx [4]"


def test_numbers_that_are_none_are_named() -> None:
    with pytest.raises(LabelError, match=r"1 image has no label.\nx \[2\]"):
        mximages(PICTURES, [1.0, 2, np.nan, 4, 5, 6])
    with pytest.raises(LabelError, match=r"1 image has a label that is not a finite number.\nx \[2\]: inf"):
        mximages(PICTURES, [1.0, 2, np.inf, 4, 5, 6])
    with pytest.raises(LabelError, match=r"6 images have a label that is not a finite number.\nx \[0\]: 1000"):
        mximages(PICTURES, [10**400] * 6)
    with pytest.raises(LabelError, match=r"x \[0\]: tall"):
        mximages(PICTURES, ["tall", "1", "2", "3", "4", "5"], task="regression")
    with pytest.raises(LabelError, match="1 image has a missing label"):
        mximages(PICTURES, pd.DataFrame({"a": [1, 0, None, 1, 1, 1], "b": 1}))


def test_known_levels_are_kept_and_others_refused() -> None:
    images = mximages(PICTURES, list("bbabab"), levels=["c", "b", "a"])
    assert images.levels == ("c", "b", "a")
    assert _y(images) == [1, 1, 2, 1, 2, 1]
    with pytest.raises(LabelError) as caught:
        mximages(PICTURES, list("abcabd"), levels=["a", "b"])
    assert str(caught.value) == ("2 images have unknown labels: c (1), d (1).\ni The classes are a, b.")
    assert mximages(PICTURES, [7, 8] * 3, levels=["7", "8"]).task == "classification"


def test_too_few_labels_are_an_error() -> None:
    with pytest.raises(LabelError, match="Got 5 labels for 6 images"):
        mximages(PICTURES, list("ababa"))
    with pytest.raises(LabelError, match="Got 5 labels for 6 images"):
        mximages(PICTURES, np.eye(5))


def test_a_class_with_one_picture_is_named() -> None:
    with pytest.warns(LabelWarning, match="1 class has a single image.\nx b"):
        images = mximages(PICTURES, list("aabaaa"))
    assert images.problems == ["a single image: b"]


def test_a_set_can_be_labelled_anew() -> None:
    images = mximages(PICTURES)
    assert mximages(images) is images
    named = mximages(images, list("ababab"))
    assert named.levels == ("a", "b")
    assert images.y is None
    assert mximages(named, levels=["b", "a"]).y.tolist() == [1, 0] * 3
    with pytest.raises(LabelError, match="unknown labels"):
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
    assert "0 images" in repr(images.take([]))


def test_a_frame_has_a_row_for_each_picture() -> None:
    frame = mximages(PICTURES, [["sun"], [], ["sea"], [], [], ["sun", "sea"]]).frame()
    assert frame.columns.tolist() == ["file", "sea", "sun", "height", "width"]
    assert frame["sun"].tolist() == [True, False, False, False, False, True]
    assert mximages(PICTURES, np.arange(6.0)).frame()["label"].tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("labels", "kind"),
    [([True, False] * 3, "boolean"), ([7, 3] * 3, "integer"), ([0.5, 2.0] * 3, "number"), (["b", "a"] * 3, "text")],
)
@pytest.mark.parametrize("form", [list, np.array, pd.Series, pd.Categorical, lambda y: pd.Series(y).convert_dtypes()])
def test_classes_come_back_as_what_they_were(labels: list[Any], kind: str, form: Any) -> None:
    images = mximages(PICTURES, form(labels), task="classification")
    assert images.labels.task is not None
    assert images.labels.task.label_type.kind == kind
    assert images.frame()["label"].tolist() == labels
    again = mximages(images, levels=images.levels[::-1])
    assert again.levels == images.levels[::-1]
    assert again.frame()["label"].tolist() == labels


def test_an_ordered_categorical_stays_ordered() -> None:
    sizes = pd.Categorical(["small", "large"] * 3, categories=["small", "large"], ordered=True)
    assert mximages(PICTURES, sizes).frame()["label"].cat.ordered


def test_booleans_fit_levels_in_any_writing() -> None:
    for levels in (["TRUE", "FALSE"], ["True", "False"], [True, False]):
        images = mximages(PICTURES, [True, False] * 3, levels=levels)  # type: ignore[arg-type]
        assert (images.levels, _y(images)) == (("True", "False"), [0, 1] * 3)
    assert _y(mximages(PICTURES, ["TRUE", "FALSE"] * 3, levels=["False", "True"])) == [1, 0] * 3
    assert _y(mximages(PICTURES, ["1e+05", "0.5"] * 3, levels=["0.5", "100000"])) == [1, 0] * 3
    with pytest.raises(LabelError, match="unknown labels"):
        mximages(PICTURES, ["1", "002"] * 3, levels=["001", "002"])


def test_bytes_are_text_and_decimals_are_numbers() -> None:
    assert mximages(PICTURES, [b"cat", b"dog"] * 3).levels == ("cat", "dog")
    assert mximages(PICTURES, np.array(["cat", "dog"] * 3, "S")).levels == ("cat", "dog")
    prices = mximages(PICTURES, list(map(Decimal, ("1.5", "2", "3", "4", "5", "6"))))
    assert (prices.task, _y(prices)) == ("regression", [1.5, 2, 3, 4, 5, 6])


def test_targets_keep_what_single_precision_would_lose() -> None:
    seconds = 1_700_000_001.0 + np.arange(6)
    assert _y(mximages(PICTURES, seconds)) == seconds.tolist()
    assert (
        _y(mximages(PICTURES, np.stack([seconds, seconds / 7], axis=1))) == np.stack([seconds, seconds / 7], 1).tolist()
    )


@pytest.mark.parametrize("y", ["label", "abcdef", b"label", 3])
def test_one_label_for_many_pictures_is_refused(y: Any) -> None:
    with pytest.raises(LabelError, match=r"`y` is a single label, '.*', for 6 images"):
        mximages(PICTURES, y)


def test_labels_that_are_no_labels_are_named() -> None:
    with pytest.raises(LabelError, match=r"1 image has a label that is not a text or number.\nx \[1\]: dict"):
        mximages(PICTURES, ["a", {}, "a", "b", "a", "b"])


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.eye(3)[[0, 1, 2, 0, 1, 2]], "Each row of the labels has exactly one 1"),
        (np.arange(12.0).reshape(6, 2), "2 numbers per image, so this is regression"),
        (["red shirt", "blue shirt", "red dress"] * 2, 'Each text is taken as one class, for example "blue shirt".'),
        (["sea;sun", "sun", "sea"] * 2, "Each text is taken as one class"),
        (["a", 1, "a"] * 2, "Labels of type int are taken as text: 1, a."),
        ([dt.date(2024, 1, 2), dt.date(2024, 1, 3)] * 3, "Labels of type date are taken as text: 2024-01-02"),
    ],
)
@pytest.mark.filterwarnings("ignore::mxtune.errors.LabelWarning")
def test_what_may_not_be_meant_is_said(y: Any, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    mximages(PICTURES, y)
    assert words in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("y", [["golden retriever", "labrador retriever", "poodle"] * 2, list("abcabc")])
def test_plain_classes_are_taken_without_a_word(y: Any, capsys: pytest.CaptureFixture[str]) -> None:
    mximages(PICTURES, y)
    assert capsys.readouterr().err == ""


def test_characters_are_composed_wherever_labels_are_read() -> None:
    apart, whole = "cafe\u0301", "caf\u00e9"
    assert mximages(PICTURES, [apart, whole, "bar"] * 2).levels == ("bar", whole)
    assert mximages(PICTURES, [[apart], [whole], ["bar"]] * 2).levels == ("bar", whole)
    assert mximages(PICTURES, pd.Categorical([apart, "bar"] * 3)).levels == ("bar", whole)
    assert mximages(PICTURES, pd.DataFrame({apart: [1, 0] * 3, "bar": [1, 1] * 3})).levels == (whole, "bar")
    old = mximages(PICTURES, [whole, "bar"] * 3, levels=["bar", apart])
    assert (old.levels, _y(old)) == (("bar", apart), [1, 0] * 3)


def test_a_frame_keeps_its_own_columns() -> None:
    frame = mximages(PICTURES, [["file", "height"], ["width"], ["label"]] * 2).frame()
    assert frame.columns.tolist() == ["file", "file_", "height_", "label", "width_", "height", "width"]
    assert frame["height"].tolist() == [8] * 6


@pytest.mark.filterwarnings("ignore:.*single image:mxtune.errors.LabelWarning")
def test_classes_that_differ_only_in_blanks_or_case_are_named() -> None:
    with pytest.warns(LabelWarning) as caught:
        images = mximages(PICTURES, ["Cat", "cat", "cat ", "dog", "dog", "Cat"])
    assert [str(warning.message) for warning in caught if "differ" in str(warning.message)] == [
        'Some classes differ only in spaces or case.\nx "Cat" and "cat" and "cat "\n'
        'i To join them, rename the folders or the labels: y = [" ".join(label.lower().split()) for label in y].'
    ]
    assert images.problems[-1] == 'classes that differ only in spaces or case: "Cat" and "cat" and "cat "'
    with interface("r"), pytest.warns(LabelWarning, match=r"y = tolower\(trimws\(y\)\)"):
        mximages(PICTURES, [["red shirt"], ["Red  shirt"], [], [], [], []])


@pytest.mark.parametrize(("language", "words"), [("python", "False, True"), ("r", "FALSE, TRUE")])
def test_booleans_are_written_as_the_language_has_them(language: str, words: str) -> None:
    grey = np.zeros((2, 4, 4), np.uint8)
    with interface(language), pytest.raises(LabelError, match=rf"yes \(2\)\.\ni The classes are {words}"):
        mximages(grey, ["yes"] * 2, levels=["False", "True"])
    with interface(language), pytest.raises(LabelError, match=rf"{words.split()[1]} \(2\)\.\ni The classes are cat"):
        mximages(grey, [True] * 2, levels=["cat", "dog"])


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (len, "must be the labels, one per image.\nx it is of type builtin_function"),
        ([[["a"]], ["b"]], "not a text or number.\nx .*list"),
        ([None, ""], r"^None of the 2 images has a label\.$"),
        ([10**400, 1], r"not a finite number\.\nx .0.: 10{59}$"),
    ],
)
def test_labels_of_no_use_are_refused_in_words(y: Any, words: str) -> None:
    with pytest.raises(LabelError, match=words):
        mximages(np.zeros((2, 4, 4), np.uint8), y)


def test_bytes_that_are_not_utf_8_stay_apart() -> None:
    images = mximages(np.arange(32, dtype=np.uint8).reshape(2, 4, 4), [b"caf\xe9", b"caf\xe8"])
    assert images.levels == ("caf\u00e8", "caf\u00e9")
