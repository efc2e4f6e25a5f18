"""Layers that a real Ray trains, of two machines as far as it knows, one of them lost or slow: those of one process."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hearing import listening
from mxtune import mxexample, mximages, mxnetwork, mxtrain
from mxtune.errors import EngineError
from mxtune.images import ImageSet
from mxtune.machine import usable_cpus
from mxtune.training.distributed import crew, layers_on_ray
from mxtune.training.distributed.layers_on_ray import RayTeam

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore:lenet has no pretrained weights"),
]
CPUS = max(1, usable_cpus() // 2)  # as many as each of two processes of this machine has, which decides last bits
SETTINGS: dict[str, Any] = {"valid": 0.4, "image_size": 32, "cache": False, "verbose": 0}
LENET: dict[str, Any] = {"tune": "all", "epochs": 2, "lr": 1e-3, "image_size": 28}
TAIL: dict[str, Any] = {"tune": "tail", "epochs": 2, "lr": 3e-5, "net": "efficientnet_lite0"}


@pytest.fixture(scope="module")
def two_machines() -> Iterator[Any]:
    """A Ray of two nodes, both of them here."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": CPUS, "include_dashboard": False})
    cluster.add_node(num_cpus=CPUS)
    ray.init(address=cluster.address, log_to_driver=False)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture
def teams(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The names and the actors of those that a training starts; they end with it."""
    started: list[Any] = []

    def noted(*arguments: Any) -> RayTeam:
        team = RayTeam(*arguments)
        started.append(SimpleNamespace(names=team._names, actors=team._actors))
        return team

    monkeypatch.setattr(crew, "RayTeam", noted)
    return started


@pytest.fixture(scope="module")
def few() -> ImageSet:
    images = mximages(mxexample("fashion"))
    return images.take(np.arange(0, len(images), 4))


def lenet() -> Any:
    """With a Dropout."""
    return mxnetwork("lenet", seed=2).insert("fc1", "Dropout", p=0.5)


def trained(images: ImageSet, workers: Any, **settings: Any) -> Any:
    return mxtrain(images, workers=workers, **{**SETTINGS, **settings})


def same(model: Any, alone: Any) -> None:
    for column in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(model.history[column], alone.history[column], rtol=1e-3)
    for name, array in alone.network.params.items():
        np.testing.assert_allclose(model.network.params[name], array, atol=1e-4, err_msg=name)


def pid_of(actor: Any) -> int:
    import ray

    return int(ray.get(actor.__ray_call__.remote(lambda _: os.getpid())))


@pytest.mark.usefixtures("two_machines")
@pytest.mark.parametrize("engine", ["mxnet", "torch"])
def test_two_machines_learn_what_one_process_learns_and_the_same_bytes_each_time(
    few: ImageSet, engine: str, teams: list[Any]
) -> None:
    model = trained(few, "auto", net=lenet(), engine=engine, **LENET)
    assert [(len(team.names), len(team.actors)) for team in teams] == [(2, 0)], "two that have ended with the training"
    same(model, trained(few, None, net=lenet(), engine=engine, **LENET))
    assert trained(few, "auto", net=lenet(), engine=engine, **LENET).to_bytes() == model.to_bytes()
    assert model.history["train_loss"].iloc[1] < model.history["train_loss"].iloc[0]


@pytest.mark.usefixtures("two_machines")
def test_with_mxnet_they_are_the_bytes_of_two_processes_of_one_machine(few: ImageSet) -> None:
    settings: dict[str, Any] = {"net": lenet(), "engine": "mxnet", **LENET}
    assert trained(few, "auto", **settings).to_bytes() == trained(few, 2, **settings).to_bytes()


@pytest.mark.usefixtures("two_machines")
@pytest.mark.parametrize("part", [0, 1], ids=["frozen", "trained"])
def test_an_actor_killed_in_the_middle_costs_its_epoch_again(few: ImageSet, teams: list[Any], part: int) -> None:
    import ray

    def kill(epoch: int, figures: Any) -> None:
        if figures["stage"] == "tail" and epoch == 1:
            ray.kill(teams[part].actors[1])

    with listening() as messages:
        model = trained(few, "auto", callbacks=kill, **{**TAIL, "verbose": None})
    same(model, trained(few, None, **TAIL))
    again = "A process of the training was lost (worker 2 on "
    assert [text for text in messages if text.startswith(again) and text.endswith("the epoch begins anew.")]
    assert len(teams) == 3


@pytest.mark.usefixtures("two_machines")
def test_a_slow_one_changes_nothing(few: ImageSet, teams: list[Any]) -> None:
    stopped: list[float] = []

    def stop(epoch: int, figures: Any) -> None:  # noqa: ARG001
        if epoch == 1:
            pid = pid_of(teams[-1].actors[1])
            os.kill(pid, signal.SIGSTOP)
            stopped.append(time.monotonic())
            threading.Timer(1.0, os.kill, (pid, signal.SIGCONT)).start()

    settings: dict[str, Any] = {"net": lenet(), "engine": "torch", **LENET}
    model = trained(few, "auto", callbacks=stop, **settings)
    assert stopped
    assert time.monotonic() - stopped[0] > 0.9
    assert len(teams) == 1
    assert model.to_bytes() == trained(few, "auto", **settings).to_bytes()


def test_a_machine_that_is_lost_leaves_its_share_to_the_others(
    few: ImageSet, teams: list[Any], two_machines: Any
) -> None:
    """The frozen part, which nobody has asked since, is lost along."""

    def remove(epoch: int, figures: Any) -> None:
        if figures["stage"] == "tail" and epoch == 1:
            two_machines.remove_node(next(iter(two_machines.worker_nodes)), allow_graceful=False)

    try:
        with listening() as messages:
            model = trained(few, "auto", callbacks=remove, **{**TAIL, "verbose": None})
    finally:
        two_machines.add_node(num_cpus=CPUS)
    same(model, trained(few, None, **TAIL))
    assert [text for text in messages if text.startswith("A process of the training was lost (worker ")]
    assert [len(team.names) for team in teams] == [2, 2, 1, 1]


@pytest.mark.usefixtures("two_machines")
def test_cpus_that_others_have_are_one_error(few: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    class Other:
        def here(self) -> None:
            """It has started."""

    other = ray.remote(Other).options(num_cpus=1).remote()
    ray.get(other.here.remote())
    monkeypatch.setattr(layers_on_ray, "_START", 5.0)
    with pytest.raises(EngineError, match=r"can't be started(.|\n)*no answer within 5 s(.|\n)*`ray status`"):
        trained(few, "auto", net=lenet(), **LENET)
    ray.kill(other)


@pytest.mark.usefixtures("two_machines")
def test_batchnorms_that_see_a_share_of_the_batch_are_told(few: ImageSet) -> None:
    net = mxnetwork("lenet").insert("conv1", "BatchNorm")
    with listening() as messages:
        trained(few, "auto", net=net, **{**LENET, "epochs": 1, "batch_size": 9, "verbose": None})
    assert "BatchNorm's statistics are those of each worker's share of a batch: 5 of 9 images." in messages
