"""File objects are one image each."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from mxtune.errors import ArgumentError, PictureError
from mxtune.images import ImageSet, mximages


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    PIL.Image.new("L", (9, 8), 77).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def _is_the_picture(images: ImageSet) -> bool:
    return len(images) == 1 and (np.asarray(images.open(0)) == 77).all()


class Upload(io.BytesIO):
    """As werkzeug's and Streamlit's."""

    filename = "a photo.png"


class AsyncUpload:
    """As Starlette's and FastAPI's."""

    filename = "b.png"

    def __init__(self, file: Any) -> None:
        self.file = file

    async def read(self, size: int = -1) -> bytes:
        return bytes(self.file.read(size))


def test_every_kind_of_file_is_one_picture(file: Path) -> None:
    content = file.read_bytes()
    spooled = tempfile.SpooledTemporaryFile()  # noqa: SIM115
    spooled.write(content)  # and its position is the end
    with zipfile.ZipFile(file.with_suffix(".zip"), "w") as archive:
        archive.write(file, "c.png")
    opened = zipfile.ZipFile(file.with_suffix(".zip")).open("c.png")  # noqa: SIM115 - below
    with file.open("rb") as as_bytes, file.open("r", encoding="latin-1") as as_text, opened as member:
        for one, name in (
            (io.BytesIO(content), "[0]"),
            (as_bytes, str(file)),
            (as_text, str(file)),
            (spooled, "[0]"),
            (Upload(content), "a photo.png"),
            (AsyncUpload(io.BytesIO(content)), "b.png"),
            (member, "c.png"),
            (memoryview(content), "[0]"),
        ):
            images = mximages(one, on_bad="keep")
            assert images.names == [name]
            assert _is_the_picture(images)
            assert _is_the_picture(mximages([one]))


def test_a_file_is_left_where_it_was(file: Path) -> None:
    with file.open("rb") as opened:
        opened.seek(5)
        assert _is_the_picture(mximages(opened))
        assert opened.tell() == 5


def test_files_that_give_no_bytes_are_refused(file: Path) -> None:
    closed = io.BytesIO(b"x")
    closed.close()
    for wrong, words in ((closed, "it is closed"), (io.StringIO("x"), "open as text")):
        with pytest.raises(ArgumentError, match=words):
            mximages(wrong)
    with file.open("ab") as writing, pytest.raises(PictureError, match="can't be read: "):
        mximages(writing)
    with pytest.raises(PictureError, match=r"\[0\]: the file is empty"):
        mximages(io.BytesIO())


class _Reading:
    """What a user's own class may do."""

    def __init__(self, what: Any) -> None:
        self.what = what

    def read(self, size: int = -1) -> Any:  # noqa: ARG002
        if isinstance(self.what, Exception):
            raise self.what
        return self.what


@pytest.mark.parametrize(
    ("what", "reason"), [(RuntimeError("gone"), "gone"), (5, "it gives an int, not bytes"), (None, "it gives")]
)
def test_an_object_that_fails_is_named(what: Any, reason: str) -> None:
    with pytest.raises(PictureError, match=f"The _Reading can't be read: {reason}"):
        mximages(_Reading(what))


def test_a_file_open_for_writing_and_a_dict_of_files_are_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.png").open("wb") as file, pytest.raises(PictureError, match="is not open for reading"):
        mximages(file)
    with pytest.raises(ArgumentError, match=r"it is a dict\ni Give the images alone: list"):
        mximages({"a.png": _Reading(b"")})


def test_reading_without_a_size_is_enough(file: Path) -> None:
    class Whole:
        def read(self) -> bytes:
            return file.read_bytes()

    assert _is_the_picture(mximages(Whole()))
