"""Features of the frozen network: computed once, kept, and computed again where what was kept is damaged."""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fsspec
import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from hearing import listening
from mxtune import Network, engines, machine, mxexample, mximages, mxnetwork, mxtrain, progress, store
from mxtune.engines import Program, choose
from mxtune.errors import ArgumentError, TrainingError
from mxtune.images.loader import Loader
from mxtune.shelf import Shelf
from mxtune.training.features import features, fingerprint

CPU = choose("cpu")
IMAGES = mximages(mxexample("fashion")).take(range(0, 320, 10))


@pytest.fixture(scope="module")
def body() -> Network:
    return mxnetwork("efficientnet_lite0", image_size=64).replace_head(10, stages=True).body


@pytest.fixture
def sets(body: Network) -> list[Loader]:
    return [Loader(IMAGES.take(range(25)), body.preprocess), Loader(IMAGES.take(range(25, 32)), body.preprocess)]


@pytest.fixture(scope="module")
def expected(body: Network) -> np.ndarray:
    return np.asarray(CPU.bind(Program.of(body)).predict(Loader(IMAGES, body.preprocess).eval_batch(range(32))))


def test_every_set_gets_its_rows_of_one_array(body: Network, sets: list[Loader], expected: np.ndarray) -> None:
    train, held = features(body, sets, CPU, 8)
    assert (train.shape, held.shape) == ((25, expected.shape[1]), (7, expected.shape[1]))
    assert train.base is held.base is not None
    np.testing.assert_allclose(np.concatenate([train, held]), expected, atol=1e-4)


def test_a_second_run_computes_nothing(body: Network, sets: list[Loader], tmp_path: Path) -> None:
    told: list[str] = []

    class Listener:
        def event(self, kind: str, **info: Any) -> None:
            told.append(f"{kind} {info.get('n', '')}")

    first = features(body, sets, CPU, 8, tmp_path)
    files = {file: file.stat().st_ino for file in tmp_path.glob("*.rows")}
    assert len(files) == 2
    with progress.using(Listener()):
        second = features(body, sets, CPU, 8, str(tmp_path))
    assert told[1:3] == ["advance 25", "advance 7"]  # whole sets at once, not batches
    assert files == {file: file.stat().st_ino for file in tmp_path.glob("*.rows")}
    for one, other in zip(first, second):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("damage", ["cut", "byte", "empty", "other"])
def test_a_damaged_file_is_computed_anew(body: Network, sets: list[Loader], tmp_path: Path, damage: str) -> None:
    whole = features(body, sets, CPU, 8, tmp_path)
    for file in tmp_path.glob("*.rows"):
        content = bytearray(file.read_bytes())
        content[5000] ^= 1 if damage == "byte" else 0
        file.write_bytes({"cut": content[:-100], "byte": content, "empty": b"", "other": b"no array at all"}[damage])
    for one, other in zip(features(body, sets, CPU, 8, tmp_path), whole):
        np.testing.assert_array_equal(one, other)


def test_another_network_or_size_has_other_files(body: Network, sets: list[Loader], tmp_path: Path) -> None:
    features(body, sets[1:], CPU, 8, tmp_path)
    other = replace(body, params={**body.params, "stem_conv_weight_": np.zeros(1, "float32")})
    assert fingerprint(other) != fingerprint(body)
    spec = replace(body.preprocess, size=(96, 96))
    features(replace(body, preprocess=spec), [Loader(sets[1].images, spec)], CPU, 8, tmp_path)
    features(replace(body, params=dict(body.params)), sets[1:], CPU, 8, tmp_path)
    assert len(list(tmp_path.glob("*.rows"))) == 2


def heard(body: Network, rows: list[int], cache: Any, engine: str = "auto") -> tuple[np.ndarray, list[int]]:
    """The features of these images, and how many came at once: those kept first, then batch by batch."""
    told: list[int] = []
    listener = SimpleNamespace(event=lambda kind, n=0, **_: told.append(n) if kind == "advance" else None)
    with progress.using(listener):
        found = features(body, [Loader(IMAGES.take(rows), body.preprocess)], choose("cpu", engine=engine), 8, cache)
    return found[0], told


@pytest.mark.parametrize("engine", engines.installed())
def test_only_images_that_are_new_are_computed_whatever_their_order_and_set(
    body: Network, tmp_path: Path, engine: str
) -> None:
    first, told = heard(body, [*range(3, 20)], tmp_path, engine)
    assert told == [8, 8, 1]
    for rows, expected in (
        ([*range(19, 2, -1)], [17]),  # another order
        ([4, 9], [2]),  # fewer
        ([*range(2, 20)], [17, 1]),  # one more
        ([7, 30, 7, 31, 8], [3, 2]),  # one twice
        ([30, 29, 2], [2, 1]),
    ):
        with_cache, told = heard(body, rows, tmp_path, engine)
        assert told == expected
        without, _ = heard(body, rows, False, engine)
        np.testing.assert_array_equal(with_cache, without)
    np.testing.assert_array_equal(first, heard(body, [*range(3, 20)], False, engine)[0])


