"""What has names goes by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import PIL.Image
import pytest

from mxtune.errors import ArgumentError, LabelError, LabelWarning, PictureWarning
from mxtune.images import mximages


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    shades = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    paths = [tmp_path / name for name in ("d.png", "a.png", "cafe\u0301.png", "b.png")]
    for path, shade in zip(paths, shades):
        PIL.Image.fromarray(shade).save(path)
    return list(map(str, paths))


LABELS = ["dog", "ant", "dog", "ant"]


def _texts(images: Any) -> list[str]:
    return [images.label_of(row) for row in range(len(images))]


def _by_name(files: list[str]) -> dict[str, str]:
    return dict(sorted(zip(files, LABELS)))


def test_a_dict_of_files_gives_each_its_label(files: list[str]) -> None:
    assert _texts(mximages(files, _by_name(files))) == LABELS
    assert _texts(mximages(files, {Path(file).name: label for file, label in _by_name(files).items()})) == LABELS
    assert _texts(mximages(files, {Path(file): label for file, label in _by_name(files).items()})) == LABELS
    composed = {file.replace("e\u0301", "\u00e9"): label for file, label in _by_name(files).items()}
    assert _texts(mximages(files, composed)) == LABELS
    assert _texts(mximages(_by_name(files))) == [_by_name(files)[file] for file in sorted(files)]
    assert _texts(mximages(mximages(files), _by_name(files))) == LABELS


def test_a_dict_labels_the_pictures_of_a_folder(files: list[str]) -> None:
    folder = mximages(Path(files[0]).parent, {Path(file).name: label for file, label in zip(files, LABELS)})
    assert _texts(folder) == [dict(zip(files, LABELS))[str(file)] for file in folder.files or ()]


def test_several_labels_and_numbers_go_by_name_too(files: list[str]) -> None:
    sets = dict(zip(reversed(files), [["x"], [], ["y"], ["x", "y"]]))
    assert mximages(files, sets).y.tolist() == [[1, 1], [0, 1], [0, 0], [1, 0]]  # type: ignore[union-attr]
    assert mximages(files, dict(zip(reversed(files), [1.5, 2, 3, 4]))).y.tolist() == [4, 3, 2, 1.5]  # type: ignore[union-attr]
    table = pd.DataFrame({"x": [1, 0, 1, 0], "y": [0, 0, 1, 1]}, index=files)
    assert mximages(files, table.iloc[::-1]).y.tolist() == table.to_numpy().tolist()  # type: ignore[union-attr]


def test_pictures_without_a_label_under_their_name_are_named(files: list[str]) -> None:
    with pytest.raises(LabelError, match=r"2 images have no label.\nx .*d.png\nx .*caf.*png"):
        mximages(files, dict.fromkeys((files[1], files[3]), "ant"))
    with pytest.raises(LabelError, match="names of the labels don't match the images"):
        mximages(files, {"x.png": "ant", "y.png": "dog"})


def test_labels_of_no_picture_are_counted(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert len(mximages(files, {**_by_name(files), "z.png": "bee"})) == 4
    assert "1 label belongs to no image here." in capsys.readouterr().err


def test_a_series_with_the_files_as_index_goes_by_them(files: list[str]) -> None:
    series = pd.Series(_by_name(files))
    assert _texts(mximages(files, series)) == LABELS
    assert _texts(mximages(np.asarray(files), series.astype("category"))) == LABELS


def test_series_of_labels_go_by_the_index_of_the_pictures(files: list[str]) -> None:
    frame = pd.DataFrame({"file": files, "label": LABELS}, index=[7, 3, 9, 1])
    for x in (frame[["file"]], frame["file"]):
        assert _texts(mximages(x, frame["label"])) == LABELS
        assert _texts(mximages(x, frame["label"].sort_index())) == LABELS
        assert _texts(mximages(x, LABELS)) == LABELS
        assert _texts(mximages(x, pd.Series(LABELS))) == LABELS
        with pytest.raises(LabelError, match="different indices"):
            mximages(x, pd.Series(LABELS, index=[70, 30, 90, 10]))
        with pytest.raises(LabelError, match="different indices"):
            mximages(x, frame["label"].iloc[:3])


def test_names_that_name_no_picture_are_said(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert _texts(mximages(files, pd.Series(LABELS, index=list("wxyz")))) == LABELS
    assert "labels are taken in the order given" in capsys.readouterr().err


@pytest.mark.parametrize(
    "unordered", [set(LABELS), frozenset(LABELS), dict.fromkeys(LABELS).keys(), {1: "ant"}.values()]
)
def test_what_has_no_order_is_refused(files: list[str], unordered: Any) -> None:
    for arguments in ({"x": files, "y": unordered}, {"x": unordered}, {"x": files, "y": LABELS, "levels": unordered}):
        with pytest.raises(ArgumentError, match="has no order"):
            mximages(**arguments)  # type: ignore[arg-type]


def test_the_index_of_a_data_frame_is_kept(files: list[str]) -> None:
    frame = pd.DataFrame({"file": files, "label": LABELS}, index=[7, 3, 9, 1])
    images = mximages(frame)
    assert images.frame().index.tolist() == [7, 3, 9, 1]
    assert images.take([2, 0]).frame().index.tolist() == [9, 7]
    Path(files[1]).write_bytes(b"")
    with pytest.warns(PictureWarning, match="Left out 1 of 4"), pytest.warns(LabelWarning, match="a single image"):
        assert mximages(frame, on_bad="skip").frame().index.tolist() == [7, 9, 1]


def test_one_of_several_columns_of_pictures_is_taken_aloud(capsys: pytest.CaptureFixture[str]) -> None:
    frame = pd.DataFrame({"file": ["a.png", "b.png"], "mask": ["c.png", "d.png"]})
    assert mximages(frame, on_bad="keep").names == ["a.png", "b.png"]
    assert 'Paths are taken from column "file", not mask.' in " ".join(capsys.readouterr().err.split())
    assert mximages(frame[["file"]], on_bad="keep").names == ["a.png", "b.png"]
    assert mximages(frame, on_bad="keep", path="mask").names == ["c.png", "d.png"]
    assert capsys.readouterr().err == ""
