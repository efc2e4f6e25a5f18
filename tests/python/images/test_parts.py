"""Folders named as parts of a data set, or that hold the class folders, are no classes."""

from __future__ import annotations

from pathlib import Path

import PIL.Image
import pytest

from mxtune import calls, progress
from mxtune.errors import LabelError
from mxtune.images import mximages


def _tree(root: Path, *files: str) -> Path:
    """Images, each of its own grey; and empty files, where the name is not an image's."""
    for shade, name in enumerate(files):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".png"):
            PIL.Image.new("L", (8, 8), shade).save(root / name)
        else:
            (root / name).write_text("path,label\n")
    return root


def _nested(*parts: str) -> list[str]:
    return [f"{part}/{kind}/{n}.png" for part in parts for kind in ("cat", "dog") for n in range(2)]


def _refusal(root: Path) -> str:
    with pytest.raises(LabelError) as caught:
        mximages(root)
    return str(caught.value).replace(f"{root}/", "").replace(str(root), "x")


@pytest.mark.parametrize("loose", [[], ["README.md"], ["labels.csv", "models/net.pt", "extra/1.png"]])
@pytest.mark.parametrize(
    ("train", "valid"),
    [
        ("train", "valid"),
        ("Train", "VAL"),
        ("training_set", "validation_set"),
        ("seg_train", "seg_dev"),
        ("trainSet", "ValSet"),
        ("train2017", "val2017"),
        ("01 training images", "02 validation images"),
        ("trainset", "valset"),
        ("seg_train/seg_train", "seg_valid/seg_valid"),
    ],
)
def test_the_root_of_a_data_set_is_refused_with_the_call_that_was_meant(
    tmp_path: Path, train: str, valid: str, loose: list[str]
) -> None:
    text = _refusal(_tree(tmp_path, *_nested(train, valid), *loose))
    assert text.startswith("The folders in x are parts of a data set, not classes.\nx ")
    assert text.endswith(f'\ni mxtrain("{train}", valid = "{valid}")')


def test_what_to_do_with_a_test_part_is_told_as_well(tmp_path: Path) -> None:
    _tree(tmp_path, *_nested("train", "val", "test"))
    assert _refusal(tmp_path).endswith('\ni mxtrain("train", valid = "val")\nmodel.evaluate("test")')
    with calls.interface("command"):
        assert _refusal(tmp_path).endswith(
            "\ni mxtune train train --valid val -o model.mxt\nmxtune evaluate model.mxt test"
        )
    with calls.interface("r"):
        assert _refusal(tmp_path).endswith('\nmxevaluate(model, "test")')


def test_flat_parts_have_their_labels_in_a_table(tmp_path: Path) -> None:
    _tree(tmp_path, "train/1.png", "train/2.png", "test/3.png", "answers.csv", "sample_submission.csv", "train.csv")
    assert _refusal(tmp_path).endswith('\ni If train.csv has the labels: mxtrain("train.csv", root = "train")')
    for table in tmp_path.glob("*.csv"):
        table.unlink()
    assert _refusal(tmp_path).endswith("\ni There are no class folders in train: give the labels as a table.")


def test_a_flat_test_part_is_for_predictions(tmp_path: Path) -> None:
    _tree(tmp_path, *_nested("train"), "test1/1.png", "test1/2.png", "sample_submission.csv")
    assert _refusal(tmp_path).endswith('\ni mxtrain("train")\nmodel.predict("test1")')


def test_a_lone_part_that_holds_the_classes_is_refused(tmp_path: Path) -> None:
    _tree(tmp_path, *_nested("train"), "unknown/1.png", "models/a.pt")
    assert _refusal(tmp_path).endswith('parts of a data set, not classes.\nx train\ni mxtrain("train")')


def test_parts_further_down_are_found(tmp_path: Path) -> None:
    _tree(tmp_path, *_nested("data/set/train", "data/set/valid"), "readme.md")
    assert _refusal(tmp_path).endswith('\ni mxtrain("data/set/train", valid = "data/set/valid")')


def test_folds_of_the_same_classes_are_refused(tmp_path: Path) -> None:
    _tree(tmp_path, *_nested("fold_1", "fold_2", "fold_3"))
    assert _refusal(tmp_path).endswith('\ni mxtrain("fold_1", valid = "fold_2")')


def test_flat_folds_and_parts_of_one_role_are_no_classes(tmp_path: Path) -> None:
    for folder in ("flat", "roles", "objects"):
        (tmp_path / folder).mkdir()
    text = _refusal(_tree(tmp_path / "flat", "fold_0/1.png", "fold_1/2.png"))
    assert text.endswith("\ni There are no class folders in fold_0: give the labels as a table.")
    text = _refusal(_tree(tmp_path / "roles", *_nested("dev", "eval")))
    assert text.endswith('\ni mxtrain("dev", valid = "eval")')
    assert mximages(_tree(tmp_path / "objects", "part_1/1.png", "part_2/2.png")).levels == ("part_1", "part_2")


def test_a_single_class_names_the_folders_inside(tmp_path: Path) -> None:
    _tree(tmp_path, *_nested("images/photos"), "readme.txt")
    assert _refusal(tmp_path) == (
        'All images have the same label, "images". At least two classes are needed.\n'
        'x images holds the folders cat, dog\ni If these are the classes: mxtrain("images/photos")'
    )
    (tmp_path / "flat").mkdir()
    _tree(tmp_path / "flat", "images/1.png", "images/2.png", "labels.csv")
    assert _refusal(tmp_path / "flat").endswith(
        '\ni If labels.csv has the labels: mxtrain("labels.csv", root = "images")'
    )


@pytest.mark.parametrize(
    "names",
    [("bus", "train", "car"), ("train station", "test tube"), ("valid", "invalid"), ("test positive", "test negative")],
)
def test_classes_may_be_called_as_parts(tmp_path: Path, names: tuple[str, ...]) -> None:
    images = mximages(_tree(tmp_path, *(f"{name}/{n}.png" for name in names for n in range(2))))
    assert images.levels == tuple(sorted(names))


def test_classes_with_the_same_folders_inside_are_said(tmp_path: Path) -> None:
    heard: list[str] = []

    class Reporter:
        def event(self, kind: str, **info: object) -> None:
            heard.extend([str(info["text"])] if kind == "message" else [])

    def told(folder: str, *files: str) -> str:
        heard.clear()
        (tmp_path / folder).mkdir()
        with progress.using(Reporter()):
            mximages(_tree(tmp_path / folder, *files))
        return " ".join(heard)

    outer = "The outer folders are the classes: potato, tomato."
    assert told("same", *_nested("potato", "tomato")) == f"{outer} The folders inside them are not: cat, dog."
    one = told("one", *_nested("potato"), "tomato/1.png")
    assert one == f"{outer} The folders inside them are not: cat, dog."
    parts = told("parts", *(f"{name}/{part}/1.png" for name in ("potato", "tomato") for part in ("train", "test")))
    assert parts == f"{outer} What is in test, train is taken together: `split` keeps it apart."


def test_parts_do_not_matter_where_labels_do_not(tmp_path: Path) -> None:
    _tree(tmp_path, *_nested("train", "test"))
    assert len(mximages(tmp_path, recursive=True)) == len(mximages(tmp_path, on_bad="keep")) == 8
