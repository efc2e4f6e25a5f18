"""Depthwise convolutions five columns wide in training are three that are narrower."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mxtune.engines import Device, Program
from mxtune.engines.mxnet.executor import MXNetExecutor
from mxtune.engines.mxnet.passes.depthwise_in_columns import depthwise_in_columns
from mxtune.graph import Builder
from mxtune.tasks.losses import CrossEntropy
from running import program

pytestmark = pytest.mark.mxnet

RNG = np.random.default_rng(3)


def network(channels: int = 16, bias: bool = False, size: Any = (9, 11), frozen: bool = False, **conv: Any) -> Program:
    """A depthwise convolution between two others, on maps of this size."""
    b = Builder()
    x = b.conv(b.data(), "one", channels, kernel=1, bias=False)
    x = b.conv(x, "deep", channels, groups=channels, bias=bias, **{"kernel": 5, "pad": 2, **conv})
    graph = b.graph(b.dense(b.global_pool(b.act(x, "tanh"), "avg"), "head", 2))
    shapes = {"one_weight": (channels, 3, 1, 1), "deep_weight": (channels, 1, 5, 5), "deep_bias": (channels,)}
    shapes.update(head_weight=(2, channels), head_bias=(2,))
    arrays = {name: RNG.normal(0, 0.3, shape).astype("float32") for name, shape in shapes.items() if name in graph}
    pictures = RNG.normal(size=(4, 3, *size)).astype("float32")
    return program(graph, arrays, pictures, [name for name in arrays if not (frozen and "deep" in name)])


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", [(9, 11), (8, 6), (5, 5)])
def test_training_is_the_same_in_columns(stride: int, bias: bool, size: tuple[int, int]) -> None:
    one = network(bias=bias, size=size, stride=stride)
    assert len([node for node in depthwise_in_columns(one)[0].graph.nodes if node.op == "Convolution"]) == 6
    pictures = RNG.normal(size=(4, 3, *size)).astype("float32")
    both = [MXNetExecutor(one, [Device("cpu")], rewrites) for rewrites in ([depthwise_in_columns], [])]
    losses = [
        [each.step(pictures, np.arange(4) % 2, np.ones(4), CrossEntropy(2), 0.01) for _ in "1234"] for each in both
    ]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    here, there = (each.parameters() for each in both)
    for name in one.trainable:
        np.testing.assert_allclose(here[name], there[name], rtol=1e-3, atol=1e-4, err_msg=name)
    np.testing.assert_allclose(*(each.predict(pictures) for each in both), rtol=1e-4, atol=1e-4)


def test_others_stay_as_they_are() -> None:
    for one in (network(frozen=True), network(size=(4, 9)), network(pad=1), network(dilate=2, pad=4)):
        assert all("column" not in node.name for node in depthwise_in_columns(one)[0].graph.nodes)
