"""BatchNorm folded into the convolution before it, and back: the same function both ways."""

from __future__ import annotations

import numpy as np
import pytest

from mxtune import mxnetwork
from mxtune.engines.mxnet.executor import Executor
from mxtune.engines.mxnet.passes.folding import fold, unfold
from mxtune.graph import Builder, Graph

RNG = np.random.default_rng(0)
PICTURES = RNG.normal(size=(2, 3, 8, 8)).astype("float32")


def _network() -> tuple[Graph, dict[str, np.ndarray]]:
    b = Builder()
    conv = b.conv(b.data(), "conv", 4, kernel=3, pad=1, bias=False)
    graph = b.graph(b.dense(b.global_pool(b.act(b.batchnorm(conv, "bn"), "relu6"), "avg"), "head", 2))
    shapes = {"conv_weight": (4, 3, 3, 3), "head_weight": (2, 4), "head_bias": (2,)}
    params = {name: RNG.normal(size=shape).astype("float32") for name, shape in shapes.items()}
    for name in ("gamma", "beta", "moving_mean", "moving_var"):
        params[f"bn_{name}"] = (RNG.random(4) + 0.5).astype("float32")
    return graph, params


def test_a_folded_network_is_the_same_function_and_so_is_the_way_back() -> None:
    graph, params = _network()
    small, arrays, trainable, folds = fold(graph, params, {name for name in params if "moving" not in name})
    assert [node.op for node in small.nodes if node.op == "BatchNorm"] == []
    np.testing.assert_allclose(
        Executor(small, arrays).predict(PICTURES), Executor(graph, params).predict(PICTURES), atol=1e-5
    )
    learned = {name: arrays[name] + RNG.normal(size=arrays[name].shape).astype("float32") for name in trainable}
    back = {**params, **unfold(learned, folds)}
    assert back.keys() == params.keys()
    np.testing.assert_allclose(
        Executor(graph, back).predict(PICTURES), Executor(small, {**arrays, **learned}).predict(PICTURES), atol=1e-5
    )


@pytest.mark.parametrize("frozen", ["conv_weight", "bn_gamma", "bn_beta"])
def test_what_is_partly_frozen_is_not_folded(frozen: str) -> None:
    graph, params = _network()
    trainable = {name for name in params if "moving" not in name and name != frozen}
    assert fold(graph, params, trainable)[3] == ()


def test_moving_statistics_are_not_folded() -> None:
    graph, params = _network()
    assert fold(graph, params, set(params))[3] == ()


def test_every_batchnorm_of_the_default_network_is_folded() -> None:
    net = mxnetwork("efficientnet_lite0", image_size=64)
    small, _, _, folds = fold(net.graph, net.params, set(net.params) - set(net.graph.auxiliary))
    assert len(folds) == 49
    assert not any(node.op == "BatchNorm" for node in small.nodes)
