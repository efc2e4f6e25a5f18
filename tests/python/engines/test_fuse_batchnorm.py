"""A frozen BatchNorm is taken into the frozen layer before it, and nothing else is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mxtune import engines
from mxtune.engines import Program
from mxtune.engines.torch.passes.fuse_batchnorm import fuse_batchnorm
from mxtune.graph import Builder, Graph
from mxtune.zoo.opening import mxnetwork
from running import bound, program

RNG = np.random.default_rng(0)
PARTS = ("gamma", "beta", "moving_mean", "moving_var")
PICTURES = RNG.normal(size=(2, 3, 8, 8)).astype("float32")


def network(bias: bool = True, heads: Collection[str] = (), second: bool = False, **batchnorm: str) -> Graph:
    b = Builder()
    conv = b.conv(b.data(), "conv", 4, kernel=3, bias=bias)
    x = b.act(b.batchnorm(conv, "bn"), "relu")
    if second:
        x = b.add(x, conv, "sum")
    graph = b.graph(b.batchnorm(b.dense(x, "fc", 5), "last"))
    told = {"bn": batchnorm}
    nodes = tuple(replace(node, attrs={**node.attrs, **told.get(node.name, {})}) for node in graph.nodes)
    return Graph(nodes, (*graph.heads, *((name, 0) for name in heads)))


def params_of(graph: Graph) -> dict[str, np.ndarray]:
    sizes = {"conv_weight": (4, 3, 3, 3), "conv_bias": (4,), "fc_weight": (5, 144), "fc_bias": (5,)}
    names = [name for name in (*graph.arguments, *graph.auxiliary) if name != "data"]
    shapes = {name: sizes.get(name, (4,) if name.startswith("bn") else (5,)) for name in names}
    return {name: (RNG.random(shape) + 0.5).astype("float32") for name, shape in shapes.items()}


def outputs(one: Program) -> Any:
    return bound(one, passes=False, engine=engines.installed()[0]).predict(PICTURES)


def left(one: Program) -> set[str]:
    """The BatchNorms that are left."""
    return {node.name for node in fuse_batchnorm(one)[0].graph.nodes if node.has_role("batchnorm")}


@pytest.mark.parametrize("settings", [{}, {"fix_gamma": "True"}, {"eps": "0.5"}])
@pytest.mark.parametrize("bias", [False, True])
def test_the_function_is_the_same(bias: bool, settings: dict[str, str]) -> None:
    graph = network(bias, **settings)
    one = program(graph, params_of(graph), PICTURES)
    fused, undo = fuse_batchnorm(one)
    assert left(one) == set()
    assert fused.graph.heads == graph.heads
    assert undo(one.params) is one.params
    np.testing.assert_allclose(outputs(fused), outputs(one), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("trainable", "stays"),
    [("conv_weight", "bn"), ("conv_bias", "bn"), ("bn_gamma", "bn"), ("bn_moving_var", "bn"), ("fc_weight", "last")],
)
def test_what_learns_stays_as_it_is(trainable: str, stays: str) -> None:
    graph = network()
    assert left(program(graph, params_of(graph), PICTURES, [trainable])) == {stays}


@pytest.mark.parametrize("settings", [{"second": True}, {"heads": ["conv"]}, {"output_mean_var": "True"}])
def test_a_layer_that_others_read_stays_as_it_is(settings: dict[str, object]) -> None:
    graph = network(**settings)  # type: ignore[arg-type]
    assert left(program(graph, params_of(graph), PICTURES)) == {"bn"}


def test_a_dense_layer_of_each_place_stays_as_it_is() -> None:
    """Its features lie on the last axis, and BatchNorm's on the second."""
    b = Builder()
    data = b.data()
    b.add_node("null", "fc_weight", ())
    places = b.add_node(
        "FullyConnected", "fc", [data, ("fc_weight", 0)], num_hidden="3", no_bias="True", flatten="False"
    )
    graph = b.graph(b.batchnorm(places, "bn"))
    params = {"fc_weight": np.ones((3, 6), "float32"), **{f"bn_{part}": np.ones(4, "float32") for part in PARTS}}
    assert left(program(graph, params, np.zeros((1, 4, 6), "float32"))) == {"bn"}


def test_nothing_is_left_of_efficientnet() -> None:
    assert left(Program.of(mxnetwork("efficientnet_lite0", image_size=64))) == set()
