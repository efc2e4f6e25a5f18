"""Tables in workbooks and in Parquet files."""

from __future__ import annotations

import datetime as dt
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import PIL.Image
import pytest

from mxtune import calls
from mxtune.errors import ArgumentError, LabelError, MxtuneError
from mxtune.images import ImageSet, mximages

NAMES = [f"{n}.png" for n in range(1, 5)]


@pytest.fixture(name="photos")
def _photos(tmp_path: Path) -> Path:
    for shade, name in enumerate(NAMES):
        PIL.Image.new("L", (8, 8), 9 * shade).save(tmp_path / name)
    return tmp_path


def _labels(images: ImageSet) -> list[str]:
    return [images.label_of(row) for row in range(len(images))]


def _workbook(photos: Path, rows: list[list[Any]], *more: str) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for title in more:
        book.create_sheet(title)
    book.save(photos / "labels.xlsx")
    return photos / "labels.xlsx"


def _parquet(photos: Path, labels: Any, **columns: Any) -> Path:
    pd.DataFrame({"file": NAMES, "kind": labels, **columns}).to_parquet(photos / "labels.parquet")
    return photos / "labels.parquet"


@pytest.mark.parametrize(
    ("cells", "task", "levels"),
    [
        (["001", "002"] * 2, "classification", ("001", "002")),
        (["a", "b"] * 2, "classification", ("a", "b")),
        ([True, False] * 2, "classification", ("False", "True")),
        ([1, 2, 3, 4], "regression", ()),
        ([1.5, 0, 3, 4], "regression", ()),
        ([1, "2b", 1, "2b"], "classification", ("1", "2b")),
        ([dt.datetime(2026, 5, 4), dt.datetime(2026, 5, 5)] * 2, "classification", None),
    ],
)
def test_cells_of_a_workbook_keep_their_types(photos: Path, cells: list[Any], task: str, levels: Any) -> None:
    images = mximages(_workbook(photos, [["file", "kind"], *map(list, zip(NAMES, cells))]))
    assert images.task == task
    assert levels is None or images.levels == levels
    assert images.files == [str(photos / name) for name in NAMES]


def test_a_workbook_without_a_header_has_all_its_rows(photos: Path) -> None:
    table = _workbook(photos, [[name, label] for name, label in zip(NAMES, "abab")])
    assert _labels(mximages(table)) == list("abab")


