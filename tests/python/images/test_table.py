"""Tables of paths and labels in files, as people write them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import PIL.Image
import pytest

from hearing import images_and_messages
from mxtune.errors import ArgumentError, MxtuneError, PictureError
from mxtune.images import ImageSet, mximages

NAMES = ("1.png", "2.png", "3.png", "4.png")


@pytest.fixture(name="photos")
def _photos(tmp_path: Path) -> Path:
    """A folder with a folder ``train`` of four images."""
    (tmp_path / "train").mkdir()
    for shade, name in enumerate(NAMES):
        PIL.Image.new("L", (8, 8), 9 * shade).save(tmp_path / "train" / name)
    return tmp_path


def _table(photos: Path, text: str, name: str = "labels.csv", encoding: str = "utf-8") -> Path:
    (photos / name).write_bytes(text.encode(encoding))
    return photos / name


def _labels(images: ImageSet) -> list[str]:
    return [images.label_of(row) for row in range(len(images))]


def _rows(labels: list[str], separator: str = ",", path: str = "train/{}.png") -> str:
    return "".join(path.format(n) + f"{separator}{label}\n" for n, label in enumerate(labels, 1))


@pytest.mark.parametrize(
    ("name", "separator", "encoding"),
    [
        ("a.csv", ",", "utf-8"),
        ("a.csv", ";", "utf-8-sig"),
        ("a.csv", "\t", "utf-16"),
        ("a.csv", "|", "utf-8"),
        ("a.tsv", "\t", "utf-8"),
        ("a.txt", " ", "utf-8"),
        ("A.CSV", ";", "latin-1"),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_separators_encodings_and_line_ends(
    photos: Path, name: str, separator: str, encoding: str, ending: str
) -> None:
    text = f"file{separator}label\n" + _rows(["Bär", "Kuh", "Bär", "Kuh"], separator) + "\n"
    images, heard = images_and_messages(_table(photos, text.replace("\n", ending), name, encoding))
    assert images.levels == ("Bär", "Kuh")
    assert images.names[0] == "train/1.png"
    assert 'Paths are taken from column "file", labels from column "label".' in heard
    assert ("A.CSV is not UTF-8; it is read as Latin-1." in heard) == (encoding == "latin-1")


def test_cells_stay_what_they_are(photos: Path) -> None:
    table = _table(photos, "path,code,price,there,mixed\n" + _rows(["001,1.5,TRUE,1", "01,2,FALSE,x"] * 2))
    assert mximages(table, label="code").levels == ("001", "01")
    assert mximages(table, label="price").task == "regression"
    assert mximages(table, label="mixed").levels == ("1", "x")
    assert mximages(table, label="there").task == "classification"
    assert mximages(_table(photos, "path;p\n" + _rows(["1,5", "2,5"] * 2, ";")), label="p").y.tolist() == [1.5, 2.5] * 2
    assert mximages(_table(photos, "path,label\n" + _rows(['"7"', '"8"', '"7"', '"8"']))).levels == ("7", "8")
    assert mximages(_table(photos, "path,label\n" + _rows(['"a, b"', '"a ""b"""'] * 2))).levels == ('a "b"', "a, b")


def test_na_is_a_class_where_it_is_quoted_or_asked_for_and_missing_elsewhere(photos: Path) -> None:
    assert mximages(_table(photos, "path,label\n" + _rows(['"NA"', "None_", '"null"', "None_"]))).levels == (
        *("NA", "None_", "null"),
    )
    table = _table(photos, "path,label\n" + _rows(["NA", "None", "null", "NA"]))
    with pytest.raises(MxtuneError, match="None of the 4 images has a label"):
        mximages(table)
    assert _labels(mximages(table, levels=["NA", "None", "null"])) == ["NA", "None", "null", "NA"]


