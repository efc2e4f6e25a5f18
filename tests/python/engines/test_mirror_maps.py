"""Maps are mirrored in training, where that makes uneven padding even."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from mxtune import mxnetwork
from mxtune.engines import Device, Program
from mxtune.engines.mxnet.executor import MXNetExecutor
from mxtune.engines.mxnet.passes.align_channels import align_channels
from mxtune.engines.mxnet.passes.mirror_maps import is_mirror, mirror_maps
from mxtune.engines.passes import Pass
from mxtune.graph import Builder, Graph, Node
from mxtune.tasks.losses import CrossEntropy
from running import program

pytestmark = pytest.mark.mxnet

RNG = np.random.default_rng(3)
CODES = np.arange(4) % 3


def network(end: str = "", size: tuple[int, int] = (12, 10)) -> Program:
    """Two convolutions by steps of 2 with TensorFlow's padding, one of them depthwise, a shortcut, and the end."""
    b = Builder()
    x, pad = b.same_pad(b.data(), size, 3, 2)
    x = b.conv(x, "one", 6, kernel=3, stride=2, pad=pad, bias=False)
    x = b.act(b.batchnorm(x, "norm"), "tanh")
    x = b.add(b.conv(x, "two", 6, kernel=3, pad=1), x)
    half: tuple[int, int] = ((size[0] + 1) // 2, (size[1] + 1) // 2)
    x, pad = b.same_pad(x, half, 5, 2)
    x = b.conv(x, "deep", 6, kernel=5, stride=2, pad=pad, groups=6)
    ends = {
        "map": x,
        "even": b.pool(x, "max", kernel=3, stride=1, pad=1),
        "uneven": b.pool(x, "max", kernel=2, stride=2),
    }
    x = ends.get(end, x)
    graph = b.graph(x if end == "map" else b.dense(b.flatten(x if end == "flat" else b.global_pool(x, "max")), "fc", 3))
    shapes = {"one_weight": (6, 3, 3, 3), "two_weight": (6, 6, 3, 3), "deep_weight": (6, 1, 5, 5)}
    shapes["fc_weight"] = (3, 6 if end != "flat" else 6 * 9)
    names = [name for name in (*graph.arguments, *graph.auxiliary) if name != "data"]
    arrays = {n: RNG.normal(0, 0.4, shapes.get(n, 3 if n == "fc_bias" else 6)).astype("float32") for n in names}
    if "norm_moving_var" in arrays:
        arrays["norm_moving_var"] = np.ones(6, "float32")
    return program(graph, arrays, RNG.normal(size=(4, 3, *size)).astype("float32"), arrays)


def is_mirrored(one: Program) -> bool:
    """Whether the pass does anything; if it does, all padding goes."""
    after = mirror_maps(one)[0]
    mirrored = any(is_mirror(node) for node in after.graph.nodes)
    assert mirrored == (after is not one)
    assert not (mirrored and any(node.op == "Pad" for node in after.graph.nodes))
    return mirrored


def assert_same(one: Program, batch: np.ndarray, lr: float) -> None:
    rewrites: list[Sequence[Pass]] = [[mirror_maps, align_channels], [align_channels]]
    both = [MXNetExecutor(one, [Device("cpu")], each) for each in rewrites]
    losses = [[each.step(batch, CODES, np.ones(4), CrossEntropy(3), lr) for _ in range(3)] for each in both]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
    here, there = (each.parameters() for each in both)
    for name in one.trainable:
        far = np.abs(here[name] - there[name]) > 1e-4 + 1e-4 * np.abs(there[name])
        assert far.mean() < 0.01, name
    np.testing.assert_allclose(*(each.predict(batch) for each in both), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("end", ["", "even"])
@pytest.mark.parametrize("size", [(12, 10), (12, 11), (9, 8)])
def test_training_is_the_same_mirrored(end: str, size: tuple[int, int]) -> None:
    one = network(end, size)
    assert is_mirrored(one)
    assert_same(one, RNG.normal(size=(4, 3, *size)).astype("float32"), 1e-3)


@pytest.mark.parametrize("end", ["map", "flat", "uneven"])
def test_what_a_mirror_would_change_stays(end: str) -> None:
    assert not is_mirrored(network(end))


def test_without_padding_or_training_nothing_is_mirrored() -> None:
    assert not is_mirrored(replace(network(), trainable=frozenset()))
    net = mxnetwork("mobilenetv2_1.0", weights="random", classes=3, image_size=64)
    assert not is_mirrored(Program.of(net, frozenset(net.params)))


def test_efficientnet_trains_the_same() -> None:
    net = mxnetwork("efficientnet_lite0", weights="random", classes=3, image_size=64)
    nodes = tuple(  # smooth, see test_align_channels.py
        Node(node.name, "Activation", {"act_type": "tanh"}, node.inputs) if node.has_role("activation") else node
        for node in net.graph.nodes
    )
    one = Program.of(replace(net, graph=Graph(nodes, net.graph.heads)), frozenset(net.params))
    assert is_mirrored(one)
    assert_same(one, RNG.integers(0, 256, (4, 64, 64, 3), np.uint8), 1e-5)
