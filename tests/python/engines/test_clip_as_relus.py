"""A clip from 0 in training is two ReLUs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from mxtune.engines import Device, Program
from mxtune.engines.mxnet.executor import MXNetExecutor
from mxtune.engines.mxnet.passes.clip_as_relus import clip_as_relus
from mxtune.graph import Builder, Graph, Node
from mxtune.tasks.losses import CrossEntropy
from running import bound, program

pytestmark = pytest.mark.mxnet

RNG = np.random.default_rng(3)
PICTURES = RNG.normal(size=(4, 3, 13, 11)).astype("float32")
CODES = np.arange(4) % 2


def network(layer: str) -> Program:
    """Clips from 0 to 6 and from -1 to 1 behind a layer, all of whose parameters are trained."""
    b = Builder()
    x = b.conv(b.data(), "c", 16, kernel=3, bias="bias" in layer)
    if layer == "batchnorm":
        x = b.batchnorm(x, "n")
    x = b.add(b.act(x, "relu6"), x) if layer == "read twice, with a bias" else b.act(x, "relu6")
    nodes = b.graph(b.dense(b.flatten(b.pool(x, "max", kernel=3, stride=3)), "head", 2))
    last = Node("other", "clip", {"a_min": "-1", "a_max": "1"}, nodes.heads)
    graph = Graph((*nodes.nodes, last), (("other", 0),))
    shapes = {"c_weight": (16, 3, 3, 3), "c_bias": (16,), "head_weight": (2, 144), "head_bias": (2,)}
    params = {name: RNG.normal(0, 1.5 if "head" not in name else 0.05, shape) for name, shape in shapes.items()}
    if layer == "batchnorm":
        params.update(n_gamma=np.linspace(-6, 6, 16), n_beta=np.linspace(0, 6, 16))
        params.update(n_moving_mean=np.zeros(16), n_moving_var=np.ones(16))
    arrays = {name: array.astype("float32") for name, array in params.items() if name in graph}
    return program(graph, arrays, PICTURES, arrays)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("batchnorm", {"BatchNorm": 2, "Activation": 2, "clip": 1}),
        ("convolution with a bias", {"BatchNorm": 1, "Activation": 2, "clip": 1}),
        ("convolution", {"_minimum_scalar": 1, "Activation": 1, "clip": 1}),
        ("read twice, with a bias", {"_minimum_scalar": 1, "Activation": 1, "clip": 1}),
    ],
)
def test_a_clip_from_0_is_replaced_and_training_is_the_same(layer: str, expected: dict[str, int]) -> None:
    before = network(layer)
    after, _ = clip_as_relus(before)
    counts = Counter(node.op for node in after.graph.nodes)
    assert {op: counts[op] for op in ("BatchNorm", "Activation", "_minimum_scalar", "clip") if counts[op]} == expected
    inner = next(node for node in before.graph.nodes if node.op == "clip").name
    maps = replace(before, graph=Graph(before.graph.nodes, ((inner, 0),)))
    reached = bound(maps, passes=False).predict(PICTURES)
    assert min((reached == 0).mean(), (reached == 6).mean(), ((reached > 0) & (reached < 6)).mean()) > 0.02
    both = [MXNetExecutor(before, [Device("cpu")], rewrites) for rewrites in ([clip_as_relus], [])]
    losses = [[one.step(PICTURES, CODES, np.ones(4), CrossEntropy(2), 1e-3) for _ in range(4)] for one in both]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    here, there = (one.parameters() for one in both)
    for name in before.trainable:
        np.testing.assert_allclose(here[name], there[name], rtol=1e-3, atol=2e-5, err_msg=name)
    np.testing.assert_allclose(*(one.predict(PICTURES) for one in both), rtol=1e-4, atol=1e-4)


def test_without_training_a_clip_stays() -> None:
    frozen = replace(network("batchnorm"), trainable=frozenset())
    assert clip_as_relus(frozen)[0] is frozen
