"""Zip archives are read in place, hostile ones are refused, and nothing is unpacked."""

from __future__ import annotations

import copy
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import PIL.Image
import pytest

from mxtune import progress
from mxtune.errors import LabelError, MxtuneError, PictureError
from mxtune.images import ImageSet, mximages


def _png(folder: Path, shade: int) -> bytes:
    PIL.Image.new("L", (9, 8), shade).save(folder / "one.png")
    return (folder / "one.png").read_bytes()


def _zip(folder: Path, *names: str, name: str = "photos.zip", **others: bytes) -> Path:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for shade, member in enumerate(names):
            archive.writestr(member, _png(folder, shade))
        for member, content in others.items():
            archive.writestr(member, content)
    return folder / name


def _nested(*parts: str) -> list[str]:
    return [f"{part}{kind}/{n}.png" for part in parts for kind in ("cat", "dog") for n in range(2)]


def _shades(images: ImageSet) -> list[int]:
    return [int(np.asarray(images.open(row))[0, 0]) for row in range(len(images))]


def test_an_archive_of_class_folders_is_a_folder_of_them(tmp_path: Path) -> None:
    path = _zip(tmp_path, *_nested(""), **{"cat/notes.txt": b"a", "__MACOSX/cat/._0.png": b"a", ".DS_Store": b"a"})
    images = mximages(str(path))
    assert images.names == _nested("")
    assert images.levels == ("cat", "dog")
    assert _shades(images) == [0, 1, 2, 3]
    assert images.files is not None
    assert images.files[0] == str(path / "cat" / "0.png")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["one.png", "photos.zip"]


def test_a_folder_that_holds_all_others_does_not_count(tmp_path: Path) -> None:
    assert mximages(_zip(tmp_path, *_nested("photos of 2024/"))).levels == ("cat", "dog")
    flat = mximages(_zip(tmp_path, "photos/1.png", "photos/2.png"), on_bad="keep")
    assert len(flat) == 2


def test_parts_in_an_archive_are_refused_with_a_call_that_works(tmp_path: Path) -> None:
    path = _zip(tmp_path, *_nested("photos/train/", "photos/valid/"), name="whole.zip")
    with pytest.raises(LabelError) as caught:
        mximages(path)
    assert str(caught.value).endswith(f'\ni mxtrain("{path}/photos/train", valid = "{path}/photos/valid")')
    assert _shades(mximages(f"{path}/photos/train")) == [0, 1, 2, 3]
    path = _zip(tmp_path, *_nested("train/", "valid/"))
    with pytest.raises(LabelError) as caught:
        mximages(path)
    assert str(caught.value).endswith(f'\ni mxtrain("{path}/train", valid = "{path}/valid")')
    assert _shades(mximages(f"{path}/train")) == [0, 1, 2, 3]
    assert _shades(mximages(path / "valid")) == [4, 5, 6, 7]
    with pytest.raises(PictureError, match=r"There are no images in .*photos.zip/none"):
        mximages(path / "none")


def test_a_set_from_an_archive_is_pickled_and_copied(tmp_path: Path) -> None:
    images = mximages(_zip(tmp_path, *_nested("")))
    for other in (pickle.loads(pickle.dumps(images)), copy.deepcopy(images)):  # noqa: S301 - our own
        assert _shades(other) == [0, 1, 2, 3]
        assert other.fingerprint == images.fingerprint


def test_a_table_names_files_of_an_archive(tmp_path: Path) -> None:
    path = _zip(tmp_path, "train/1.png", "train/2.png", "train/3.png", "train/4.png")
    (tmp_path / "labels.csv").write_text("id,breed\n1,a\n2,b\n3,a\n4,b\n")
    for root, ids in ((path / "train", ["1", "2", "3", "4"]), (path, [f"train\\{n}" for n in range(1, 5)])):
        (tmp_path / "labels.csv").write_text("id,breed\n" + "".join(f"{one},{n % 2}x\n" for n, one in enumerate(ids)))
        images = mximages(tmp_path / "labels.csv", label="breed", root=root)
        assert images.names == ids
        assert _shades(images) == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["../../etc/1.png", "/etc/1.png", "cat/../../1.png", "C:\\1.png", "..\\1.png"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PictureError, match="contains names that point outside it"):
        mximages(_zip(tmp_path, "cat/1.png", name))


