"""Features of the frozen network: computed once, kept, and computed again where what was kept is damaged."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mxtune import Network, engines, mxexample, mximages, mxnetwork, progress
from mxtune.engines import Program, choose
from mxtune.errors import ArgumentError
from mxtune.images.loader import Loader
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
    files = {file: file.stat().st_ino for file in tmp_path.glob("*.npy")}
    assert len(files) == 2
    with progress.using(Listener()):
        second = features(body, sets, CPU, 8, str(tmp_path))
    assert told[1:3] == ["advance 25", "advance 7"]  # whole sets at once, not batches
    assert files == {file: file.stat().st_ino for file in tmp_path.glob("*.npy")}
    for one, other in zip(first, second):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("damage", ["cut", "byte", "empty", "other"])
def test_a_damaged_file_is_computed_anew(body: Network, sets: list[Loader], tmp_path: Path, damage: str) -> None:
    whole = features(body, sets, CPU, 8, tmp_path)
    for file in tmp_path.glob("*.npy"):
        content = bytearray(file.read_bytes())
        content[5000] ^= 1 if damage == "byte" else 0
        file.write_bytes({"cut": content[:-100], "byte": content, "empty": b"", "other": b"no array at all"}[damage])
    for one, other in zip(features(body, sets, CPU, 8, tmp_path), whole):
        np.testing.assert_array_equal(one, other)


def test_another_network_size_or_picture_has_other_files(body: Network, sets: list[Loader], tmp_path: Path) -> None:
    features(body, sets[1:], CPU, 8, tmp_path)
    other = replace(body, params={**body.params, "stem_conv_weight_": np.zeros(1, "float32")})
    assert fingerprint(other) != fingerprint(body)
    spec = replace(body.preprocess, size=(96, 96))
    features(replace(body, preprocess=spec), [Loader(sets[1].images, spec)], CPU, 8, tmp_path)
    features(body, [Loader(sets[1].images.take([0, 1]), body.preprocess)], CPU, 8, tmp_path)
    assert len(list(tmp_path.glob("*.npy"))) == 3


def test_another_arithmetic_has_other_files(body: Network, sets: list[Loader], tmp_path: Path) -> None:
    class OtherPasses(type(CPU.engine)):  # type: ignore[misc]
        passes = ("another",)

    for engine in (CPU.engine, OtherPasses()):
        features(body, sets[1:], replace(CPU, engine=engine), 8, tmp_path)
    assert len(list(tmp_path.glob("*.npy"))) == 2


def test_engines_do_not_share_files(body: Network, sets: list[Loader], tmp_path: Path) -> None:
    made = [features(body, sets[1:], choose("cpu", engine=name), 8, tmp_path)[0] for name in engines.installed()]
    assert len(list(tmp_path.glob("*.npy"))) == len(made)
    for array in made:
        np.testing.assert_allclose(array, made[0], rtol=1e-4, atol=1e-4)


def test_true_keeps_them_where_mxtune_keeps_things(
    body: Network, sets: list[Loader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MXTUNE_CACHE", str(tmp_path / "new"))
    features(body, sets[1:], CPU, 8, True)
    assert len(list((tmp_path / "new" / "features").glob("*.npy"))) == 1


def test_by_default_they_are_kept_where_there_is_room(
    body: Network, sets: list[Loader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kept(cache: Any = None) -> int:
        heard: list[str] = []
        with progress.using(SimpleNamespace(event=lambda kind, **_: heard.append(kind))):
            features(body, sets[1:], CPU, 8, cache)
        assert "message" not in heard
        return len(list(tmp_path.rglob("*.npy")))

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
    assert len(list(tmp_path.glob("*.npy"))) == 5


def test_a_folder_that_can_not_be_written_is_said_at_once(body: Network, sets: list[Loader], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArgumentError, match="The folder of `cache` is not writable"):
        features(body, sets, CPU, 8, tmp_path / "file" / "deeper")


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
    assert not list(tmp_path.glob("*.npy"))
