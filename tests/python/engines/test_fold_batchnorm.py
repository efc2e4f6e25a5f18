"""BatchNorm folded into the convolution before it, and back: the same function both ways."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pytest

from mxtune import mxnetwork
from mxtune.engines import AdamW, Program
from mxtune.engines.passes import fold_batchnorm
from mxtune.graph import Builder, Graph
from running import outputs, program

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


GRAPH, PARAMS = _network()
LEARNED = frozenset(name for name in PARAMS if "moving" not in name)


def folded(trainable: Collection[str], **settings: object) -> bool:
    """Whether anything is folded."""
    one = program(GRAPH, PARAMS, PICTURES, trainable, **settings)
    return "bn_gamma" not in fold_batchnorm(one)[0].graph


def test_a_folded_network_is_the_same_function_and_so_is_the_way_back() -> None:
    small, undo = fold_batchnorm(program(GRAPH, PARAMS, PICTURES, LEARNED))
    assert [node.op for node in small.graph.nodes if node.op == "BatchNorm"] == []
    expected = outputs(GRAPH, PARAMS, PICTURES, passes=False)
    np.testing.assert_allclose(outputs(small.graph, small.params, PICTURES, passes=False), expected, atol=1e-5)
    learned = {n: small.params[n] + RNG.normal(size=small.params[n].shape).astype("float32") for n in small.trainable}
    back = undo(learned)
    assert back.keys() == LEARNED
    np.testing.assert_allclose(
        outputs(GRAPH, {**PARAMS, **back}, PICTURES, passes=False),
        outputs(small.graph, {**small.params, **learned}, PICTURES, passes=False),
        atol=1e-5,
    )


def test_what_was_undone_is_folded_to_what_it_was() -> None:
    small, undo = fold_batchnorm(program(GRAPH, PARAMS, PICTURES, LEARNED))
    back = undo({name: small.params[name] for name in small.trainable})
    again, _ = fold_batchnorm(program(GRAPH, {**PARAMS, **back}, PICTURES, LEARNED))
    np.testing.assert_array_equal(again.params["conv_weight"], small.params["conv_weight"])
    for name in small.trainable:
        np.testing.assert_allclose(again.params[name], small.params[name], atol=1e-6)


@pytest.mark.parametrize("frozen", ["conv_weight", "bn_gamma", "bn_beta"])
def test_what_is_partly_frozen_is_not_folded(frozen: str) -> None:
    assert folded(LEARNED)
    assert not folded(LEARNED - {frozen})


def test_moving_statistics_are_not_folded() -> None:
    assert not folded(set(PARAMS))


def test_what_learns_at_a_rate_of_its_own_is_not_folded() -> None:
    assert folded(LEARNED, optimiser=AdamW({"head_weight": 0.1}))
    assert not folded(LEARNED, optimiser=AdamW({"bn_gamma": 0.1}))


def test_every_batchnorm_of_the_default_network_is_folded() -> None:
    net = mxnetwork("efficientnet_lite0", image_size=64)
    one = replace(Program.of(net), trainable=frozenset(set(net.params) - set(net.graph.auxiliary)))
    small, _ = fold_batchnorm(one)
    assert len(one.graph.nodes) - len(small.graph.nodes) == 49 * 4  # a BatchNorm and its four, for a bias
    assert not any(node.op == "BatchNorm" for node in small.graph.nodes)
