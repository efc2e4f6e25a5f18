"""Passes: another graph, the same function."""

from __future__ import annotations

import numpy as np
import pytest

from mxtune.engines.mxnet.executor import Executor
from mxtune.engines.mxnet.passes.compile import even_kernels, frozen_statistics, fusible, quick_clip
from mxtune.graph import Builder, Graph, Node, subgraph
from mxtune.zoo.opening import mxnetwork

RNG = np.random.default_rng(3)
PICTURES = RNG.normal(size=(3, 3, 13, 11)).astype("float32")


def padded(pads: str, kernel: int = 3, stride: int = 2, groups: int = 1) -> tuple[Graph, dict[str, np.ndarray]]:
    graph = Graph(
        (
            Node("data"), Node("w"), Node("b"),
            Node("pad", "Pad", {"mode": "constant", "pad_width": pads, "constant_value": "0"}, (("data", 0),)),
            Node(
                "conv", "Convolution",
                {"kernel": str((kernel,) * 2), "stride": str((stride,) * 2), "num_filter": "6",
                 "num_group": str(groups)},
                (("pad", 0), ("w", 0), ("b", 0)),
            ),
        ),
        (("conv", 0),),
    )  # fmt: skip
    weight = RNG.normal(size=(6, 3 // groups, kernel, kernel)).astype("float32")
    return graph, {"w": weight, "b": RNG.normal(size=6).astype("float32")}


CASES = [
    ("(0,0,0,0,0,1,0,1)", 3, 2, 1),
    ("(0,0,0,0,1,2,1,2)", 5, 2, 1),
    ("(0,0,0,0,0,1,1,1)", 3, 2, 3),
    ("(0,0,0,0,1,1,1,1)", 3, 1, 1),
    ("(0,0,0,0,0,3,0,2)", 2, 3, 1),
]


@pytest.mark.parametrize("trainable", [(), ("w",)])
@pytest.mark.parametrize(("pads", "kernel", "stride", "groups"), CASES)
def test_uneven_padding_in_the_kernel_is_the_same_function(
    pads: str, kernel: int, stride: int, groups: int, trainable: tuple[str, ...]
) -> None:
    graph, params = padded(pads, kernel, stride, groups)
    merged, arrays = even_kernels(graph, params, trainable)
    assert "pad" not in merged
    expected = plain(graph, params)
    found = plain(merged, arrays)
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert (arrays["w"].shape == params["w"].shape) == (bool(trainable) or pads == "(0,0,0,0,1,1,1,1)")


def plain(graph: Graph, params: dict[str, np.ndarray]) -> np.ndarray:
    """The graph as MXNet runs it, without our passes."""
    from mxtune.engines.mxnet import load
    from mxtune.graph import to_json

    mx = load()
    bound = mx.sym.load_json(to_json(graph)).bind(
        mx.cpu(), {"data": mx.nd.array(PICTURES), **{name: mx.nd.array(array) for name, array in params.items()}}
    )
    return np.asarray(bound.forward()[0].asnumpy())


@pytest.mark.parametrize("change", [{"mode": "edge"}, {"constant_value": "1"}, {"pad_width": "(0,0,0,0,1,0,1,0)"}])
def test_other_padding_stays(change: dict[str, str]) -> None:
    graph, params = padded("(0,0,0,0,0,1,0,1)")
    nodes = [Node(n.name, n.op, {**n.attrs, **change}, n.inputs) if n.name == "pad" else n for n in graph.nodes]
    assert "pad" in even_kernels(Graph(tuple(nodes), graph.heads), params)[0]


def test_a_kernel_that_two_layers_share_stays() -> None:
    graph, params = padded("(0,0,0,0,0,1,0,1)")
    other = Node("again", "Convolution", graph.node("conv").attrs, (("data", 0), ("w", 0), ("b", 0)))
    assert "pad" in even_kernels(Graph((*graph.nodes, other), (("conv", 0), ("again", 0))), params)[0]


def test_the_pretrained_network_stays_itself() -> None:
    network = mxnetwork("efficientnet_lite0", image_size=64)
    merged, arrays = even_kernels(network.graph, network.params)
    assert sum(node.op == "Pad" for node in network.graph.nodes) > 0
    assert not any(node.op == "Pad" for node in merged.nodes)
    pictures = RNG.normal(size=(2, 3, 64, 64)).astype("float32")
    trainable = ["classifier_bias"]  # what is trained is not fused
    expected = Executor(network.graph, {**network.params}, trainable=trainable).predict(pictures)
    np.testing.assert_allclose(Executor(merged, arrays).predict(pictures), expected, atol=1e-3)


def test_statistics_move_only_where_they_are_trained() -> None:
    b = Builder()
    graph = b.graph(b.batchnorm(b.batchnorm(b.data(), "one"), "two"))
    found = frozen_statistics(graph, {"two_moving_mean", "two_moving_var"})
    assert found.node("one").attrs["use_global_stats"] == "True"
    assert found.node("two").attrs.get("use_global_stats", "False") != "True"


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
    found = Executor(several, {n: a for n, a in params.items() if n in several}).predict(PICTURES)
    for head, said in zip(heads, found if len(heads) > 1 else [found]):
        alone = subgraph(graph, [head])
        bare = Executor(alone, {n: a for n, a in params.items() if n in alone}, trainable=["c_bias"])
        np.testing.assert_allclose(said, bare.predict(PICTURES), atol=1e-4)


def test_a_network_without_branches_is_left_alone() -> None:
    network = mxnetwork("efficientnet_lite0", image_size=64)
    assert fusible(network.graph) == network.graph


def test_a_clip_in_training_is_a_relu_and_a_minimum() -> None:
    b = Builder()
    conv = b.graph(b.conv(b.data(), "c", 4, kernel=3))
    clips = (
        Node("six", "clip", {"a_min": "0.0", "a_max": "6.0"}, conv.heads),
        Node("other", "clip", {"a_min": "-1", "a_max": "1"}, conv.heads),
        Node("end", "elemwise_add", {}, (("six", 0), ("other", 0))),
    )
    graph = Graph((*conv.nodes, *clips), (("end", 0),))
    quick = quick_clip(graph)
    assert [node.name for node in quick.nodes if node.op == "clip"] == ["other"]
    params = {"c_weight": RNG.normal(size=(4, 3, 3, 3)), "c_bias": RNG.normal(size=4)}
    arrays = {name: array.astype("float32") for name, array in params.items()}
    found = Executor(quick, arrays, trainable=["c_weight"]).predict(PICTURES)
    np.testing.assert_allclose(found, plain(graph, arrays), atol=1e-5)