def test_a_table_without_a_header_is_seen(photos: Path) -> None:
    images, heard = images_and_messages(_table(photos, _rows(["cat", "dog", "cat", "dog"])))
    assert _labels(images) == ["cat", "dog", "cat", "dog"]
    assert heard[0] == "labels.csv has no header: its columns are called 1, 2."
    images, _ = images_and_messages(
        _table(photos, _rows(["cat", "dog", "cat", "dog"], path="train/{}")), path="1", label="2"
    )
    assert len(images) == 4
    digits = mximages(_table(photos, "file,0,1\n" + _rows(["1,0", "0,1"] * 2)), label=["0", "1"])
    assert digits.levels == ("0", "1")


def test_names_of_rows_and_empty_columns_are_left_out(photos: Path) -> None:
    for header in ('"","path","label"', "path,label", "Unnamed: 0,path,label"):
        rows = "".join(f'"{n}","train/{n}.png","{label}"\n' for n, label in zip("1234", "abab"))
        assert _labels(mximages(_table(photos, f"{header}\n{rows}"))) == list("abab")
    assert _labels(mximages(_table(photos, "path;label;;\n" + _rows(["a;;", "b;;"] * 2, ";") + ";;;\n"))) == list(
        "abab"
    )


@pytest.mark.parametrize("path", ["{}", "{}.png", "train/{}", "train\\{}.png", ".\\train\\{}", "train/{}.PNG"])
def test_paths_are_found_as_people_write_them(photos: Path, path: str) -> None:
    table = _table(photos, "id,breed\n" + _rows(["a", "b"] * 2, path=path))
    root = None if "train" in path else photos / "train"
    images, heard = images_and_messages(table, root=root)
    assert _labels(images) == ["a", "b"] * 2
    assert images.names[0] == path.format(1)
    assert images.files is not None
    assert images.files[0] == str(photos / "train" / "1.png")
    assert heard[-1 if images.names[0].endswith(".png") else -2] == f"Paths are relative to {root or photos}."
    frame = pd.read_csv(table, dtype=str)
    assert mximages(frame, path="id", root=root or photos).files == images.files
    assert mximages(frame["id"].tolist(), root=root or photos).files == images.files


def test_paths_of_the_current_folder_are_found(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (photos / "tables").mkdir()
    table = _table(photos, "path,label\n" + _rows(["a", "b"] * 2), "tables/a.csv")
    monkeypatch.chdir(photos)
    assert len(mximages(table)) == 4


def test_all_missing_is_one_sentence_that_says_where_it_looked(photos: Path) -> None:
    table = _table(photos, "path,label\n" + _rows(["a", "b"] * 2, path="{}.png"))
    with pytest.raises(PictureError) as caught:
        mximages(table)
    assert str(caught.value) == (
        f"None of the 4 files was found.\nx the first is 1.png\nx searched in {photos}, {Path.cwd()}\n"
        f'i They are relative to another folder: root = "{photos / "train"}".'
    )
    with pytest.raises(PictureError, match="None of the 3 files was found"):
        mximages(["a.png", "b.png", "c.png"])
    with pytest.raises(PictureError, match=r"There is no folder .*none"):
        mximages(table, root=photos / "none")


def test_some_missing_are_named(photos: Path) -> None:
    table = _table(photos, "path,label\n" + _rows(["a", "b"] * 2) + "train/5.png,a\n,b\n")
    with pytest.raises(PictureError) as caught:
        mximages(table)
    assert caught.value.files == (("train/5.png", "there is no such file"), ("[5]", "there is no path"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is empty"),
        ("\n \n", "it is empty"),
        ("path,label\n", "it has a header but no rows"),
        ("path,label\ntrain/1.png,a,b\ntrain/2.png,a\n", "x row 1: 3 cells"),
        ("path,path\ntrain/1.png,a\n", "have the same name"),
        ("a,b\n1,2\n", "No column contains image paths"),
        ("\0\1\2", "not a text file"),
    ],
)
def test_what_is_no_table_is_refused(photos: Path, text: str, words: str) -> None:
    with pytest.raises(MxtuneError, match=words):
        mximages(_table(photos, text))


def test_columns_that_are_not_there_and_arguments_without_use_are_refused(photos: Path) -> None:
    table = _table(photos, "path,label\n" + _rows(["a", "b"] * 2))
    with pytest.raises(ArgumentError, match=r"no such column.\nx kind\ni Its columns are path, label."):
        mximages(table, label="kind")
    for wrong in ({"label": "x"}, {"path": "x"}, {"root": photos}):
        with pytest.raises(ArgumentError, match="not to these images"):
            mximages(photos / "train", **wrong)
        with pytest.raises(ArgumentError, match="not to these images"):
            mximages(mximages(table), **wrong)


def test_two_columns_of_one_name_stop_nothing_unless_they_are_asked_for(photos: Path) -> None:
    paths = [str(photos / "train" / name) for name in NAMES]
    frame = pd.DataFrame(list(zip(paths, "abab", range(4), range(4))), columns=["file", "kind", "n", "n"])
    assert _labels(mximages(frame, label="kind")) == list("abab")
    with pytest.raises(ArgumentError, match='Several columns are called "n"'):
        mximages(frame, label="n")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("<!DOCTYPE html><html>404</html>\n", "it is a web page"),
        ('[{"file": "1.png", "kind": "x"},\n{}]', "it is JSON"),
        ("<?xml version='1.0'?>\n<a/>", "it is XML"),
        ("# nothing\n", "it has a header but no rows"),
    ],
)
def test_what_is_no_table_is_called_what_it_is(photos: Path, content: str, why: str) -> None:
    with pytest.raises(MxtuneError, match=rf"Can't read the table .*\nx {why}"):
        mximages(_table(photos, content))


