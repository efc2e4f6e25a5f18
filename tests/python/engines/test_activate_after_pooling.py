"""What is pooled to its maxima is activated afterwards, in training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mxtune.engines import Device, Program
from mxtune.engines.mxnet.executor import MXNetExecutor
from mxtune.engines.mxnet.passes.activate_after_pooling import activate_after_pooling
from mxtune.graph import Builder
from mxtune.tasks.losses import CrossEntropy
from running import program

pytestmark = pytest.mark.mxnet

RNG = np.random.default_rng(3)
PICTURES = RNG.normal(size=(4, 3, 11, 9)).astype("float32")


def network(act: str = "tanh", pool: str = "max", twice: bool = False, **window: Any) -> Program:
    """A convolution, its activation and a pooling."""
    b = Builder()
    x = b.act(b.conv(b.data(), "one", 6, kernel=3), act, "act")
    y = b.pool(x, pool, name="pool", **{"kernel": 3, "stride": 2, "pad": 1, **window})
    if twice:
        y = b.concat([b.global_pool(x, "avg"), b.global_pool(y, "avg")])
    graph = b.graph(b.dense(b.flatten(b.global_pool(y, "avg")), "head", 2))
    shapes = {"one_weight": (6, 3, 3, 3), "one_bias": (6,), "head_weight": (2, 12 if twice else 6), "head_bias": (2,)}
    params = {name: RNG.normal(0, 0.3, shape).astype("float32") for name, shape in shapes.items()}
    return program(graph, params, PICTURES, params)


@pytest.mark.parametrize("act", ["relu", "sigmoid", "tanh"])
@pytest.mark.parametrize("window", [{}, {"kernel": 2, "pad": 0}])
def test_training_is_the_same_with_activations_afterwards(act: str, window: dict[str, Any]) -> None:
    one = network(act, **window)
    order = [node.op for node in activate_after_pooling(one)[0].graph.nodes if not node.is_variable]
    assert order[:3] == ["Convolution", "Pooling", "Activation"]
    both = [MXNetExecutor(one, [Device("cpu")], rewrites) for rewrites in ([activate_after_pooling], [])]
    losses = [[e.step(PICTURES, np.arange(4) % 2, np.ones(4), CrossEntropy(2), 0.01) for _ in "1234"] for e in both]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    here, there = (each.parameters() for each in both)
    for name in one.trainable:
        np.testing.assert_allclose(here[name], there[name], rtol=1e-3, atol=1e-4, err_msg=name)


def test_others_stay_as_they_are() -> None:
    for one in (network(pool="avg"), network("relu6"), network(twice=True), replace(network(), trainable=frozenset())):
        assert activate_after_pooling(one)[0] is one