def test_a_table_in_an_archive_names_what_lies_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "file,kind\n{0}0.png,x\n{0}1.png,y\n"
    names = ["one/a/0.png", "one/a/1.png"]
    tables = {"one/beside.csv": lines.format("a/"), "list/whole.csv": lines.format("one/a/")}
    path = _zip(tmp_path, *names, **{name: text.encode() for name, text in tables.items()})
    monkeypatch.chdir(tmp_path)
    for name in tables:
        for where in (path / name, f"photos.zip/{name}"):
            images = mximages(where)
            assert (images.levels, _shades(images)) == (("x", "y"), [0, 1])
    with pytest.raises(MxtuneError, match=r"Can't read the table .*photos.zip/one/none.csv|There are no images in"):
        mximages("photos.zip/one/none.csv")
    (tmp_path / "a").mkdir()
    shutil.copy("one.png", "a/0.png")
    other = _zip(tmp_path, "b/0.png", "b/1.png", name="other.zip", **{"labels.csv": lines.format("a/").encode()})
    with pytest.raises(PictureError, match="None of the 2 files was found"):
        mximages(other / "labels.csv")  # of the disk it names nothing


def test_files_of_an_archive_are_named_as_those_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _zip(tmp_path, *_nested(""))
    monkeypatch.chdir(tmp_path)
    assert mximages("photos.zip/dog/1.png").names == ["photos.zip/dog/1.png"]
    whole = mximages(path)
    for files in (whole.files, [f"photos.zip/{name}" for name in whole.names]):
        assert _shades(mximages(files)) == _shades(whole)
    assert mximages(pd.DataFrame({"path": whole.files, "label": list("xyxy")})).levels == ("x", "y")
    assert (
        mximages(["photos.zip/dog/1.png", "photos.zip/cow/1.png"], on_bad="skip").bad[0].reason
        == "there is no such file"
    )


def test_bad_members_are_named(tmp_path: Path) -> None:
    path = _zip(tmp_path, *_nested(""), **{"dog/empty.png": b"", "dog/text.png": b"no", "dog/inner.zip": b"PK\3\4"})
    data = bytearray(path.read_bytes())
    start = data.find(b"cat/0.png") + 30
    data[start] ^= 255  # within the compressed image
    path.write_bytes(data)
    heard: list[str] = []

    class Reporter:
        def event(self, kind: str, **info: object) -> None:
            heard.extend([str(info["text"])] if kind == "message" else [])

    with pytest.raises(PictureError) as caught, progress.using(Reporter()):
        mximages(path)
    reasons = dict(caught.value.files)
    assert set(reasons) == {"cat/0.png", "dog/empty.png", "dog/text.png"}
    assert reasons["cat/0.png"].startswith("damaged in the archive")


def test_a_size_is_limited_whatever_the_archive_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mxtune.images import archive

    bomb = b"\x89PNG\r\n\x1a\n" + bytes(40_000_000)
    path = _zip(tmp_path, *_nested(""), **{"cat/bomb.png": bomb})
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(archive, "MAX_BYTES", 10_000_000)
    with pytest.raises(PictureError, match=r"cat/bomb.png: too large to be read: 40 MB"):
        mximages(path)


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"PK\5\6" + bytes(18), b"no archive"])
def test_what_is_no_archive_or_an_empty_one_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(MxtuneError, match=r"Can't read the archive|There are no images in"):
        mximages(tmp_path / "a.zip")


def test_other_archives_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(b"\x1f\x8b")
    with pytest.raises(PictureError, match=r"a.tar.gz is an archive that can't be read in place"):
        mximages(tmp_path / "a.tar.gz")
