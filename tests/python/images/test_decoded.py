"""Decoded images in the cache: the same pixels as without, decoded once, by the content of the images."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mxtune import mxexample, mximages
from mxtune.images import decoded, loader, pixels
from mxtune.images.augment import Augment
from mxtune.images.loader import Loader
from mxtune.images.preprocess import Preprocess

SPEC = Preprocess(size=(48, 48), channels=3, mean=(0, 0, 0), std=(255, 255, 255))
AUGMENTED = Augment.parse("light", small=False, grey=False)


@pytest.fixture(autouse=True)
def _little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two images fill the memory, and eight a file."""
    monkeypatch.setattr(loader, "KEPT_BYTES", 2 * 48 * 48 * 3)
    monkeypatch.setattr(decoded, "PER_FILE", 8 * 48 * 48 * 3)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twenty photographs of different proportions."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(20):
        pixels = rng.integers(0, 256, (60 + 3 * number, 90, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02d}.jpg")
    return folder


def rounds(photos: Path, folder: Path | None, augment: Augment | None = AUGMENTED) -> np.ndarray:
    """Two rounds of training, and the images as they are predicted."""
    images = Loader(mximages(photos, recursive=True), SPEC, augment, seed=1, folder=folder)
    order = np.random.default_rng(0).permutation(20)
    batches = [
        images.augmented_batch(order[start : start + 6], round_) for round_ in (0, 1) for start in (0, 6, 12, 18)
    ]
    return np.concatenate([*batches, *(batch for _, batch in images.eval_batches(6))])


@pytest.mark.parametrize("augment", [AUGMENTED, None])
def test_pixels_are_the_same_cold_warm_and_without(photos: Path, tmp_path: Path, augment: Augment | None) -> None:
    plain = rounds(photos, None, augment)
    for _ in range(2):
        np.testing.assert_array_equal(rounds(photos, tmp_path / "cache", augment), plain)
    assert len(list((tmp_path / "cache").glob("*.pixels"))) in (2, 3)  # the last ones are too few for a file


def test_later_rounds_decode_nothing(photos: Path, tmp_path: Path) -> None:
    images = Loader(mximages(photos, recursive=True), SPEC, AUGMENTED, seed=1, folder=tmp_path / "cache")
    first = [images.augmented_batch(range(start, start + 4), 0) for start in range(0, 20, 4)]
    shutil.rmtree(photos)
    assert [images.augmented_batch(range(start, start + 4), 0).tolist() for start in range(0, 20, 4)] == [
        batch.tolist() for batch in first
    ]


def test_another_set_finds_what_it_shares(photos: Path, tmp_path: Path) -> None:
    rounds(photos, tmp_path / "cache")
    files = {file.name: file.stat().st_ino for file in (tmp_path / "cache").glob("*.pixels")}
    shutil.copytree(photos, tmp_path / "others")
    (tmp_path / "others" / "07.jpg").rename(tmp_path / "others" / "99.jpg")
    np.testing.assert_array_equal(rounds(tmp_path / "others", tmp_path / "cache"), rounds(tmp_path / "others", None))
    assert files == {file.name: file.stat().st_ino for file in (tmp_path / "cache").glob("*.pixels")}


def test_a_damaged_file_is_decoded_anew(photos: Path, tmp_path: Path) -> None:
    plain = rounds(photos, tmp_path / "cache")
    for file in (tmp_path / "cache").glob("*.pixels"):
        content = bytearray(file.read_bytes())
        content[5000] ^= 1
        file.write_bytes(content)
    np.testing.assert_array_equal(rounds(photos, tmp_path / "cache"), plain)


def test_a_file_that_changed_since_it_was_looked_at_is_not_kept_under_what_it_was(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "ROOM", 0)
    plain, looked_at = rounds(photos, None, None), mximages(photos, recursive=True)
    first = (photos / "00.jpg").read_bytes()
    shutil.copy(photos / "01.jpg", photos / "00.jpg")
    Loader(looked_at, SPEC, folder=tmp_path / "cache").eval_batch(range(20))
    assert len(list((tmp_path / "cache").glob("*.pixels"))) == 1
    (photos / "00.jpg").write_bytes(first)
    np.testing.assert_array_equal(rounds(photos, tmp_path / "cache", None), plain)


def test_they_take_half_of_what_the_cache_may_hold(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MXTUNE_CACHE_GB", str(2 * 12 * 48 * 48 * 3 / 1e9))
    plain = rounds(photos, None, None)
    for _ in range(2):
        np.testing.assert_array_equal(rounds(photos, tmp_path / "cache", None), plain)
        assert len(list((tmp_path / "cache").glob("*.pixels"))) == 1


def test_two_trainings_at_once_share_them(photos: Path, tmp_path: Path) -> None:
    found: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: found.append(rounds(photos, tmp_path / "cache"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    plain = rounds(photos, None)
    assert len(found) == 2
    for one in found:
        np.testing.assert_array_equal(one, plain)


def test_what_fits_in_memory_leaves_no_trace(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "KEPT_BYTES", 2**29)
    rounds(photos, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
    images = Loader(mximages(mxexample("fashion")), SPEC, AUGMENTED, repeated=False, folder=tmp_path / "cache")
    images.eval_batch(range(9))
    assert not (tmp_path / "cache").exists()