def test_the_first_sheet_is_read_without_its_empty_rows_and_columns(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [[], ["file", None, "kind"], [], *([name, None, label] for name, label in zip(NAMES, "abab")), [None, None]]
    assert _labels(mximages(_workbook(photos, rows, "old"))) == list("abab")
    assert 'Read the first of 2 sheets: "Sheet"' in capsys.readouterr().err


@pytest.mark.parametrize("missing", [None, "NA", "#N/A"])
def test_a_cell_of_a_workbook_without_a_label_is_named(photos: Path, missing: Any) -> None:
    table = _workbook(photos, [["file", "kind"], *map(list, zip(NAMES, ["a", missing, "b", "a"]))])
    with pytest.raises(LabelError, match=r"1 image has no label.\nx 2.png"):
        mximages(table)


@pytest.mark.parametrize(
    ("labels", "task", "levels"),
    [
        (["001", "002"] * 2, "classification", ("001", "002")),
        (["1", "2"] * 2, "classification", ("1", "2")),
        (["NA", "None"] * 2, "classification", ("NA", "None")),
        (["TRUE", "FALSE"] * 2, "classification", ("FALSE", "TRUE")),
        (pd.Categorical(["z", "a"] * 2, ["z", "a"]), "classification", ("z", "a")),
        ([True, False] * 2, "classification", ("False", "True")),
        ([1.5, 2, 3, 4], "regression", ()),
        (pd.array([1, 2, 3, 4], "Int64"), "regression", ()),
        ([["a", "b"], ["a"]] * 2, "multilabel", ("a", "b")),
    ],
)
def test_columns_of_parquet_are_what_they_were(photos: Path, labels: Any, task: str, levels: Any) -> None:
    images = mximages(_parquet(photos, labels))
    assert (images.task, images.levels) == (task, levels)
    assert images.files == [str(photos / name) for name in NAMES]


@pytest.mark.parametrize(
    "labels",
    [
        ["a", None, "b", "a"],
        pd.Categorical(["a", None, "b", "a"]),
        pd.array([1, None, 2, 3], "Int64"),
        pd.array([True, None, False, True], "boolean"),
        [1.5, float("nan"), 2, 3],
    ],
)
def test_a_row_of_parquet_without_a_label_is_named(photos: Path, labels: Any) -> None:
    with pytest.raises(LabelError, match=r"1 image has no label.\nx 2.png"):
        mximages(_parquet(photos, labels))


def test_an_index_with_a_name_is_a_column(photos: Path) -> None:
    frame = pd.DataFrame({"file": NAMES, "kind": list("abab")})
    frame.set_index("file").to_parquet(photos / "labels.parquet")
    assert _labels(mximages(photos / "labels.parquet")) == list("abab")
    for order in ([3, 2, 1, 0], [2, 0, 3, 1], [1, 3]):
        frame.iloc[order].to_parquet(photos / "labels.parquet")
        images = mximages(photos / "labels.parquet")
        assert images.names == [NAMES[row] for row in order]
        assert images.levels == tuple(sorted({"abab"[row] for row in order}))


def test_parts_and_groups_come_from_any_table(photos: Path) -> None:
    use, who = ["train", "train", "val", "test"], ["x", "x", "y", "z"]
    tables = (
        _parquet(photos, list("abab"), use=use, who=who),
        _workbook(photos, [["file", "kind", "use", "who"], *map(list, zip(NAMES, "abab", use, who))]),
    )
    for table in tables:
        images = mximages(table, split="use", groups="who")
        assert (images.part("test").names, images.groups) == (["4.png"], who)


@pytest.mark.parametrize("suffix", ["xlsx", "parquet"])
@pytest.mark.parametrize("content", [b"", b"not a table", b"PK\3\4" + bytes(60), b"PAR1" + bytes(60) + b"PAR1"])
def test_a_damaged_table_is_named(photos: Path, suffix: str, content: bytes) -> None:
    (photos / f"a.{suffix}").write_bytes(content)
    with pytest.raises(MxtuneError, match=rf"Can't read the table .*a\.{suffix}"):
        mximages(photos / f"a.{suffix}")


def test_a_truncated_table_is_named(photos: Path) -> None:
    for table in (_parquet(photos, list("abab")), _workbook(photos, [["file", "kind"], ["1.png", "a"]])):
        content = table.read_bytes()
        for end in range(0, len(content), 97):
            table.write_bytes(content[:end])
            with pytest.raises(MxtuneError, match="Can't read the table"):
                mximages(table)


def test_a_table_that_would_fill_the_memory_is_refused(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = _workbook(photos, [["file", "kind"], ["1.png", "a"]])
    with zipfile.ZipFile(table, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros", bytes(2_000_000))
    monkeypatch.setattr("mxtune.images.table._MOST", 1_000_000)
    with pytest.raises(MxtuneError, match=r"too large for a table: 2\.0 MB"):
        mximages(table)


def test_an_empty_table_is_named(photos: Path) -> None:
    with pytest.raises(MxtuneError, match=r'its first sheet, "Sheet", is empty'):
        mximages(_workbook(photos, [], "data"))
    with pytest.raises(MxtuneError, match="a header but no rows"):
        mximages(_workbook(photos, [["file", "kind"]]))
    pd.DataFrame({"file": [], "kind": []}).to_parquet(photos / "a.parquet")
    with pytest.raises(MxtuneError, match="it has no rows"):
        mximages(photos / "a.parquet")


@pytest.mark.parametrize(("suffix", "library"), [("xlsx", "openpyxl"), ("parquet", "pyarrow")])
def test_a_missing_library_for_a_table_is_named(
    photos: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, library: str
) -> None:
    for module in [library, *(one for one in sys.modules if one.startswith(f"{library}."))]:
        monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    (photos / f"a.{suffix}").write_bytes(b"PK\3\4" + os.urandom(60))
    with pytest.raises(MxtuneError, match=rf'needs the Python package {library}.\n.*\ni .*; the extra "tables"'):
        mximages(photos / f"a.{suffix}")
    with calls.interface("r"), pytest.raises(MxtuneError, match=r"Read it in R .* and give the data frame"):
        mximages(photos / f"a.{suffix}")


def test_damaged_bytes_never_end_the_process(photos: Path) -> None:
    table = _parquet(photos, pd.Categorical(list("abab")))
    content, rng = table.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(200):
        damaged = bytearray(content)
        damaged[rng.integers(len(damaged))] = rng.integers(256)
        table.write_bytes(damaged)
        try:
            mximages(table, on_bad="keep")
        except MxtuneError:
            refused += 1
    assert refused > 50


def test_columns_are_asked_for_by_name(photos: Path) -> None:
    with pytest.raises(ArgumentError, match="no such column"):
        mximages(_parquet(photos, list("abab")), label="kinds")
