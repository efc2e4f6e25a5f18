"""Labels that are probably wrong: planted ones are found, and a table that a person has mended is read again."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path
from typing import Any, Optional

import numpy as np
import pandas as pd
import pytest

from hearing import listening
from mxtune import Model, mxexample, mximages, mxload, mxtrain
from mxtune.errors import ArgumentError, LabelError, PictureWarning
from mxtune.model.suspects import Suspects

HEAD: dict[str, Any] = {"tune": "head", "image_size": 48, "verbose": 0}
CLASSES = ("ankle_boot", "bag", "dress", "trouser")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four classes of clothes; four files lie in the wrong folder, and a copy of one in a second."""
    folder = tmp_path_factory.mktemp("suspects") / "photos"
    for level in CLASSES:
        (folder / level).mkdir(parents=True)
        for file in sorted((Path(mxexample("fashion")) / level).glob("*.png"))[:24]:
            shutil.copy(file, folder / level)
    for level, wrong in zip(CLASSES, (*CLASSES[1:], CLASSES[0])):
        file = sorted((folder / level).glob("*.png"))[3]
        file.rename(folder / wrong / f"planted from {level}.png")
    file = sorted((folder / "bag").glob("0*.png"))[7]
    shutil.copy(file, folder / "dress" / "copy.png")
    return folder


@pytest.fixture(scope="module")
def model(photos: Path) -> Model:
    with pytest.warns(match="different labels"):
        return mxtrain(photos, **HEAD)


@pytest.fixture(scope="module")
def suspects(model: Model) -> Suspects:
    return model.suspects()


def test_planted_labels_come_first_with_what_they_would_be(suspects: Suspects) -> None:
    table = suspects.table
    assert list(table.columns) == ["file", "label", "suggested", "prob", "suggested_prob", "score", "suspect"]
    assert len(table) == 97
    planted = table[table["file"].str.contains("planted")]
    assert planted.index.max() < 8
    assert planted["suspect"].sum() >= 3
    origin = [Path(file).stem.removeprefix("planted from ") for file in planted["file"]]
    assert planted["suggested"].astype(str).tolist() == origin
    assert table["score"].is_monotonic_decreasing
    assert (table["suspect"] == (table["score"] > np.log(10))).all()
    assert len(suspects) == table["suspect"].sum()
    assert repr(suspects).startswith(f"<Suspects: {len(suspects)} of 97 images may have a wrong label>\n")


def test_copies_with_different_labels_are_told(suspects: Suspects, model: Model, tmp_path: Path) -> None:
    copies = suspects.copies
    assert copies["set"].tolist() == [1, 1]
    assert sorted(copies["label"]) == ["bag", "dress"]
    assert "dress/copy.png (dress)" in suspects.notes[0]
    model.save(tmp_path / "m.mxt")  # exact ones are known by their content
    pd.testing.assert_frame_equal(mxload(tmp_path / "m.mxt").suspects().copies, copies)


def test_a_loaded_model_says_the_same_and_needs_the_images_for_a_sheet_alone(
    suspects: Suspects, model: Model, photos: Path, tmp_path: Path
) -> None:
    model.save(tmp_path / "m.mxt")
    loaded = mxload(tmp_path / "m.mxt")
    pd.testing.assert_frame_equal(loaded.suspects().table, suspects.table)
    with pytest.raises(LabelError, match="not at hand"):
        loaded.suspects().sheet()
    with pytest.warns(match="different labels"):
        found = loaded.suspects(photos)
    pd.testing.assert_frame_equal(found.table, suspects.table)
    assert found.sheet(4).size == suspects.sheet(4).size


def mended(file: Path, change: dict[str, Optional[str]]) -> Path:
    """The table with other labels, None for a deleted row, as a spreadsheet writes it: without quotation marks."""
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows = [{**row, "label": change.get(row["file"], row["label"])} for row in rows]
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(row for row in rows if row["label"] is not None)
    return file


def test_a_mended_table_is_trained_on(suspects: Suspects, photos: Path, tmp_path: Path) -> None:
    for place in (tmp_path, photos.parent, photos):  # outside, above and within the folder of the images
        with listening() as told:
            suspects.save(place / "s.csv")
        assert any("To train on the mended table: mxtrain(" in text for text in told)
        written = pd.read_csv(place / "s.csv", keep_default_na=False)
        assert list(written.columns) == ["file", "label", "suggested", "score"]
        assert len(written) == 97
        assert (written["suggested"] != "").sum() == len(suspects)
        first, gone = written["file"][0], written["file"][1]
        assert first.startswith("/") == (place == tmp_path)
        right = next(level for level in CLASSES if written["suggested"][0] == level)
        with pytest.warns(match="different labels"):
            images = mximages(mended(place / "s.csv", {first: right, gone: None}))
        assert len(images) == 96
        frame = images.frame().set_index("file")
        assert frame["label"][first] == right
        assert gone not in frame.index
        before = dict(zip(written["file"], written["label"]))
        assert all(before[file] == label for file, label in frame["label"].items() if file != first)
        (place / "s.csv").unlink()


