"""What each image is for, training, validation or test, where the user has decided that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import PIL.Image
import pytest

from hearing import images_and_messages
from mxtune import calls
from mxtune.errors import ArgumentError, LabelWarning, PictureWarning
from mxtune.images import mximages
from mxtune.images.roles import part_named

WORDS = ["train", "val", "test", "train", "val", "test", "train", "train"]
PARTS = [part_named(word) for word in WORDS]
LABELS = ["a", "b"] * 4


def _pictures(count: int = 8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 12, 12), dtype=np.uint8)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    for row, picture in enumerate(_pictures()):
        PIL.Image.fromarray(picture).save(tmp_path / f"{row}.png")
    return sorted(map(str, tmp_path.glob("*.png")))


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("train", "Training", "TRAIN", "trainset", "train set", "train_split", " train "), "training"),
        (("valid", "validation", "val", "Dev", "eval"), "validation"),
        (("test", "Testing", "TestSet", "holdout", "test images"), "test"),
        (("", "cat", "train or test", "fold1", "trainer", "0", "seg_train"), None),
    ],
)
def test_parts_are_known_by_the_words_people_use(words: tuple[str, ...], part: Any) -> None:
    assert {word: part_named(word) for word in words} == dict.fromkeys(words, part)


def test_a_column_of_a_table_or_frame_tells_parts(files: list[str], tmp_path: Path) -> None:
    frame = pd.DataFrame({"file": files, "kind": LABELS, "use": WORDS}, index=range(30, 38))
    frame.assign(file=[Path(file).name for file in files]).to_csv(tmp_path / "labels.csv", index=False)
    for x in (frame, tmp_path / "labels.csv", frame.assign(use=frame.use.astype("category"))):
        images, texts = images_and_messages(x, split="use")
        assert images.parts == PARTS
        assert "Of 8 images 4 for training, 2 for validation, 2 for test." in texts
        assert [images.label_of(row) for row in range(8)] == LABELS


@pytest.mark.parametrize("form", [list, tuple, np.asarray, pd.Series, pd.Categorical])
def test_a_vector_tells_parts_in_order(files: list[str], form: Any) -> None:
    assert mximages(files, LABELS, split=form(WORDS)).parts == PARTS
    assert mximages(_pictures(), LABELS, split=form(WORDS)).parts == PARTS
    assert mximages(mximages(files, LABELS), split=form(WORDS)).parts == PARTS


def test_what_has_names_tells_parts_by_name(files: list[str], tmp_path: Path) -> None:
    by_name = dict(sorted(zip(map(Path, files), WORDS), key=lambda pair: pair[1]))
    for names in (by_name, {path.name: word for path, word in by_name.items()}):
        assert mximages(files, LABELS, split=names).parts == PARTS
        assert mximages(tmp_path, split=pd.Series(names)).parts == PARTS
    frame = pd.DataFrame({"file": files, "kind": LABELS}, index=range(30, 38))
    use = pd.Series(WORDS, index=frame.index)
    assert mximages(frame, split=use.sort_values()).parts == PARTS


def test_each_part_is_a_set(files: list[str]) -> None:
    images = mximages(files, LABELS, split=WORDS)
    assert [len(images.part(name)) for name in ("training", "validation", "test")] == [4, 2, 2]
    assert images.part("test").files == [files[2], files[5]]
    assert images.part("val").names == images.part("validation").names
    training, validation = images.split()
    assert (training.names, validation.names) == (images.part("train").names, images.part("dev").names)
    assert (images[2:4].parts, (images + images).parts) == (PARTS[2:4], PARTS * 2)
    with pytest.raises(ArgumentError, match=r"There are no images for test\.\nx the parts are training"):
        images.part("training").part("test")
    with pytest.raises(ArgumentError, match="The set has no parts"):
        mximages(files, LABELS).part("test")
    with pytest.raises(ArgumentError, match="The set has 2 images for validation"):
        images.split(0.5)
    with pytest.raises(ArgumentError, match="Only one of the sets has parts"):
        images + mximages(files, LABELS)


def test_a_share_is_taken_of_what_is_for_training() -> None:
    images = mximages(_pictures(40), LABELS * 5, split=["train"] * 30 + ["test"] * 10)
    training, validation = images.split(0.2)
    assert (len(training), len(validation)) == (24, 6)
    assert set(training.parts + validation.parts) == {"training"}
    assert images.split()[1].names == validation.names


@pytest.mark.parametrize(
    ("split", "words"),
    [
        ([True, False] * 4, r"it says True, False\ni Of what is true for test images: split = np.where\(is_test"),
        ([0, 1] * 4, "it says 0, 1"),
        (["train", "rest"] * 4, "must say train, valid or test for each image.\nx it says rest\n"),
        (["trainval", "test"] * 4, "it says trainval"),
        (["train", None] * 4, r"4 images have no value of `split`.\nx .*1.png"),
        (["train", float("nan"), "", "test"] * 2, "4 images have no value of `split`"),
        (["train", "test"], "Got 2 values of `split` for 8 images"),
        ([], "Got 0 values of `split`"),
        ("train", "must be the column of a table, or train, valid or test for each image.\nx it is 'train'"),
        (7, "x it is 7"),
        ({"0.png": "train"}, "7 images have no value of `split`"),
        ({"x.png": "train"}, "The names of the values of `split` don't match the images"),
        (pd.Series(WORDS, index=range(5, 13)), "index of the values of `split` don't match the images"),
        (pd.Series(WORDS, index=["0.png"] * 8), "Several values of `split` have one name.\nx 0.png"),
    ],
)
def test_parts_of_no_use_are_refused(files: list[str], split: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        mximages(files, LABELS, split=split)


def test_a_missing_column_of_parts_is_named(files: list[str]) -> None:
    with pytest.raises(ArgumentError, match=r"no such column\.\nx part\ni Its columns are file, kind"):
        mximages(pd.DataFrame({"file": files, "kind": LABELS}), split="part")


def test_the_way_to_say_it_is_that_of_the_interface(files: list[str]) -> None:
    for interface, words in (("r", 'ifelse(is_test, "test", "train")'), ("command", "into the column")):
        with calls.interface(interface), pytest.raises(ArgumentError) as caught:
            mximages(files, LABELS, split=[1, 2] * 4)
        assert words in str(caught.value)


def test_a_column_of_parts_that_is_not_used_is_said(files: list[str]) -> None:
    frame = pd.DataFrame({"file": files, "kind": LABELS, "use": WORDS})
    images, texts = images_and_messages(frame)
    assert 'Paths are taken from column "file", labels from column "kind".' in texts
    assert 'Column "use" tells parts of a data set, and is not used. To use it: split = "use".' in texts
    assert images.parts is None
    assert images_and_messages(frame.assign(label=WORDS)[["file", "label"]])[0].levels == ("test", "train", "val")


def test_groups_in_several_parts_are_named_and_whole_ones_are_said() -> None:
    who = ["ann", "ben", "cat", "dan", "ben", "cat", "eve", "dan"]
    images, texts = images_and_messages(_pictures(), LABELS, split=WORDS, groups=who)
    assert "Of 8 images 4 for training, 2 for validation, 2 for test. No group is in several of these." in texts
    with pytest.warns(PictureWarning, match="resemble images for training.\nx test: 1 of 2.*\nx groups .*: ann"):
        images = mximages(_pictures(), LABELS, split=WORDS, groups=["ann", "ben", "ann", *who[3:]])
    assert any("ann" in problem for problem in images.problems)


def test_copies_across_parts_are_counted() -> None:
    pixels = _pictures()
    pixels[2] = pixels[0]
    across = "Some images for validation or test .*\nx test: 1 of 2"
    with pytest.warns(PictureWarning, match="exact duplicates"), pytest.warns(PictureWarning, match=across):
        mximages(pixels, ["a", "b", "a", "b"] * 2, split=WORDS)


def test_a_class_that_nothing_is_trained_on_is_named() -> None:
    labels = ["a", "b", "c", "a", "b", "a", "b", "a"]
    with pytest.warns(LabelWarning, match="single image"), pytest.warns(LabelWarning, match="for training.\nx c"):
        mximages(_pictures(), labels, split=WORDS)


def test_the_range_is_that_of_the_images_for_training() -> None:
    deep = _pictures().astype(np.uint16) * 16
    deep[2] *= 16
    with pytest.warns(PictureWarning, match="scale"):
        assert mximages(deep, LABELS, split=WORDS).range == (0, 4095)
    assert mximages(deep, LABELS).range == (0, 65535)
