"""What was seen of large files is not looked at again: the same audit, without decoding."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mxtune import mximages
from mxtune.errors import PictureError
from mxtune.images import ImageSet, pixels
from mxtune.images.looks import kept_in


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Photographs of 30 kB and more, grey and in colour, one turned by its EXIF block, two nearly the same."""
    folder, rng = tmp_path / "photos", np.random.default_rng(0)
    for number in range(6):
        (folder / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        grey = rng.integers(0, 256, (240, 300 + number), np.uint8)
        image = Image.fromarray(grey if number == 3 else np.stack([grey, grey[::-1], grey.T.reshape(grey.shape)], 2))
        exif = Image.Exif()
        exif[0x0112] = 6 if number == 1 else 1
        image.save(folder / "ab"[number % 2] / f"{number}.jpg", quality=95, exif=exif)
    near = Image.open(folder / "a" / "0.jpg")
    near.save(folder / "a" / "again.jpg", quality=90)
    Image.new("RGB", (20, 20)).save(folder / "b" / "small.png")
    return folder


def facts(images: ImageSet) -> tuple[object, ...]:
    return (images.sizes.tolist(), images.hashes, images.grey, images.problems, images.near_copies, repr(images))


def audited(photos: Path, folder: Path | None, monkeypatch: pytest.MonkeyPatch) -> tuple[tuple[object, ...], int]:
    """What an audit finds, and how many files it decodes."""
    decoded = []
    with monkeypatch.context() as patch:
        patch.setattr(
            pixels, "read", lambda *words, read=pixels.read, **named: decoded.append(1) or read(*words, **named)
        )
        with kept_in(folder):
            images = mximages(photos)
    return facts(images), len(decoded)


def test_a_second_audit_finds_the_same_and_decodes_small_files_alone(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, all_of_them = audited(photos, None, monkeypatch)
    assert all_of_them == 8
    assert audited(photos, tmp_path / "cache", monkeypatch) == (plain, 8)
    assert audited(photos, tmp_path / "cache", monkeypatch) == (plain, 1)
    shutil.move(
        photos / "a" / "0.jpg", photos / "b" / "moved.png"
    )  # another name and class: what is said of it changes
    moved, decoded = audited(photos, tmp_path / "cache", monkeypatch)
    assert decoded == 1
    assert moved == audited(photos, None, monkeypatch)[0] != plain


def test_pixels_are_the_same_afterwards(photos: Path, tmp_path: Path) -> None:
    for _ in range(2):
        with kept_in(tmp_path / "cache"):
            images = mximages(photos)
        for kept, plain in zip(images, mximages(photos)):
            np.testing.assert_array_equal(np.asarray(kept), np.asarray(plain))


def test_a_file_that_can_not_be_read_is_looked_at_each_time(photos: Path, tmp_path: Path) -> None:
    file = photos / "a" / "2.jpg"
    file.write_bytes(file.read_bytes()[:-9000])
    for _ in range(2):
        with kept_in(tmp_path / "cache"), pytest.raises(PictureError, match=r"2\.jpg: the file ends after"):
            mximages(photos)


def test_without_a_folder_nothing_is_kept(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MXTUNE_CACHE", str(tmp_path / "cache"))
    mximages(photos)
    assert not (tmp_path / "cache").exists()
