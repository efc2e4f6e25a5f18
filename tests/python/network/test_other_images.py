"""Networks for images of other channels and sizes, with the weights that they have."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mxtune import mxexample, mximages, mxnetwork, mxtrain
from mxtune.errors import ArgumentError, NetworkError, PictureError, WeightsError
from mxtune.graph import Builder, Graph, Node
from mxtune.images.preprocess import Preprocess
from mxtune.network import Network
from running import outputs

NETWORKS = ["resnet18_v1", "resnet18_v2", "mobilenetv2_0.25", "densenet121", "squeezenet1.1", "vgg11_bn"]


def small(name: str) -> Network:
    return mxnetwork(name, image_size=48, classes=3, weights="random", seed=1)


# ---- channels


@pytest.mark.parametrize("name", NETWORKS)
def test_a_grey_image_gives_what_it_gave_in_three_channels(name: str) -> None:
    net = small(name)
    net = replace(net, preprocess=replace(net.preprocess, mean=(100.0,), std=(50.0,)))
    grey = np.random.default_rng(0).normal(size=(2, 1, 48, 48)).astype("float32")
    three = outputs(net.graph, net.params, np.repeat(grey, 3, axis=1))
    one = net.with_channels(1)
    assert one.preprocess.channels == 1 and one.preprocess.mean == (100.0,)
    np.testing.assert_allclose(outputs(one.graph, one.params, grey), three, rtol=1e-3, atol=1e-3)
    assert one.with_channels(1) is one


def test_four_channels_have_the_kernels_of_timm() -> None:
    net = small("resnet18_v1")
    four = net.with_channels(4)
    weight = net.params["conv0_weight"]
    np.testing.assert_allclose(four.params["conv0_weight"], np.tile(weight, (1, 2, 1, 1))[:, :4] * 3 / 4, rtol=1e-6)
    assert four.preprocess.mean == (*net.preprocess.mean, net.preprocess.mean[0])
    pictures = np.zeros((2, 4, 48, 48), "float32")
    assert outputs(four.graph, four.params, pictures).shape == (2, 3)
    with pytest.raises(PictureError, match="it has 1 channel, and the network takes 4"):
        mxtrain(mxexample("fashion"), net=four, verbose=0)
    with pytest.raises(ArgumentError, match=r"must be 3 \(colour\), 1 \(grey\) or 4"):
        net.with_channels(5)


def test_a_normalisation_of_the_image_follows_its_channels() -> None:
    net = small("resnet18_v2")  # begins with BatchNorm
    gamma = net.params["batchnorm0_gamma"] + np.array([0, 1, 2], "float32")
    net = replace(net, params={**net.params, "batchnorm0_gamma": gamma})
    np.testing.assert_allclose(net.with_channels(1).params["batchnorm0_gamma"], [gamma.mean()])
    np.testing.assert_array_equal(net.with_channels(4).params["batchnorm0_gamma"], gamma[[0, 1, 2, 0]])


def test_groups_that_are_channels_are_refused() -> None:
    b = Builder()
    graph = b.graph(b.dense(b.global_pool(b.conv(b.data(), "grouped", 6, 3, groups=3)), "out", 2))
    net = Network(graph, {}, {}, Preprocess(size=(8, 8))).initialise()
    with pytest.raises(NetworkError, match="grouped"):
        net.with_channels(1)


def test_a_network_made_grey_trains_and_predicts() -> None:
    images = mximages(mxexample("fashion")).take(range(0, 400, 8))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = mxtrain(
            images, net=mxnetwork("efficientnet_lite0").with_channels(1), tune="head", image_size=48, verbose=0, seed=1
        )
    assert model.preprocess.channels == 1
    assert (model.predict(images)["pred_class"] == np.array(images.levels)[images.y]).mean() > 0.8


# ---- sizes


def transformer(tokens: int, class_token: bool) -> Network:
    """What a vision transformer begins with: patches, embeddings of positions, an average."""
    b = Builder()
    x = b.conv(b.data(), "patch", 8, kernel=4, stride=4)
    x = b.add_node("Reshape", "flat", [x], shape="(0, 0, -1)")
    x = b.add_node("transpose", "tokens", [x], axes="(0, 2, 1)")
    if class_token:
        first = b.add_node("mean", "class_token", [x], axis="(1,)", keepdims="True")
        x = b.add_node("Concat", "all_tokens", [first, x], dim="1", num_args="2")
    x = b.add_node("broadcast_add", "placed", [x, b.variable("positions")])
    x = b.add_node("mean", "average", [b.act(x, "relu")], axis="(1,)")
    graph = b.graph(b.dense(x, "out", 3))
    positions = np.random.default_rng(1).normal(size=(1, tokens, 8)).astype("float32")
    return Network(graph, {"positions": positions}, {}, Preprocess(size=(16, 24))).initialise().check()


@pytest.mark.parametrize("class_token", [False, True])
def test_embeddings_of_positions_are_resampled(class_token: bool) -> None:
    net = transformer(24 + class_token, class_token)
    larger = net.with_image_size((32, 32))
    old, new = net.params["positions"][0], larger.params["positions"][0]
    assert new.shape == (64 + class_token, 8)
    np.testing.assert_array_equal(new[:class_token], old[:class_token])
    grid = old[class_token:, 3].reshape(4, 6)
    expected = np.asarray(Image.fromarray(grid).resize((8, 8), Image.Resampling.BICUBIC))
    np.testing.assert_allclose(new[class_token:, 3].reshape(8, 8), expected, rtol=1e-6)
    assert outputs(larger.graph, larger.params, np.zeros((2, 3, 32, 32), "float32")).shape == (2, 3)
    assert net.with_image_size((16, 24)).params["positions"] is net.params["positions"]
    assert not len(net.diff(net.with_image_size((16, 24))))


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "deit_tiny_patch16_224"])
def test_a_vision_transformer_takes_another_size(name: str) -> None:
    net = mxnetwork(name, weights="random", classes=3)
    smaller = net.with_image_size((96, 64))
    assert outputs(smaller.graph, smaller.params, np.zeros((2, 3, 96, 64), "float32")).shape == (2, 3)
    again = smaller.with_image_size(224)
    assert again.shapes == net.shapes
    (position,) = {key for key, array in net.params.items() if array.shape != smaller.params[key].shape}
    assert smaller.params[position].shape == (1, 25, 192)


def test_a_map_of_positions_is_resampled() -> None:
    b = Builder()
    x = b.add_node("broadcast_add", "placed", [b.conv(b.data(), "patch", 8, kernel=4, stride=4), b.variable("place")])
    graph = b.graph(b.dense(b.flatten(b.global_pool(x)), "out", 3))
    place = np.ones((1, 8, 4, 4), "float32")
    net = Network(graph, {"place": place}, {}, Preprocess(size=(16, 16))).initialise().check()
    assert net.with_image_size(32).params["place"].shape == (1, 8, 8, 8)
    np.testing.assert_allclose(net.with_image_size(32).params["place"], 1, rtol=1e-6)


@pytest.mark.parametrize("name", ["resnet18_v1", "mobilenetv2_0.25", "densenet121", "squeezenet1.1"])
def test_a_network_without_a_fixed_size_takes_another(name: str) -> None:
    net = small(name)
    wide = net.with_image_size((64, 96))
    assert wide.preprocess.size == (64, 96)
    assert outputs(wide.graph, wide.params, np.zeros((1, 3, 64, 96), "float32")).shape == (1, 3)


def test_a_dense_layer_on_a_map_has_one_size() -> None:
    with pytest.raises(WeightsError, match="fc1_weight: 500 x 800 where 500 x 2450 is needed"):
        mxnetwork("lenet").with_image_size(40)
    with pytest.raises(ArgumentError, match="image_size"):
        mxnetwork("lenet").with_image_size("big")  # type: ignore[arg-type]


# ---- differences


def changes(before: Network, after: Network) -> list[tuple[str, ...]]:
    return [tuple(row) for row in before.diff(after).itertuples(index=False)]


def test_a_network_does_not_differ_from_itself() -> None:
    net = small("resnet18_v1")
    assert list(net.diff(net).columns) == ["layer", "change", "before", "after"]
    assert len(net.diff(net)) == 0
    assert len(net.diff(net.insert_after("relu0", "Dropout", name="d").remove("d"))) == 0


def test_each_edit_shows_as_what_it_is() -> None:
    net = mxnetwork("lenet", seed=1)
    dropped = net.insert_before("classifier", "Dropout", p=0.5)
    assert changes(net, dropped) == [
        ("classifier_dropout", "added", "", "Dropout, 500"),
        ("classifier", "inputs", "tanh3", "classifier_dropout"),
    ]
    assert changes(dropped, net)[0] == ("classifier_dropout", "removed", "Dropout, 500", "")
    assert changes(net, net.replace("tanh1", "relu")) == [("tanh1", "argument act_type", "tanh", "relu")]
    assert changes(net, net.freeze("fc1_bias")) == [("fc1", "frozen fc1_bias", "False", "True")]
    assert ("tanh1", "operator", "Activation", "elemwise_mul") in changes(net, net.replace("tanh1", "silu"))
    seeded = changes(net, mxnetwork("lenet", seed=2))
    assert {change.split(" of ")[0] for _, change, _, _ in seeded} == {"values"}
    head = changes(net, net.replace_head(3, name="classifier2"))
    assert ("", "outputs", "classifier", "classifier2") in head
    assert ("", "preprocess: channels", "1", "3") in changes(net, net.with_channels(3))
    assert ("conv1", "parameter conv1_weight", "20 x 1 x 5 x 5", "20 x 3 x 5 x 5") in changes(net, net.with_channels(3))


def test_a_layer_that_moved_is_told_by_its_inputs() -> None:
    def built(*order: str) -> Graph:
        nodes = [Node("data")]
        for name in order:
            nodes.append(Node(name, "Activation", {"act_type": name}, ((nodes[-1].name, 0),)))
        return Graph(tuple(nodes), ((order[-1], 0),))

    spec = Preprocess(size=(8, 8))
    one, other = (Network(built(*order), {}, {}, spec) for order in (("relu", "tanh"), ("tanh", "relu")))
    assert changes(one, other) == [
        ("", "outputs", "tanh", "relu"),
        ("relu", "inputs", "data", "tanh"),
        ("tanh", "inputs", "relu", "data"),
    ]
