"""Where MXNet's fusion goes wrong, a factor of 1 stops it."""

from __future__ import annotations

import numpy as np
import pytest

from mxtune.engines import Program
from mxtune.engines.mxnet.passes.guard_fusion import guard_fusion
from mxtune.graph import Builder, Graph, subgraph
from mxtune.zoo.opening import mxnetwork
from running import outputs

pytestmark = pytest.mark.mxnet

RNG = np.random.default_rng(3)
PICTURES = RNG.normal(size=(3, 3, 13, 11)).astype("float32")


def branched() -> tuple[Graph, dict[str, np.ndarray]]:
    b = Builder()
    x = b.batchnorm(b.conv(b.data(), "c", 4, kernel=3, pad=1), "bn")
    y = b.conv(b.act(x, "relu", "a"), "o", 4, kernel=3, pad=1)
    graph = b.graph(b.add(b.add(y, b.act(y, "tanh", "t"), "s"), ("a", 0), "end"))
    params = {
        "c_weight": RNG.normal(size=(4, 3, 3, 3)), "c_bias": RNG.normal(size=4),
        "o_weight": RNG.normal(size=(4, 4, 3, 3)), "o_bias": RNG.normal(size=4),
        "bn_gamma": RNG.random(4) + 0.5, "bn_beta": RNG.normal(size=4),
        "bn_moving_mean": RNG.normal(size=4), "bn_moving_var": RNG.random(4) + 0.5,
    }  # fmt: skip
    return graph, {name: array.astype("float32") for name, array in params.items()}


@pytest.mark.parametrize("heads", [["c", "o"], ["bn", "o"], ["o", "bn"], ["s", "c", "bn"], ["a", "end"], ["end"]])
def test_a_branch_that_mxnet_would_fuse_wrongly_stays_itself(heads: list[str]) -> None:
    graph, params = branched()
    several = subgraph(graph, heads)
    fused = outputs(several, {name: a for name, a in params.items() if name in several}, PICTURES)
    for head, found in zip(heads, fused if len(heads) > 1 else [fused]):
        alone = subgraph(graph, [head])
        expected = outputs(alone, {name: a for name, a in params.items() if name in alone}, PICTURES, passes=False)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_network_without_branches_is_left_alone() -> None:
    one = Program.of(mxnetwork("efficientnet_lite0", image_size=64))
    assert guard_fusion(one)[0].graph == one.graph


def test_a_program_in_training_is_not_fused_and_left_alone() -> None:
    graph, params = branched()
    one = Program(graph, params, {}, frozenset({"c_bias"}))
    assert guard_fusion(one)[0] is one
