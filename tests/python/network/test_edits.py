"""Edits on networks of the zoo: what they compute, that the result trains, and that it opens again."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mxtune import Model, mxexample, mximages, mxload, mxnetwork, mxtrain
from mxtune.errors import ArgumentError, NetworkError
from mxtune.graph import Builder
from mxtune.network import Network
from running import outputs

SMALL = {"lenet": 28, "resnet18_v1": 32, "mobilenetv2_0.25": 32, "squeezenet1.1": 48, "densenet121": 32, "vgg11_bn": 32}


def small(name: str) -> Network:
    return mxnetwork(name, image_size=SMALL[name], classes=3, weights="random", seed=1)


def predict(net: Network, n: int = 2) -> np.ndarray:
    shape = (n, net.preprocess.channels, *net.preprocess.size)
    return outputs(net.graph, net.params, np.random.default_rng(0).uniform(-1, 1, shape).astype("float32"))


def operators(net: Network) -> list[str]:
    return [node.op for node in net.graph.nodes if not node.is_variable]


# ---- kinds of layers


@pytest.mark.parametrize("name", ["resnet18_v1", "squeezenet1.1", "densenet121", "vgg11_bn"])
def test_relu_becomes_another_activation_and_relu_again(name: str) -> None:
    net = small(name)
    silu = net.replace("ReLU", "SiLU")
    assert not any(node.attrs.get("act_type") == "relu" for node in silu.graph.nodes)
    assert not np.allclose(predict(silu), predict(net), atol=1e-3)
    again = silu.replace("swish", "mish").replace("mish", "hard_swish").replace("hardswish", "relu")
    assert operators(again) == operators(net)
    np.testing.assert_allclose(predict(again), predict(net), atol=1e-4)
    assert operators(silu.remove("silu")) == operators(net.remove("relu"))


@pytest.mark.parametrize(
    ("kind", "of"),
    {
        "silu": lambda x: x / (1 + np.exp(-x)),
        "hard_swish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
        "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
        "relu6": lambda x: np.clip(x, 0, 6),
        "leaky_relu": lambda x: np.where(x > 0, x, 0.25 * x),
    }.items(),
)
def test_a_kind_computes_what_its_name_says(kind: str, of: object) -> None:
    net = small("lenet")
    logits = predict(net)
    np.testing.assert_allclose(predict(net.insert_after("classifier", kind)), of(logits), atol=1e-5)  # type: ignore[operator]


def test_a_value_times_a_sigmoid_of_something_else_is_no_silu() -> None:
    b = Builder()
    x = b.data()
    squeezed = b.act(b.conv(b.global_pool(x), "squeeze", 3, 1), "sigmoid", "gate")
    graph = b.graph(b.add_node("broadcast_mul", "excited", [x, squeezed]))
    net = small("resnet18_v1").insert_before("conv0", graph)
    with pytest.raises(NetworkError, match="no layer of the kind silu"):
        net.replace("silu", "relu")
    assert net.replace("sigmoid", "hard_sigmoid").graph.node("gate").op == "hard_sigmoid"


def test_a_pooling_keeps_its_window_when_its_kind_changes() -> None:
    net = small("squeezenet1.1")
    changed = net.replace("max_pool", "average pooling")
    for node in net.graph.nodes:
        if node.op == "Pooling" and node.attrs["pool_type"] == "max":
            now = changed.graph.node(node.name).attrs
            assert now == {**node.attrs, "pool_type": "avg"}
    pooled = mxnetwork("resnet18_v1", image_size=64, weights="random").replace("avg_pool", "max_pool")
    before = predict(pooled.cut("stage4_activation1"))
    np.testing.assert_allclose(predict(pooled.body), before.max(axis=(2, 3)), rtol=1e-4)


def test_a_replaced_layer_keeps_the_values_that_still_fit() -> None:
    net = small("resnet18_v1")
    dilated = net.replace("stage4_conv1", "Convolution", dilate=(2, 2), pad=(2, 2))
    np.testing.assert_array_equal(dilated.params["stage4_conv1_weight"], net.params["stage4_conv1_weight"])
    wider = net.freeze("stage4_conv1").replace("stage4_conv1", "Convolution", kernel=(5, 5), pad=(2, 2), seed=3)
    assert wider.params["stage4_conv1_weight"].shape[2:] == (5, 5)
    assert "stage4_conv1_weight" not in wider.frozen
    with pytest.raises(NetworkError, match=r"stage4_add0 .*: its inputs are 1 x 512 x 1 x 1 and 1 x 7 x 1 x 1"):
        net.replace("stage4_conv1", "Convolution", num_filter=7)


def test_a_name_that_is_a_layer_and_a_kind_is_asked_about() -> None:
    net = mxnetwork("resnet18", image_size=64, weights="random")  # torchvision's first ReLU is called relu
    with pytest.raises(
        NetworkError, match=r'relu is a layer, and a kind of 17 layers.\ni Write "RELU" for the kind, and'
    ):
        net.replace("relu", "silu")
    assert len(net.replace("RELU", "silu").graph.nodes) == len(net.graph.nodes) + 17
    assert len(net.replace("[r]elu", "silu").graph.nodes) == len(net.graph.nodes) + 1


TEMPLATES = {
    "efficientnet_b0": "silu",
    "mobilenet_v3_small": "hard_swish",
    "convnext_atto": "gelu",
    "regnety_004": "relu",
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_activations_of_networks_from_elsewhere_are_replaced(name: str) -> None:
    net = mxnetwork(name, image_size=64, weights="random", classes=3)
    edited = net.replace(TEMPLATES[name], "elu")
    with pytest.raises(NetworkError, match="no layer of the kind"):
        edited.replace(TEMPLATES[name], "relu")
    assert np.isfinite(predict(edited)).all() and edited.stages


# ---- before and after


@pytest.mark.parametrize("name", SMALL)
def test_dropout_before_the_last_layer_changes_no_prediction(name: str) -> None:
    net = small(name)
    with_dropout = net.insert_before(net.classifier, "Dropout", p=0.3)
    assert with_dropout.classifier == net.classifier
    np.testing.assert_allclose(predict(with_dropout), predict(net), atol=1e-5)
    layers = with_dropout.layers["layer"].tolist()
    assert layers.index(f"{net.classifier}_dropout") == layers.index(str(net.classifier)) - 1


def test_a_layer_is_put_after_each_of_a_kind() -> None:
    net = small("resnet18_v1")
    relus = sum(node.attrs.get("act_type") == "relu" for node in net.graph.nodes)
    assert operators(net.insert_after("relu", "Dropout", p=0.1)).count("Dropout") == relus
    with pytest.raises(NetworkError, match=f"{relus} layers can't all be called d"):
        net.insert_after("relu", "Dropout", name="d")


def test_what_is_before_one_layer_is_not_before_its_neighbours() -> None:
    net = small("resnet18_v1")  # a shortcut takes what the first convolution of a block takes
    shortcut = net.graph.node("stage2_conv2").inputs[0]
    changed = net.insert_before("stage2_conv0", "Dropout", name="d")
    assert changed.graph.node("stage2_conv0").inputs[0] == ("d", 0)
    assert changed.graph.node("stage2_conv2").inputs[0] == shortcut


def test_a_variable_is_no_layer_but_the_image_may_be_followed() -> None:
    net = small("lenet")
    for edit in (net.insert_before, net.replace):
        for name in ("data", "conv1_weight"):
            with pytest.raises(NetworkError, match=f"{name} is a variable: nothing comes before it"):
                edit(name, "relu")
    assert net.insert_after("data", "relu").layers["layer"].tolist()[0] == "data_relu"


def test_layers_are_removed_by_pattern_and_operator() -> None:
    net = small("vgg11_bn")
    assert "BatchNorm" not in operators(net.remove("BatchNorm"))
    assert "BatchNorm" not in operators(net.remove("batchnorm*"))
    assert operators(net.remove("dropout").insert_before("dense2", "Dropout")).count("Dropout") == 1
    with pytest.raises(NetworkError, match="no layer of the kind silu"):
        net.remove("silu")
    with pytest.raises(NetworkError, match=r"no layer dens\.\ni Did you mean dense"):
        net.remove("dens")
    with pytest.raises(NetworkError, match="by name, pattern or operator"):
        net.remove(3)  # type: ignore[arg-type]


# ---- freezing


@pytest.mark.parametrize("name", SMALL)
def test_stages_freeze_what_lies_between_their_ends(name: str) -> None:
    net = small(name)
    first, last = net.freeze(stages=1).frozen, net.freeze(stages=-1).frozen
    assert first and last and not first & last
    every = net.freeze(stages=range(1, len(net.stages) + 1))
    assert every.frozen == set(net.cut(net.stages[-1]).params)
    assert every.unfreeze(stages=1).frozen == every.frozen - first
    assert every.unfreeze().frozen == frozenset()
    assert not net.freeze(net.classifier, stages=1).frozen <= first


def test_there_are_only_so_many_stages() -> None:
    net = small("lenet")
    for stage in (0, 3, -3, True):
        with pytest.raises(NetworkError, match=f"There is no stage {stage}: the network has 2 stages"):
            net.freeze(stages=stage)


def test_layers_are_frozen_by_kind() -> None:
    net = small("resnet18_v1")
    assert net.freeze("BatchNorm").frozen == {name for name in net.params if "batchnorm" in name}
    assert net.freeze("dense").frozen == {"dense0_weight", "dense0_bias"}


# ---- Dropout before the last layer


def last(net: Network, n: int = 2) -> list[str]:
    return net.layers["layer"].tolist()[-n:]


@pytest.mark.parametrize("stages", [False, True])
def test_dropout_put_before_the_last_layer_stays_before_a_new_one(stages: bool) -> None:
    net = small("resnet18_v1")
    dropped = net.insert_before(net.classifier, "Dropout", name="mine", p=0.25)
    again = dropped.replace_head(4, stages=stages).replace_head(5, stages=stages)
    assert last(again) == ["mine", "head"] and operators(again).count("Dropout") == 1
    assert again.graph.node("mine").attrs["p"] == "0.25"
    plain = net.replace_head(5, stages=stages)
    np.testing.assert_allclose(predict(again), predict(plain), rtol=1e-5)
    assert again.features == plain.features
    assert operators(again.remove("mine").replace_head(3, stages=stages)) == operators(plain)


def test_dropout_of_the_networks_own_goes_with_its_last_layer() -> None:
    net = mxnetwork("efficientnet_lite0")
    assert last(net) == ["dropout", "classifier"] and "Dropout" not in operators(net.replace_head(3))
    assert last(net.replace("dropout", "Dropout", p=0.6).replace_head(3)) == ["dropout", "head"]


def test_dropout_before_the_last_layer_is_trained_with() -> None:
    images = mximages(mxexample("fashion")).take(range(0, 400, 8))
    net = small("resnet18_v1")
    weights = []
    for one in (net, net.insert_before(net.classifier, "Dropout", p=0.5)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = mxtrain(images, net=one, tune="all", epochs=1, image_size=32, verbose=0, seed=1)
        weights.append(model.network.params["head_weight"])
    assert last(model.network) == [f"{net.classifier}_dropout", "head"]
    assert not np.array_equal(*weights)
    again = Model.from_bytes(model.to_bytes()).network
    assert again.graph == model.network.graph and last(again.replace_head(3)) == last(again)


# ---- another output


@pytest.mark.parametrize("name", ["lenet", "resnet18_v1", "densenet121"])
def test_another_output_gives_what_its_layer_gives(name: str) -> None:
    net = small(name)
    stage = net.stages[0]
    two = net.attach(stage)
    assert two.outputs == (net.output, stage) and two.classifier == net.classifier
    logits, maps = predict(two)
    np.testing.assert_allclose(logits, predict(net), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(maps, predict(net.cut(stage)), rtol=1e-4, atol=1e-5)
    assert two.main.graph == net.graph and two.cut(stage).outputs == (stage,)
    with pytest.raises(NetworkError, match=f"has the output {stage} already"):
        two.attach(stage)
    with pytest.raises(NetworkError, match="no layer nowhere"):
        net.attach("nowhere")


@pytest.mark.parametrize("stages", [False, True])
def test_another_output_stays_when_the_head_is_replaced(stages: bool) -> None:
    net = small("vgg11_bn").attach("dense0")
    replaced = net.replace_head(4, stages=stages).replace_head(5, stages=stages)
    assert replaced.outputs == ("head", "dense0")
    logits, dense = predict(replaced)
    assert logits.shape == (2, 5)
    np.testing.assert_allclose(dense, predict(net)[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("tune", ["head", "all"])
def test_a_model_predicts_another_output_also_from_its_file(tune: str, tmp_path: Path) -> None:
    images = mximages(mxexample("fashion")).take(range(0, 400, 8))
    net = mxnetwork("efficientnet_lite0").attach(["block2a_expand_act", "top_act"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        epochs = {} if tune == "head" else {"epochs": 1}
        model = mxtrain(images, net=net, tune=tune, image_size=48, verbose=0, seed=1, **epochs)
        plain = mxtrain(images, net=net.main, tune=tune, image_size=48, verbose=0, seed=1, **epochs)
    for name, array in plain.network.params.items():
        np.testing.assert_array_equal(model.network.params[name], array)
    model.save(tmp_path / "two.mxt")
    again = mxload(tmp_path / "two.mxt")
    first = again.predict(images, type="block2a_expand_act")
    assert first.shape == (50, 97) and first.columns[1] == "block2a_expand_act_1"
    one, other = (each.predict(images, type="top_act").iloc[:, 1:] for each in (model, again))
    np.testing.assert_array_equal(one, other)
    assert again.predict(images)["pred_class"].tolist() == plain.predict(images)["pred_class"].tolist()
    with pytest.raises(ArgumentError, match="type"):
        again.predict(images, type="conv1")


# ---- the result is a network like any other


def test_tokens_are_averaged_where_a_vector_is_needed() -> None:
    images = mximages(mxexample("fashion")).take(range(0, 400, 20))
    net = mxnetwork("vit_tiny_patch16_224", weights="random", seed=1).with_image_size(32)
    middle = "blocks.5.add_1"
    (tokens,) = net.cut(middle).shapes[middle]
    assert tokens == (1, 5, 192)
    cut = net.cut(middle).replace_head(3)
    assert cut.params["head_weight"].shape == (3, 192)
    expected = predict(net.cut(middle)).mean(axis=1) @ cut.params["head_weight"].T
    np.testing.assert_allclose(predict(cut), expected, atol=1e-4)
    body = replace(net.attach(middle), pretrained=True)
    model = mxtrain(images, net=body, tune="head", image_size=32, valid=0, verbose=0, seed=1)
    assert Model.from_bytes(model.to_bytes()).predict(images, type=middle).shape == (20, 193)


EDITS = {
    "activations": ("mobilenetv2_0.25", lambda net: net.replace("relu6", "silu")),
    "poolings": ("squeezenet1.1", lambda net: net.replace("max_pool", "avg_pool").replace("relu", "leaky_relu")),
    "dropout": ("resnet18_v1", lambda net: net.insert_before(net.classifier, "Dropout", p=0.2).freeze(stages=1)),
    "less": ("vgg11_bn", lambda net: net.remove("dropout").remove("batch_norm")),
    "lenet": ("lenet", lambda net: net.replace("tanh", "relu").insert_after("conv*", "batch_norm")),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_network_trains_saves_and_opens_again(name: str, tmp_path: Path) -> None:
    start, edit = EDITS[name]
    images = mximages(mxexample("fashion")).take(range(0, 400, 8))
    net = edit(small(start))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = mxtrain(images, net=net, tune="all", epochs=1, image_size=SMALL[start], verbose=0, seed=1)
    file = tmp_path / "edited.mxt"
    model.save(file)
    again = mxload(file)
    assert isinstance(again, Model)
    assert set(operators(net.body)) <= set(operators(again.network))  # the classifier is a new one
    before, after = (one.predict(images, type="prob").iloc[:, 2:] for one in (model, again))
    np.testing.assert_array_equal(before, after)
    for frozen in net.frozen:
        np.testing.assert_array_equal(again.network.params[frozen], net.params[frozen])
    np.testing.assert_allclose(predict(mxnetwork(file)), predict(model.network), atol=1e-6)
