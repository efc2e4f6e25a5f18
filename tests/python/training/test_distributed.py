"""`workers=`: several processes compute features; a lost one, and a slow one, change nothing. Ray: `make cluster`."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hearing import listening
from mxtune import Network, mxexample, mximages, mxnetwork, mxtrain
from mxtune.engines import Device, choose
from mxtune.errors import ArgumentError, MxtuneError, PictureError
from mxtune.images import ImageSet
from mxtune.images.loader import Loader
from mxtune.training import train
from mxtune.training.distributed import Crew, LostError, dealing
from mxtune.training.distributed.dealing import Dealing, Piece
from mxtune.training.distributed.processes import Process
from mxtune.training.features import features

CPU = choose("cpu")


@pytest.fixture(scope="module")
def images() -> ImageSet:
    return mximages(mxexample("fashion"))


@pytest.fixture(scope="module")
def body() -> Network:
    return mxnetwork("efficientnet_lite0", image_size=32).replace_head(10, stages=True).body


@pytest.fixture(scope="module")
def alone(body: Network, images: ImageSet) -> Any:
    return features(body, [Loader(images, body.preprocess)], CPU, 16, False)[0]


def by(count: int, body: Network, images: ImageSet) -> Any:
    return features(body, [Loader(images, body.preprocess)], CPU, 16, False, Crew(count))[0]


def test_a_model_of_two_processes_is_that_of_one_byte_for_byte(images: ImageSet) -> None:
    settings: dict[str, Any] = {"tune": "head", "image_size": 32, "verbose": 0, "cache": False}
    assert mxtrain(images, workers=2, **settings).to_bytes() == mxtrain(images, **settings).to_bytes()


def test_four_processes_give_the_features_of_one(body: Network, images: ImageSet, alone: Any) -> None:
    assert np.array_equal(by(4, body, images), alone)


def test_a_process_killed_in_the_middle_changes_nothing(
    body: Network, images: ImageSet, alone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute, killed, hired = Process.compute, [], {}

    def killing(self: Process, piece: Piece) -> Any:
        hired[self.pid] = self
        if piece[0] and not killed:  # it has been told a piece before, and dies at the next
            killed.append(self.pid)
            threading.Timer(0.005, os.kill, (self.pid, signal.SIGKILL)).start()
        return compute(self, piece)

    monkeypatch.setattr(Process, "compute", killing)
    assert np.array_equal(by(2, body, images), alone)
    assert len(killed) == 1
    assert len(hired) == 3, "another took its place"
    assert all(pipe.closed for one in hired.values() for pipe in (one._child.stdin, one._child.stdout))


def test_a_process_that_hangs_holds_nothing_up(
    body: Network, images: ImageSet, alone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute, stopped = Process.compute, []

    def hanging(self: Process, piece: Piece) -> Any:
        if not stopped:
            stopped.append(self.pid)
            os.kill(self.pid, signal.SIGSTOP)
        return compute(self, piece)

    monkeypatch.setattr(Process, "compute", hanging)
    monkeypatch.setattr(dealing, "_LEAST", 0.5)
    assert np.array_equal(by(2, body, images), alone)
    with pytest.raises(ProcessLookupError):  # it was ended with the work
        os.kill(stopped[0], 0)


def test_an_image_that_a_worker_can_not_read_is_named(body: Network, tmp_path: Path) -> None:
    for number, file in enumerate(sorted(Path(mxexample("fashion")).glob("bag/*.png"))):
        shutil.copy(file, tmp_path / f"{number:02}.png")
    images = mximages(tmp_path)
    (tmp_path / "07.png").unlink()
    with pytest.raises(PictureError, match=r"07\.png: there is no such file"):
        by(2, body, images)


class Fake:
    """A worker of the dealing alone."""

    def __init__(self, work: Any) -> None:
        self.compute, self.ended = work, False

    def end(self) -> None:
        self.ended = True


PIECES = [(start, start + 1) for start in range(20)]


def test_a_piece_is_done_again_only_where_its_worker_was_lost() -> None:
    begun: list[Piece] = []

    def work(piece: Piece) -> int:
        begun.append(piece)
        if piece == (5, 6) and begun.count(piece) < 3:
            raise LostError("gone")
        return piece[0]

    hired: list[Fake] = []

    def hire() -> Fake:
        hired.append(Fake(work))
        return hired[-1]

    assert sorted(Dealing(PIECES, hire, 2).results()) == [(piece, piece[0]) for piece in PIECES]
    assert len(begun) == len(PIECES) + 2
    assert all(worker.ended for worker in hired)


def test_a_slow_worker_gets_fewer_pieces_and_its_last_one_is_done_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dealing, "_LEAST", 0.2)
    done: dict[int, list[Piece]] = {0: [], 1: []}
    numbers: Iterator[int] = iter(range(2))

    def hire() -> Fake:
        number = next(numbers)

        def work(piece: Piece) -> int:
            time.sleep(30 if number == 0 and len(done[0]) == 1 else 0.05 if number == 0 else 0.01)
            done[number].append(piece)
            return piece[0]

        return Fake(work)

    start = time.monotonic()
    assert {piece for piece, _ in Dealing(PIECES, hire, 2).results()} == {*PIECES}
    assert time.monotonic() - start < 10
    assert len(done[0]) == 1


def test_workers_that_are_all_lost_end_in_one_error() -> None:
    def hire() -> Fake:
        raise LostError("a process ended with exit code 3")

    with pytest.raises(MxtuneError, match=r"lost one after another(.|\n)*exit code 3"):
        list(Dealing(PIECES, hire, 2).results())


def test_what_workers_do_not_do_is_said(images: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ArgumentError, match="do not compute in int8"):
        mxtrain(images, workers=2, precision="int8", verbose=0)
    with monkeypatch.context() as gpu:
        gpu.setattr(train, "choose", lambda *_: replace(CPU, devices=(Device("gpu"),)))
        with pytest.raises(ArgumentError, match=r"A Ray cluster trains layers on CPUs, and here .* on gpu:0"):
            mxtrain(images, tune="tail", workers="ray://here:1", verbose=0)
    for wrong in (0, 1.5, float("nan"), float("inf"), "four"):
        with pytest.raises(ArgumentError, match="`workers` must be a number of processes"):
            mxtrain(images, workers=wrong, verbose=0)  # type: ignore[arg-type]


@pytest.mark.parametrize("tune", ["auto", "tail"])
def test_without_ray_the_command_is_named(images: ImageSet, monkeypatch: pytest.MonkeyPatch, tune: str) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MxtuneError, match=r"pip install 'ray\[client,data\]"):
        mxtrain(images, image_size=32, tune=tune, workers="auto", verbose=0, cache=False)


# ---- layers


def layers(images: Any, workers: Any, **settings: Any) -> Any:
    chosen: dict[str, Any] = {"valid": 0.4, "lr": 3e-5, "image_size": 32, "cache": False, "verbose": 0}
    return mxtrain(images, workers=workers, **{**chosen, **settings})


@pytest.fixture(scope="module")
def few(images: ImageSet) -> ImageSet:
    return images.take(np.arange(0, len(images), 4))


def same(model: Any, alone: Any) -> None:
    for column in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(model.history[column], alone.history[column], rtol=1e-3)
    for name, array in alone.network.params.items():
        np.testing.assert_allclose(model.network.params[name], array, atol=1e-4, err_msg=name)


@pytest.mark.filterwarnings("ignore:lenet has no pretrained weights")
def test_layers_of_two_and_of_four_processes_are_those_of_one(few: ImageSet) -> None:
    settings: dict[str, Any] = {"net": "lenet", "epochs": 2, "lr": 1e-3, "image_size": 28}
    alone = layers(few, 1, **settings)
    assert alone.history["train_loss"].iloc[1] < alone.history["train_loss"].iloc[0]
    for workers in (2, 4):
        same(layers(few, workers, **settings), alone)


def test_a_training_of_layers_goes_on_where_a_process_is_killed(few: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    from mxtune.engines.parallel import replicas

    made, started = replicas.Processes, []

    def noted(*arguments: Any) -> Any:
        started.append(made(*arguments))
        return started[-1]

    def kill(epoch: int, figures: Any) -> None:
        if figures["stage"] == "tail" and epoch == 1:
            os.kill(started[0].pids[1], signal.SIGKILL)  # of those that compute the frozen part

    monkeypatch.setattr(replicas, "Processes", noted)
    settings: dict[str, Any] = {"tune": "tail", "epochs": 2, "net": "efficientnet_lite0"}
    with listening() as messages:
        model = layers(few, 2, callbacks=kill, verbose=None, **settings)
    same(model, layers(few, None, **settings))
    again = "A process of the training was lost (worker 2: its process ended with signal 9): others take over"
    assert [text for text in messages if text.startswith(again)]
    assert len(started) == 3


@pytest.mark.filterwarnings("ignore:lenet has no pretrained weights")
def test_batchnorms_that_see_a_share_of_the_batch_are_told(few: ImageSet) -> None:
    net = mxnetwork("lenet").insert("conv1", "BatchNorm")
    with listening() as messages:
        layers(few, 2, net=net, epochs=1, batch_size=9, verbose=None, image_size=28)
    assert "BatchNorm's statistics are those of each worker's share of a batch: 5 of 9 images." in messages
