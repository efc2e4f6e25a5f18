"""Batches that are only predicted grow to what a GPU's memory holds, and give the same outputs.

No GPU is needed: figures of its memory are made up, and all else is computed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mxtune import engines, mximages, mxnetwork
from mxtune.engines import ROWS, Device, Program
from mxtune.images.loader import Loader
from mxtune.model.predictor import Predictor
from mxtune.network import Network
from mxtune.training.features import features

GIGABYTE = 2**30
PICTURES = np.random.default_rng(0).integers(0, 256, (300, 28, 28), np.uint8)


@pytest.fixture(params=[name for name in engines.installed() if name == "torch"], autouse=True)
def sizes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows of each batch that PyTorch predicts."""
    monkeypatch.setenv("MXTUNE_ENGINE", request.param)
    monkeypatch.setenv("MXTUNE_CACHE_GB", "0")
    engines.get("torch").load()
    from mxtune.engines.torch.executor import TorchExecutor

    seen: list[int] = []
    predict = TorchExecutor.predict

    def watched(self: Any, batch: Any) -> Any:
        seen.append(len(batch))
        return predict(self, batch)

    monkeypatch.setattr(TorchExecutor, "predict", watched)
    return seen


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch, sizes: list[int]) -> Any:
    """Makes the CPU look as a GPU of so many bytes, of which each row of a batch takes a share."""
    from mxtune.engines.torch import memory

    def made(total: int, row: int) -> None:
        def figures(_: Any) -> memory.Figures:
            return memory.Figures(total - GIGABYTE, GIGABYTE, GIGABYTE + row * max(sizes, default=0))

        monkeypatch.setattr(memory, "figures", figures)

    return made


@pytest.fixture(scope="module")
def network() -> Network:
    return mxnetwork("lenet", weights="random", classes=5, seed=1)


def predicted(network: Network, size: int = ROWS) -> np.ndarray:
    loader = Loader(mximages(PICTURES), network.preprocess)
    return Predictor(network).outputs(loader, batch_size=size)[0]


@pytest.mark.parametrize(
    ("total", "row", "rest"),
    [
        (80 * GIGABYTE, GIGABYTE // 100, [236]),  # more than there are
        (3 * GIGABYTE, GIGABYTE // 100, [128, 108]),
        (GIGABYTE + 2**24, GIGABYTE // 100, [32] * 7 + [12]),  # which hardly holds the first
    ],
)
def test_a_prediction_goes_on_in_batches_that_fill_memory(
    network: Network, sizes: list[int], gpu: Any, total: int, row: int, rest: list[int]
) -> None:
    expected = predicted(network)
    assert sizes == [32] * 9 + [12]  # on a CPU they stay
    sizes.clear()
    gpu(total, row)
    found = predicted(network)
    assert sizes == [32, 32, *rest]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_so_do_the_features_of_a_training(network: Network, sizes: list[int], gpu: Any) -> None:
    loader = Loader(mximages(PICTURES), network.preprocess)
    (expected,) = features(network.body, [loader], engines.choose("cpu"), cache=False)
    sizes.clear()
    gpu(80 * GIGABYTE, GIGABYTE // 100)
    (found,) = features(network.body, [loader], engines.choose("cpu"), cache=False)
    assert sizes == [32, 32, 236]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_size_that_was_given_stays(network: Network, sizes: list[int], gpu: Any) -> None:
    gpu(80 * GIGABYTE, GIGABYTE // 100)
    predicted(network, 64)
    assert sizes == [64] * 4 + [44]


def test_where_bytes_must_be_the_same_each_time_memory_decides_nothing(
    network: Network, sizes: list[int], gpu: Any
) -> None:
    gpu(80 * GIGABYTE, GIGABYTE // 100)
    one = replace(Program.of(network), deterministic=True)
    executor = engines.get("torch").bind(one, [Device("cpu")])
    executor.predict(np.zeros((32, 28, 28, 1), np.uint8))
    assert executor.rows(ROWS) == ROWS
    assert sizes == [32]


def test_two_gpus_take_twice_as_many(network: Network, gpu: Any) -> None:
    gpu(80 * GIGABYTE, GIGABYTE // 100)
    executor = engines.get("torch").bind(Program.of(network), [Device("cpu", 0), Device("cpu", 1)])
    executor.predict(np.zeros((32, 28, 28, 1), np.uint8))
    assert executor.rows(ROWS) == 512