@pytest.mark.parametrize("engine", engines.installed())
@pytest.mark.parametrize("side", [64, 150])
def test_what_else_is_in_a_batch_changes_no_bit(engine: str, side: int) -> None:
    body = mxnetwork("efficientnet_lite0", image_size=side).replace_head(10, stages=True).body
    whole = heard(body, [*range(32)], False, engine)[0]
    for rows in (np.random.default_rng(0).permutation(32), np.arange(9), np.array([5])):
        np.testing.assert_array_equal(heard(body, rows.tolist(), False, engine)[0], whole[rows])


def counted_in(folder: Path) -> int:
    names = {file.name[:32] for file in folder.glob("*.rows")}
    return sum(len(Shelf(folder, name, np.float32)._places) for name in names)


def test_images_that_changed_since_they_were_looked_at_are_not_kept_under_what_they_were(
    body: Network, tmp_path: Path
) -> None:
    photos, kept = tmp_path / "photos", tmp_path / "cache"
    photos.mkdir()
    for place, file in enumerate(IMAGES.files[:6]):
        shutil.copy(file, photos / f"{place}.png")
    os.utime(photos / "1.png", (4e9, 4e9))  # by a camera whose clock is wrong
    looked_at = mximages(photos)
    new = (np.asarray(IMAGES.open(6)), (photos / "0.png").stat().st_mtime_ns)
    Image.fromarray(new[0]).save(photos / "0.png")
    os.utime(photos / "0.png", ns=(new[1], new[1]))  # as old as the one before
    features(body, [Loader(looked_at, body.preprocess)], CPU, 8, kept)
    assert counted_in(kept) == 5

    pixels = np.stack([np.asarray(IMAGES.open(row)) for row in range(6, 12)])
    before = pixels.copy()
    looked_at = mximages(pixels)
    pixels[:2] = 255 - pixels[:2]
    features(body, [Loader(looked_at, body.preprocess)], CPU, 8, kept)
    assert counted_in(kept) == 9
    for images in (mximages(before), mximages(pixels)):
        loaders = [Loader(images, body.preprocess)]
        np.testing.assert_array_equal(features(body, loaders, CPU, 8, kept), features(body, loaders, CPU, 8, False))


def test_what_changed_behind_an_address_is_not_kept_under_what_it_was(body: Network, tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    contents = [Path(file).read_bytes() for file in IMAGES.files[:6]]
    memory.pipe({f"/changes/{place}.png": content for place, content in enumerate(contents)})
    try:
        looked_at = mximages("memory://changes")
        looked_at._pixels._kept.clear()  # as of images that are too large to be kept
        memory.pipe("/changes/0.png", contents[5])
        features(body, [Loader(looked_at, body.preprocess)], CPU, 8, tmp_path)
    finally:
        memory.rm("/changes", recursive=True)
    assert counted_in(tmp_path) == 5


def test_numbers_whose_black_and_white_all_images_decide_are_kept_by_the_set(body: Network, tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3)).astype(np.float32)
    for images in (values, values[:4], values[::-1]):
        features(body, [Loader(mximages(images, on_bad="keep"), body.preprocess)], CPU, 8, tmp_path)
    assert len(list(tmp_path.glob("*.rows"))) == 3


def test_nobody_waits_long_for_another_process(body: Network, sets: list[Loader], tmp_path: Path) -> None:
    with FileLock(tmp_path / ".lock"):
        start = time.monotonic()
        array = features(body, sets[1:], CPU, 8, tmp_path)[0]
        assert time.monotonic() - start < 30
    assert not list(tmp_path.glob("*.rows"))
    np.testing.assert_array_equal(features(body, sets[1:], CPU, 8, tmp_path)[0], array)
    assert len(list(tmp_path.glob("*.rows"))) == 1


def test_another_arithmetic_has_other_files(body: Network, sets: list[Loader], tmp_path: Path) -> None:
    class OtherPasses(type(CPU.engine)):  # type: ignore[misc]
        passes = ("another",)

    for engine in (CPU.engine, OtherPasses()):
        features(body, sets[1:], replace(CPU, engine=engine), 8, tmp_path)
    assert len(list(tmp_path.glob("*.rows"))) == 2


def test_engines_do_not_share_files(body: Network, sets: list[Loader], tmp_path: Path) -> None:
    made = [features(body, sets[1:], choose("cpu", engine=name), 8, tmp_path)[0] for name in engines.installed()]
    assert len(list(tmp_path.glob("*.rows"))) == len(made)
    for array in made:
        np.testing.assert_allclose(array, made[0], rtol=1e-4, atol=1e-4)