def test_a_table_of_a_loaded_model_starts_where_the_images_did(model: Model, photos: Path, tmp_path: Path) -> None:
    model.save(tmp_path / "m.mxt")
    with listening() as told:
        mxload(tmp_path / "m.mxt").suspects().save(tmp_path / "s.csv")
    assert any("root is the folder or archive that they start from" in text for text in told)
    with pytest.warns(match="different labels"):
        assert len(mximages(tmp_path / "s.csv", root=photos)) == 97


def test_a_table_of_an_archive_starts_in_it(photos: Path, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "photos"), "zip", photos)
    with pytest.warns(match="different labels"):
        suspects = mxtrain(archive, **HEAD).suspects()
    with listening() as told:
        suspects.save(tmp_path / "s.csv")
    assert "archive that they start from" in told[-1]
    with pytest.warns(match="different labels"):
        assert len(mximages(tmp_path / "s.csv", root=archive)) == 97


def test_suspects_are_no_table_for_excel(suspects: Suspects, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"written as \.csv"):
        suspects.save(tmp_path / "s.xlsx")


def shades(n: int = 60, kinds: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Real garments of some kinds (N, 28, 28), and the kind of each."""
    files = [sorted((Path(mxexample("fashion")) / level).glob("*.png")) for level in CLASSES[:kinds]]
    images = mximages([str(file) for one in files for file in one[: n // kinds]])
    pixels = np.stack([np.asarray(image) for image in images])
    order = np.random.default_rng(seed).permutation(len(pixels))
    return pixels[order], np.repeat(np.arange(kinds), n // kinds)[order]


@pytest.mark.parametrize("names", [[1, 2, 30], [False, True], ["1", "02", "NA"]])
def test_labels_of_any_type_come_back(names: list[Any], tmp_path: Path) -> None:
    pixels, kinds = shades(20 * len(names), len(names))
    for number, image in enumerate(mximages(pixels)):
        image.save(tmp_path / f"{number}.png")
    frame = pd.DataFrame({"file": [f"{n}.png" for n in range(len(pixels))], "label": [names[kind] for kind in kinds]})
    images = mximages(frame, root=tmp_path, task="classification")
    model = mxtrain(images, folds=3, **HEAD)
    model.suspects().save(tmp_path / "s.csv")
    task = "classification" if isinstance(names[0], int) and not isinstance(names[0], bool) else None
    again = mximages(tmp_path / "s.csv", task=task)
    assert again.levels == images.levels
    assert again.labels.task == images.labels.task
    label_of = dict(zip(frame["file"], frame["label"]))
    assert again.frame().set_index("file")["label"].to_dict() == label_of


def test_labels_of_images_in_memory_go_back_by_name(tmp_path: Path) -> None:
    pixels, kinds = shades()
    labels = np.asarray(CLASSES)[kinds]
    labels[5] = CLASSES[(kinds[5] + 1) % 3]
    suspects = mxtrain(pixels, labels, folds=3, **HEAD).suspects()
    assert suspects.table["file"][0] == "[5]"
    with listening() as told:
        suspects.save(tmp_path / "s.csv")
    assert any('y = table.set_index("file")["label"]' in text for text in told)
    table = pd.read_csv(mended(tmp_path / "s.csv", {"[5]": CLASSES[kinds[5]]}))
    images = mximages(pixels, table.set_index("file")["label"])
    assert [images.levels[code] for code in images.y] == np.asarray(CLASSES)[kinds].tolist()


def test_a_class_that_was_divided_by_chance_may_be_one(fashion: tuple[np.ndarray, np.ndarray]) -> None:
    pixels, names = fashion
    rows = np.concatenate(
        [np.flatnonzero(names == name)[:n] for name, n in (("bag", 100), ("dress", 40), ("coat", 40))]
    )
    labels = names[rows].astype(object)
    labels[:50] = "purse"  # in the order of the data set, which is by chance
    suspects = mxtrain(pixels[rows], labels, **HEAD).suspects()
    (pair,) = suspects.classes.to_dict("records")
    assert (pair["level"], pair["other"], pair["n"], pair["other_n"]) == ("bag", "purse", 50, 50)
    assert pair["told_apart"] < pair["upper"] < 0.75
    assert "may be one class: bag and purse" in suspects.notes[-1]


def test_each_label_of_several_may_be_missing_or_wrong(tmp_path: Path) -> None:
    pixels, kinds = shades(90, 3)
    for number, image in enumerate(mximages(pixels)):
        image.save(tmp_path / f"{number}.png")
    has = pd.DataFrame({"shoe": kinds == 0, "carried": kinds == 1, "worn": kinds != 1})
    labels = has.copy()
    shoe = int(np.flatnonzero(kinds == 0)[2])
    labels.loc[shoe, "shoe"], labels.loc[shoe, "carried"] = False, True
    images = mximages([str(tmp_path / f"{number}.png") for number in range(len(pixels))], labels)
    suspects = mxtrain(images, folds=3, **HEAD).suspects()
    table = suspects.table
    assert list(table.columns)[:4] == ["file", "level", "label", "suggested"]
    assert len(table) == 3 * len(pixels)
    first = table[table["file"].str.endswith(f"/{shoe}.png")].head(2)
    assert first.index.max() < 6
    assert {(row.level, row.label, row.suggested) for row in first.itertuples()} == {
        ("shoe", False, True),
        ("carried", True, False),
    }
    with listening() as told:
        suspects.save(tmp_path / "s.csv")
    assert any("label = ['shoe', 'carried', 'worn']" in text for text in told)
    written = pd.read_csv(tmp_path / "s.csv", keep_default_na=False).set_index("file")
    assert set(written["suggested"][f"{shoe}.png"].split(", ")) == {"shoe missing", "carried wrong"}
    written.loc[f"{shoe}.png", ["shoe", "carried"]] = [True, False]
    written.to_csv(tmp_path / "s.csv")
    again = mximages(tmp_path / "s.csv", label=["shoe", "carried", "worn"])
    assert again.task == "multilabel"
    by_file = again.frame().set_index("file")[["shoe", "carried", "worn"]]
    assert (by_file.loc[[f"{n}.png" for n in range(len(pixels))]].to_numpy() == has.to_numpy()).all()


def test_a_number_that_is_far_off_is_suspect(tmp_path: Path) -> None:
    pixels, _ = shades(90, 3)
    brightness = pixels.mean(axis=(1, 2))
    y = brightness.copy()
    y[7] += 8 * brightness.std()
    with pytest.warns(match="exact duplicates"):
        images = mximages(np.concatenate([pixels, pixels[:1]]), np.append(y, y[0] + 100))
    suspects = mxtrain(images, folds=3, **HEAD).suspects()
    table = suspects.table
    assert list(table.columns) == ["file", "label", "suggested", "score", "suspect"]
    assert "[7]" in table["file"][:3].tolist()
    assert table["suspect"][0]
    assert sorted(suspects.copies["file"]) == ["[0]", "[90]"]
    assert not len(suspects.classes)
    suspects.save(tmp_path / "s.csv")
    assert pd.read_csv(tmp_path / "s.csv")["label"].dtype == np.float64


def test_without_predictions_out_of_fold_it_says_what_can_be_judged(photos: Path) -> None:
    with pytest.warns(match="different labels"):
        images = mximages(photos).take(range(60))
    settings: dict[str, Any] = {"net": "lenet", "epochs": 2, "verbose": 0}
    with pytest.warns(match="resemble|no pretrained"):
        validated = mxtrain(images, valid=0.3, **settings)
    with listening() as told:
        assert len(validated.suspects().table) == len(validated.validation)
    assert told == [
        f"Only the {len(validated.validation)} validation images can be judged: folds = 5 in training judges all."
    ]
    with pytest.warns(PictureWarning, match=f"{60 - len(validated.validation)} images were trained on"):
        assert len(validated.suspects(images).table) == 60
    with pytest.warns(match="no pretrained"):
        blind = mxtrain(images, valid=None, **settings)
    with pytest.raises(LabelError, match="remembers no images") as refused:
        blind.suspects()
    assert "folds = 5" in str(refused.value)
    with pytest.raises(ArgumentError, match="There is y"):
        validated.suspects(y=["bag"])


def test_groups_go_with_the_table(photos: Path, tmp_path: Path) -> None:
    with pytest.warns(match="different labels"):
        images = mximages(photos)
    images = images.take(range(0, 97, 2)).grouped([str(n // 2) for n in range(49)])
    suspects = mxtrain(images, folds=3, **HEAD).suspects()
    suspects.save(tmp_path / "s.csv")
    again = mximages(tmp_path / "s.csv", groups="group")
    assert dict(zip(map(Path, again.files or ()), again.groups or ())) == dict(
        zip(map(Path, images.files or ()), images.groups or ())
    )


def test_a_file_whose_name_is_no_text_is_in_the_table(photos: Path, model: Model, tmp_path: Path) -> None:
    mine = shutil.copytree(photos, tmp_path / "photos")
    shutil.move(mine / "bag" / "planted from ankle_boot.png", os.fsencode(mine / "bag") + b"/\xe9.png")
    with pytest.warns(match="different labels"):
        model.suspects(mine).save(tmp_path / "s.csv")
    assert b"photos/bag/\xe9.png" in (tmp_path / "s.csv").read_bytes()
