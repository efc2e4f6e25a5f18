"""Checkpoints: what is read is what was written, or it is refused."""

from __future__ import annotations

import json
import zlib
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from mxtune.errors import ArgumentError, CheckpointError, StoreError
from mxtune.training.state import Checkpoint, TrainingState

IDENTITY = {"pictures": "p", "network": "n", "settings": "{}"}


def training_state() -> TrainingState:
    return TrainingState(
        phase=1,
        epoch=3,
        history=[{"stage": "head", "epoch": 1, "train_loss": 0.25, "lr": None}],
        params={"head_weight": np.arange(6, dtype="float32").reshape(3, 2).T},  # not as it lies in memory
        best={"head_weight": np.ones((2, 3), "float32")},
        best_loss=0.125,
        epochs_without_improvement=2,
        executor={"weight:a": np.zeros(2, "float32"), "steps": np.array([7])},
        stopped=True,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    Checkpoint(tmp_path / "training.ckpt", IDENTITY).write(training_state())
    return tmp_path / "training.ckpt"


def test_what_was_written_is_read(file: Path) -> None:
    found = Checkpoint(file, IDENTITY).read()
    assert found is not None
    for one in fields(TrainingState):
        here, there = getattr(found, one.name), getattr(training_state(), one.name)
        if one.name in ("params", "best", "executor"):
            assert here.keys() == there.keys()
            for name in here:
                np.testing.assert_array_equal(here[name], there[name])
                assert here[name].dtype == there[name].dtype
        else:
            assert here == there


def test_there_is_none_yet(tmp_path: Path) -> None:
    assert Checkpoint(tmp_path / "new", IDENTITY).read() is None
    assert Checkpoint(None, IDENTITY).read() is None


@pytest.mark.parametrize("group", ["params", "best", "executor"])
def test_a_checkpoint_with_numbers_that_are_not_finite_is_refused_by_name(group: str, tmp_path: Path) -> None:
    state = training_state()
    name, array = next(iter(getattr(state, group).items()))
    array.flat[1] = np.nan
    Checkpoint(tmp_path / "training.ckpt", IDENTITY).write(state)
    with pytest.raises(
        CheckpointError, match=f"has unusable numbers.\nx {name}: 1 NaN of {array.size} numbers\ni Remove"
    ):
        Checkpoint(tmp_path / "training.ckpt", IDENTITY).read()


@pytest.mark.parametrize("name", IDENTITY)
def test_a_checkpoint_of_another_training_says_what_differs(file: Path, name: str) -> None:
    with pytest.raises(CheckpointError, match=f"belongs to another training run.\nx different {name}\ni"):
        Checkpoint(file, {**IDENTITY, name: "other"}).read()


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.99])
def test_a_checkpoint_cut_short_is_refused(file: Path, share: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match="or is damaged"):
        Checkpoint(file, IDENTITY).read()


def test_any_changed_byte_is_seen(file: Path) -> None:
    content = file.read_bytes()
    for place in range(8, len(content), 7):
        changed = bytearray(content)
        changed[place] ^= 1
        file.write_bytes(changed)
        with pytest.raises(CheckpointError):
            Checkpoint(file, IDENTITY).read()


@pytest.mark.parametrize("version", [{}, {"version": 99}], ids=["before there were numbers", "newer"])
def test_a_checkpoint_of_another_version_is_refused_in_words(tmp_path: Path, version: dict[str, int]) -> None:
    from safetensors.numpy import save_file

    facts: dict[str, object] = {"identity": IDENTITY, **version}
    facts["sum"] = zlib.crc32(json.dumps(facts, sort_keys=True).encode())
    save_file({}, tmp_path / "training.ckpt", metadata={"mxtune_checkpoint": json.dumps(facts)})
    words = r"Another mxtune version wrote the checkpoint training\.ckpt\.\ni Remove"
    with pytest.raises(CheckpointError, match=words):
        Checkpoint(tmp_path / "training.ckpt", IDENTITY).read()


def test_the_lowest_validation_loss_is_the_best_and_without_one_the_last() -> None:
    assert TrainingState().improved({"valid_loss": 3.0})
    assert TrainingState(best_loss=2.0).improved({"valid_loss": 1.0})
    assert not TrainingState(best_loss=2.0).improved({"valid_loss": 2.0})
    assert TrainingState().improved({})


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    (tmp_path / "text").write_text("hello")
    save_file({"a": np.zeros(2)}, tmp_path / "tensors")
    for name in ("text", "tensors"):
        with pytest.raises(CheckpointError, match="is not an mxtune checkpoint"):
            Checkpoint(tmp_path / name, IDENTITY).read()


def test_a_write_that_breaks_leaves_the_old_one_whole(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    content = file.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", broken)
        with pytest.raises(StoreError, match=r"Can't write the checkpoint .*\nx No space left"):
            Checkpoint(file, IDENTITY).write(TrainingState())
    assert file.read_bytes() == content
    assert [one.name for one in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("name", ["missing/training.ckpt", "."])
def test_a_place_for_no_file_is_said_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArgumentError, match="`checkpoint` must be a file in a folder that exists"):
        Checkpoint(tmp_path / name, IDENTITY)
