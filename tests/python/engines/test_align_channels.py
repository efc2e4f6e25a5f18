"""Channels of zeros are added to maps in training, and training is the same."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from mxtune import mxnetwork
from mxtune.engines import Device, Executor, Program
from mxtune.engines.mxnet import passes as all_passes
from mxtune.engines.mxnet.executor import MXNetExecutor
from mxtune.engines.mxnet.passes.align_channels import align_channels
from mxtune.graph import Builder, Graph, Node
from mxtune.tasks.losses import CrossEntropy
from running import program

pytestmark = pytest.mark.mxnet

CODES = np.arange(4) % 3
RNG = np.random.default_rng(0)
PICTURES = RNG.normal(size=(4, 3, 12, 12)).astype("float32")


def network(act: str = "relu") -> tuple[Graph, dict[str, np.ndarray]]:
    """A shortcut over maps of 24 channels, depthwise and BatchNorm among them, and a dense layer over 20 of 6 x 6."""
    b = Builder()
    first = b.batchnorm(b.conv(b.data(), "one", 24, kernel=3, pad=1, bias=False), "norm")
    deep = b.act(b.conv(b.act(first, act), "deep", 24, kernel=3, pad=1, groups=24), act)
    x = b.add(b.conv(deep, "two", 24, kernel=1), first)
    x = b.pool(b.act(b.conv(x, "three", 20, kernel=3, pad=1), act), "max", kernel=2, stride=2)
    graph = b.graph(b.dense(b.flatten(x), "head", 3))
    shapes = {
        "one_weight": (24, 3, 3, 3), "deep_weight": (24, 1, 3, 3), "deep_bias": (24,), "two_weight": (24, 24, 1, 1),
        "two_bias": (24,), "three_weight": (20, 24, 3, 3), "three_bias": (20,), "head_weight": (3, 720),
        "head_bias": (3,), "norm_gamma": (24,), "norm_beta": (24,), "norm_moving_mean": (24,),
    }  # fmt: skip
    params = {name: RNG.normal(0, 0.2, shape).astype("float32") for name, shape in shapes.items()}
    return graph, {**params, "norm_moving_var": np.ones(24, "float32")}


def executor(one: Program, aligned: bool) -> Executor:
    rewrites = [each for each in all_passes.PASSES if aligned or each is not align_channels]
    return MXNetExecutor(one, [Device("cpu")], rewrites)


def assert_same(one: Program, batch: np.ndarray, lr: float = 1e-3) -> None:
    """Weights after some steps are the same both ways. Adam divides what little differs: near 0 it is the rate."""
    both = [executor(one, aligned) for aligned in (True, False)]
    losses = [[each.step(batch, CODES, np.ones(4), CrossEntropy(3), lr) for _ in range(4)] for each in both]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
    here, there = (each.parameters() for each in both)
    for name in one.trainable:
        assert here[name].shape == one.params[name].shape
        far = np.abs(here[name] - there[name]) > 1e-4 + 1e-4 * np.abs(there[name])
        assert far.mean() < 0.01, name
    np.testing.assert_allclose(both[0].predict(batch), both[1].predict(batch), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("act", ["relu", "tanh", "relu6"])
@pytest.mark.parametrize("moving", [True, False])
def test_training_is_the_same_with_channels_of_zeros(act: str, moving: bool) -> None:
    graph, params = network(act)
    learned = [name for name in params if moving or "moving" not in name]
    one = program(graph, params, PICTURES, learned)
    grown, _ = align_channels(one)
    kernels = {name: array.shape[:2] for name, array in grown.params.items() if array.ndim == 4}
    assert kernels == {
        "one_weight": (32, 3), "deep_weight": (32, 1), "two_weight": (32, 32), "three_weight": (32, 32)
    }  # fmt: skip
    assert grown.params["head_weight"].shape == (3, 32 * 36)
    assert_same(one, PICTURES)


def test_what_is_added_stays_zero() -> None:
    graph, params = network()
    grown, cut = align_channels(program(graph, params, PICTURES, params))
    one = executor(grown, aligned=False)
    for _ in range(3):
        one.step(PICTURES, CODES, np.ones(4), CrossEntropy(3), 1e-2)
    learned = one.parameters()
    for name, own in cut(learned).items():
        if "moving_var" not in name:
            assert np.count_nonzero(learned[name]) == np.count_nonzero(own), name


def test_a_state_has_the_shapes_of_the_parameters_and_goes_on_both_ways() -> None:
    graph, params = network()
    one = program(graph, params, PICTURES, params)
    first, second = executor(one, aligned=True), executor(one, aligned=False)
    first.step(PICTURES, CODES, np.ones(4), CrossEntropy(3), 1e-3)
    state = first.state()
    assert state["mean:one_weight"].shape == state["weight:one_weight"].shape == (24, 3, 3, 3)
    again = executor(one, aligned=True)
    losses = []
    for each in (first, again, second):
        each.restore(state)
        losses.append([each.step(PICTURES, CODES, np.ones(4), CrossEntropy(3), 1e-3) for _ in range(3)])
    assert losses[0] == losses[1]
    np.testing.assert_allclose(losses[0], losses[2], rtol=1e-4)


def test_what_is_read_elsewhere_or_not_kept_at_zero_stays_as_it_is() -> None:
    b = Builder()
    conv = b.conv(b.data(), "c", 24, kernel=3)
    params = {"c_weight": RNG.normal(size=(24, 3, 3, 3)), "c_bias": RNG.normal(size=24)}
    arrays = {name: array.astype("float32") for name, array in params.items()}
    graphs = {
        "a head": b.graph(conv),
        "a sigmoid": b.graph(b.global_pool(b.act(conv, "sigmoid"))),
        "joined": b.graph(b.concat([conv, conv])),
    }
    for what, graph in graphs.items():
        assert align_channels(program(graph, arrays, PICTURES, arrays))[0].params["c_weight"].shape[0] == 24, what
    graph, more = network()
    frozen = program(graph, more, PICTURES)
    assert align_channels(frozen)[0] is frozen


def of_the_zoo(name: str, size: int, moving: bool) -> Program:
    """A network all of whose layers are trained.

    Its activations are smooth, as rounding decides at a bend whether a gradient passes: with ReLU6, 4 of 24 gradients
    of the two networks differed by up to .3 %, the others by 6e-6. Without the pass, and weights moved by 1e-7,
    8 of 24 did, by up to 2 %.
    """
    net = mxnetwork(name, weights="random", classes=3, image_size=size)
    nodes = tuple(
        Node(node.name, "Activation", {"act_type": "tanh"}, node.inputs) if node.has_role("activation") else node
        for node in net.graph.nodes
    )
    one = Program.of(replace(net, graph=Graph(nodes, net.graph.heads)))
    return replace(one, trainable=frozenset(net.params) - (frozenset() if moving else frozenset(net.graph.auxiliary)))


def test_a_network_of_whole_blocks_is_left_alone() -> None:
    one = of_the_zoo("resnet18", 64, moving=True)
    assert align_channels(one)[0] is one


@pytest.mark.parametrize(
    ("name", "moving"),
    [("lenet", False), *itertools.product(("mobilenetv2_1.0", "efficientnet_lite0"), (True, False))],
)
def test_networks_of_the_zoo_train_the_same(name: str, moving: bool) -> None:
    size, channels = (28, 1) if name == "lenet" else (64, 3)
    one = of_the_zoo(name, size, moving)
    assert align_channels(one)[0] is not one
    pictures = RNG.integers(0, 256, (4, size, size, channels), np.uint8)
    means = []
    for aligned in (True, False):
        each = executor(one, aligned)
        each.step(pictures, CODES, np.ones(4), CrossEntropy(3), 1e-6)
        means.append({key: array for key, array in each.state().items() if key.startswith("mean:")})
    for key, mean in means[1].items():  # a tenth of the gradient, which is nothing but rounding where the next layer
        far = np.linalg.norm(means[0][key] - mean)  # takes the mean away
        assert far <= 1e-3 * np.linalg.norm(mean) + 1e-6, key
    assert_same(one, pictures, lr=1e-5)
