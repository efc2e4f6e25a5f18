"""Images behind addresses that fsspec opens, here those of its file system in memory: the same way as any other's."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import PIL.Image
import pytest

from mxtune.errors import MxtuneError, PictureError
from mxtune.images import ImageSet, mximages

FILES = ["a/0.png", "a/1.png", "b/0.png", "b/1.png"]


def png(shade: int) -> bytes:
    stream = io.BytesIO()
    PIL.Image.new("L", (9, 8), shade).save(stream, "png")
    return stream.getvalue()


def shades(images: ImageSet) -> list[int]:
    return [int(np.asarray(images.open(row)).flat[0]) for row in range(len(images))]


@pytest.fixture(name="memory")
def _memory() -> Iterator[Any]:
    system = fsspec.filesystem("memory")
    for number, name in enumerate(FILES):
        system.pipe(f"/photos/{name}", png(50 * number))
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def test_a_folder_of_classes(memory: Any) -> None:
    memory.pipe("/photos/.hidden.png", b"x")
    memory.pipe("/photos/a/notes.txt", b"hello")
    images = mximages("memory://photos/")
    assert (images.names, images.levels, shades(images)) == (FILES, ("a", "b"), [0, 50, 100, 150])
    assert images.files == [f"memory://photos/{name}" for name in FILES]
    assert len(mximages("memory://photos/a")) == 2 and len(mximages("memory://photos", recursive=True)) == 4


def test_files_by_themselves_and_in_a_list(memory: Any) -> None:
    listed = [f"memory://photos/{name}" for name in FILES]
    assert shades(mximages(listed[1])) == [50]
    images = mximages(listed, list("abab"))
    assert (images.names, shades(images)) == (listed, [0, 50, 100, 150])
    memory.pipe("/photos/a/odd", png(9))
    assert shades(mximages("memory://photos/a/odd")) == [9]


def test_a_table_names_what_lies_beside_it(memory: Any, tmp_path: Path) -> None:
    lines = "".join(f"{name},{kind}\n" for name, kind in zip(FILES, "xyxy"))
    memory.pipe("/photos/labels.csv", f"file,kind\n{lines}".encode())
    assert shades(mximages("memory://photos/labels.csv")) == [0, 50, 100, 150]
    pd.DataFrame({"file": FILES, "kind": list("xyxy")}).to_parquet(tmp_path / "labels.parquet")
    memory.pipe("/photos/labels.parquet", (tmp_path / "labels.parquet").read_bytes())
    assert mximages("memory://photos/labels.parquet").levels == ("x", "y")


def test_a_root_says_where_paths_and_addresses_of_a_table_start(memory: Any) -> None:  # noqa: ARG001
    for names in (FILES, [f"memory://photos/{name}" for name in FILES]):
        images = mximages(pd.DataFrame({"file": names, "kind": list("xyxy")}), root="memory://photos")
        assert shades(images) == [0, 50, 100, 150]


def test_a_table_alone_makes_nobody_follow_an_address(memory: Any, tmp_path: Path) -> None:
    memory.pipe("/elsewhere/x.png", png(1))
    asked: list[str] = []
    memory.cat_file = lambda path, **_: asked.append(path)
    frame = pd.DataFrame({"file": ["memory://elsewhere/x.png"], "kind": ["x"]})
    frame.to_csv(tmp_path / "labels.csv", index=False)
    for x, root in ((frame, None), (tmp_path / "labels.csv", None), (frame, "memory://photos")):
        with pytest.raises(PictureError):
            mximages(x, root=root)
    del memory.cat_file
    assert asked == []


def test_a_table_behind_an_address_names_no_file_of_this_disk(
    memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.png").write_bytes(png(3))
    monkeypatch.chdir(tmp_path)
    for name in ("mine.png", str(tmp_path / "mine.png"), "../mine.png"):
        memory.pipe("/photos/labels.csv", f"file,kind\na/0.png,x\n{name},y\n".encode())
        with pytest.raises(PictureError, match="there is no such file"):
            mximages("memory://photos/labels.csv")


def test_what_is_not_there_or_too_large_is_named(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for address, words in (
        ("memory://nowhere", "There is no file or folder memory://nowhere"),
        ("memory://photos/labels.csv", "There is no file or folder memory://photos/labels.csv"),
        ("unknown://photos", "Can't read unknown://photos.\nx Protocol not known: unknown"),
        ("s3://bucket/photos", "Reading s3://bucket/photos needs another Python package.\nx Install s3fs"),
    ):
        with pytest.raises(MxtuneError, match=words):
            mximages(address)
    memory.mkdir("/photos/x.csv")
    with pytest.raises(PictureError, match=r"x\.csv is a folder"):
        mximages("memory://photos/x.csv")
    with pytest.raises(PictureError, match=r"a/7\.png: there is no such file"):
        mximages(["memory://photos/a/7.png", "memory://photos/a/0.png"])
    monkeypatch.setattr("mxtune.images.address.MAX_BYTES", 20)
    with pytest.raises(PictureError, match="too large to be read: more than 20 bytes"):
        mximages("memory://photos/a/0.png")


def test_a_zip_file_behind_an_address_is_read_in_place(memory: Any) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number, name in enumerate(FILES):
            archive.writestr(f"all/{name}", png(50 * number))
        archive.writestr("__MACOSX/all/._0.png", b"x")
        archive.writestr("labels.csv", "file,kind\nall/a/0.png,x\nall/b/1.png,y\n")
    memory.pipe("/data/Photos.ZIP", content.getvalue())
    at = "memory://data/Photos.ZIP"
    assert mximages(f"{at}/all").files == [f"{at}/all/{name}" for name in FILES]
    for address in (f"{at}/all/", f"zip://all::{at}", f"zip://all::simplecache::{at}"):
        images = mximages(address)
        assert (images.names, images.levels, shades(images)) == (FILES, ("a", "b"), [0, 50, 100, 150])
    assert shades(mximages(f"{at}/all/a")) == shades(mximages(f"zip://all/a::{at}")) == [0, 50]
    assert shades(mximages(f"{at}/all/b/0.png")) == shades(mximages([f"zip://all/b/0.png::{at}"])) == [100]
    assert shades(mximages([f"{at}/all/{name}" for name in FILES[:3]])) == [0, 50, 100]
    table = mximages(f"{at}/labels.csv")
    assert (table.levels, shades(table)) == (("x", "y"), [0, 150])
    frame = pd.DataFrame({"file": FILES, "kind": list("xyxy")})
    assert shades(mximages(frame, root=f"{at}/all")) == [0, 50, 100, 150]


def test_a_folder_that_holds_all_of_a_zip_file_does_not_count(memory: Any) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number, name in enumerate(FILES):
            archive.writestr(f"download/photos/{name}", png(50 * number))
    memory.pipe("/data/photos.zip", content.getvalue())
    for address in ("memory://data/photos.zip", "zip::memory://data/photos.zip", "zip://::memory://data/photos.zip"):
        assert mximages(address).levels == ("a", "b")


def test_what_is_wrong_with_a_zip_file_behind_an_address_is_told(memory: Any) -> None:
    memory.pipe("/data/bad.zip", b"PK nothing")
    memory.pipe("/data/folder.zip/a/0.png", png(7))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a/0.png", png(1))
        archive.writestr("a/1.png", png(2))
    memory.pipe("/data/cut.zip", content.getvalue().replace(png(2), png(2)[:-9] + bytes(9)))
    for address, words in (
        ("memory://data/bad.zip", "Can't read memory://data/bad.zip.\nx File is not a zip file"),
        ("zip::memory://data/none.zip", "There is no file or folder memory://data/none.zip"),
        ("memory://data/none.zip", "There is no file or folder memory://data/none.zip"),
        ("memory://data/cut.zip/b", "There is no file or folder memory://data/cut.zip/b"),
        ("memory://data/cut.zip/a", r"1\.png: it can't be read \(Bad CRC-32"),
    ):
        with pytest.raises(PictureError, match=words):
            mximages(address)
    assert shades(mximages("memory://data/folder.zip", recursive=True)) == [7]


def test_a_server_that_fails_is_told_in_its_own_words(memory: Any) -> None:
    def fail(*_: Any, **__: Any) -> bytes:
        raise RuntimeError("the token has expired\nand more")

    memory.cat_file = fail
    with pytest.raises(PictureError, match=r"a/0\.png: it can't be read \(the token has expired\)\n"):
        mximages("memory://photos")
    del memory.cat_file


def test_a_long_file_that_is_no_image_is_not_read_to_its_end(memory: Any) -> None:
    memory.pipe("/photos/a/film.jpg", b"\0\0\0\x18ftypmp42" + bytes(5_000_000))
    parts: list[int] = []
    whole = memory.cat_file

    def counted(path: str, **where: Any) -> Any:
        parts.append(where["end"])
        return whole(path, **where)

    memory.cat_file = counted
    with pytest.raises(PictureError, match=r"a/film\.jpg: "):
        mximages("memory://photos/a/film.jpg")
    del memory.cat_file
    assert parts == [512]


def test_without_fsspec_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in sys.modules if one.partition(".")[0] == "fsspec"] or ["fsspec"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(PictureError, match=r'i Install it \(pip install fsspec; the extra "remote"\)'):
        mximages("memory://photos")