def test_true_keeps_them_where_mxtune_keeps_things(
    body: Network, sets: list[Loader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MXTUNE_CACHE", str(tmp_path / "new"))
    features(body, sets[1:], CPU, 8, True)
    assert len(list((tmp_path / "new" / "features").glob("*.rows"))) == 1


def test_by_default_they_are_kept_where_there_is_room(
    body: Network, sets: list[Loader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kept(cache: Any = None) -> int:
        heard: list[str] = []
        with progress.using(SimpleNamespace(event=lambda kind, **_: heard.append(kind))):
            features(body, sets[1:], CPU, 8, cache)
        assert "message" not in heard
        return len(list(tmp_path.rglob("*.rows")))

    (tmp_path / "file").touch()
    monkeypatch.setenv("MXTUNE_CACHE", str(tmp_path / "new"))
    nowhere = ("MXTUNE_CACHE", str(tmp_path / "file" / "deeper"))
    for name, value in (nowhere, ("MXTUNE_CACHE_GB", "0"), ("MXTUNE_CACHE_GB", "1e-6")):
        with monkeypatch.context() as context:
            context.setenv(name, value)
            assert kept() == 0
    assert kept(False) == 0
    assert kept() == kept() == 1


def test_another_batch_size_processor_or_version_has_other_files(
    body: Network, sets: list[Loader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features(body, sets[1:], CPU, 8, tmp_path)
    features(body, sets[1:], CPU, 4, tmp_path)
    for name, value in (("processor", "another"), ("usable_cpus", 64)):
        with monkeypatch.context() as context:
            context.setattr(f"mxtune.machine.{name}", lambda value=value: value)
            features(body, sets[1:], CPU, 8, tmp_path)
    monkeypatch.setattr("PIL.__version__", "another")
    features(body, sets[1:], CPU, 8, tmp_path)
    assert len(list(tmp_path.glob("*.rows"))) == 5


def test_a_folder_that_can_not_be_written_is_said_at_once(body: Network, sets: list[Loader], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArgumentError, match="The folder of `cache` is not writable"):
        features(body, sets, CPU, 8, tmp_path / "file" / "deeper")


def test_a_folder_that_is_only_read_is_used_as_it_is(
    body: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    kept = tmp_path / "features"
    monkeypatch.setenv("MXTUNE_CACHE", str(tmp_path))
    whole, _ = heard(body, [*range(16)], kept)
    before = {file: file.read_bytes() for file in kept.iterdir()}
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    with monkeypatch.context() as context:
        context.setattr(os, "open", read_only)
        for cache in (None, True, kept):
            found, told = heard(body, [*range(17)], cache)
            assert told == [16, 1]
            np.testing.assert_array_equal(found[:16], whole)
    assert {file: file.read_bytes() for file in kept.iterdir()} == before
    monkeypatch.setattr(machine, "free_memory", lambda: 0)  # which needs a file that can be written to
    np.testing.assert_array_equal(heard(body, [*range(16)], kept)[0], whole)


def test_a_bound_that_is_no_number_is_said_at_once(
    body: Network, sets: list[Loader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MXTUNE_CACHE_GB", "much")
    with pytest.raises(ArgumentError, match="`MXTUNE_CACHE_GB` must be a number of gigabytes"):
        features(body, sets, CPU, 8, tmp_path)


def test_a_full_disk_costs_only_the_cache(
    body: Network, sets: list[Loader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: np.ndarray
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    array = features(body, sets, CPU, 8, tmp_path)
    np.testing.assert_allclose(array[0], expected[:25], atol=1e-4)
    assert not list(tmp_path.glob("*.rows"))


def test_features_that_do_not_fit_in_memory_lie_in_a_file_and_the_model_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, scratch = [], store.scratch

    def noted(folder: Path, n_bytes: int) -> Any:
        made.append(folder)
        return scratch(folder, n_bytes)

    monkeypatch.setattr(store, "scratch", noted)
    settings: dict[str, Any] = {"tune": "head", "image_size": 32, "cache": tmp_path}
    for valid in ("auto", 0.2):
        in_memory = mxtrain(mxexample("fashion"), valid=valid, verbose=0, **settings)
        assert not made
        with monkeypatch.context() as short, listening() as messages:
            short.setattr(machine, "free_memory", lambda: 100_000)
            in_file = mxtrain(mxexample("fashion"), valid=valid, **settings)
        assert in_file.to_bytes() == in_memory.to_bytes()
        assert [text for text in messages if re.search(rf"100 kB are free: they lie in a file in {tmp_path}", text)]
        assert made == [tmp_path]
        made.clear()
    assert not list(tmp_path.glob("tmp*")), "nothing of it is left"


def test_features_that_fit_nowhere_are_an_error_in_words(
    body: Network, sets: list[Loader], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(machine, "free_memory", lambda: 100_000)
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(TrainingError, match=r"features of 32 images take \d+ kB, and 100 kB are free\.\nx /.*No space"):
        features(body, sets, CPU, 8, False)