@pytest.mark.parametrize("suffix", [".xls", ".ods", ".json", ".rds"])
def test_tables_that_are_not_read_lead_to_those_that_are(photos: Path, suffix: str) -> None:
    with pytest.raises(MxtuneError, match=rf"x tables in {suffix} are not read\ni Save it as .csv"):
        mximages(_table(photos, "x", f"labels{suffix}"))


@pytest.mark.parametrize("first", ["# made by hand\n# 2026\n", "sep=,\n"])
def test_remarks_before_the_header_are_passed_over(photos: Path, first: str) -> None:
    assert _labels(mximages(_table(photos, first + "file,kind\n" + _rows(["a", "b"] * 2)))) == ["a", "b"] * 2


def test_blanks_around_paths_do_not_count(photos: Path) -> None:
    table = _table(photos, _rows(["a", "b"] * 2, path='" train/{}.png "'))
    assert [Path(file or "").name for file in mximages(table).files or ()] == list(NAMES)


def test_columns_are_named_once_and_by_name(photos: Path) -> None:
    frame = pd.DataFrame({"file": [str(photos / "train" / name) for name in NAMES], "kind": list("abab")})
    for wrong, words in (
        ({"label": 1}, "no such column.\nx 1"),
        ({"label": []}, "`label` must name a column"),
        ({"label": "kind", "groups": "kind"}, '"kind" is used twice: by `groups`'),
        ({"path": "file", "split": "file"}, '"file" is used twice: by `split`'),
    ):
        with pytest.raises(ArgumentError, match=words):
            mximages(frame, **wrong)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"The index has them.*reset_index"):
        mximages(frame.set_index("file"))


def test_a_column_holds_what_a_data_set_of_hugging_face_does(photos: Path) -> None:
    files = [photos / "train" / name for name in NAMES]
    cells = [{"bytes": file.read_bytes(), "path": None} for file in files[:2]]
    cells += [{"bytes": None, "path": str(file)} for file in files[2:]]
    images = mximages(pd.DataFrame({"image": cells, "kind": list("abab")}))
    assert [images.open(row).getpixel((0, 0)) for row in range(4)] == [0, 9, 18, 27]
