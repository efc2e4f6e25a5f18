"""`mxtrain(workers=)` on a real Ray: the model of one process, byte for byte."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from mxtune import mxexample, mxtrain
from mxtune.errors import MxtuneError
from mxtune.training.distributed import on_ray
from mxtune.training.distributed.on_ray import Actor

pytestmark = [pytest.mark.usefixtures("cluster"), pytest.mark.timeout(300)]
SETTINGS: dict[str, Any] = {"tune": "head", "image_size": 32, "verbose": 0, "cache": False}


@pytest.fixture(scope="module")
def alone() -> bytes:
    return mxtrain(mxexample("fashion"), **SETTINGS).to_bytes()


def test_the_model_is_that_of_one_process(alone: bytes) -> None:
    assert mxtrain(mxexample("fashion"), workers="auto", **SETTINGS).to_bytes() == alone


def test_an_actor_killed_in_the_middle_changes_nothing(alone: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    compute, workers = Actor.compute, []

    def killing(self: Actor, piece: tuple[int, int]) -> Any:
        if self not in workers:
            workers.append(self)
        if piece[0] and len(workers) == 2 and self is workers[0]:
            threading.Timer(0.005, ray.kill, (self._actor,)).start()
        return compute(self, piece)

    monkeypatch.setattr(Actor, "compute", killing)
    assert mxtrain(mxexample("fashion"), workers="auto", **SETTINGS).to_bytes() == alone
    assert len(workers) == 3, "another took its place"


@pytest.mark.parametrize("address", ["ray://elsewhere:10001", "127.0.0.1:1"])
def test_the_address_of_another_cluster_is_not_passed_over(address: str) -> None:
    with pytest.raises(MxtuneError, match=f"uses another Ray cluster than {address}"):
        mxtrain(mxexample("fashion"), workers=address, **SETTINGS)


def test_another_version_on_the_cluster_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_ray, "__version__", "0.0.1")
    with pytest.raises(MxtuneError, match=r"another mxtune(.|\n)*and this program 0\.0\.1"):
        mxtrain(mxexample("fashion"), workers="auto", **SETTINGS)
