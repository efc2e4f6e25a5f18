"""Network: read, cut, edited and frozen, with its function kept where it should be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mxtune import mxnetwork
from mxtune.errors import ArgumentError, MissingFileError, NetworkError, WeightsError
from mxtune.formats.params import write_params
from mxtune.graph import Builder, Graph, Node, to_json
from mxtune.images.preprocess import Preprocess
from mxtune.network import Network
from mxtune.zoo import imagenet
from running import outputs


def predict(net: Network, x: np.ndarray) -> np.ndarray:
    return outputs(net.graph, net.params, x)


@pytest.fixture(scope="module")
def lenet() -> Network:
    return mxnetwork("lenet", seed=3)


@pytest.fixture(scope="module")
def lite() -> Network:
    return mxnetwork("efficientnet_lite0")


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    return np.random.default_rng(0).uniform(size=(4, 1, 28, 28)).astype("float32")


def test_the_table_of_layers_says_what_each_is(lenet: Network) -> None:
    table = lenet.freeze("conv1").layers
    assert table.columns.tolist() == ["layer", "operator", "output_shape", "parameters", "trainable"]
    assert table.iloc[0].tolist() == ["conv1", "Convolution", "20 x 24 x 24", 520, False]
    assert table.iloc[-1].tolist() == ["classifier", "FullyConnected", "10", 5010, True]
    assert table["parameters"].sum() == lenet.n_parameters == 431_080


def test_a_network_prints_as_a_line_and_its_table(lenet: Network) -> None:
    assert repr(lenet) == (
        "<Network lenet: 431,080 parameters, 8 of 8 arrays trainable, images of 28 x 28, output classifier>"
    )
    assert "FullyConnected" in str(lenet) and "<table" in lenet._repr_html_()


def test_a_cut_gives_what_the_layer_gives(lenet: Network, grey: np.ndarray) -> None:
    cut = lenet.cut("tanh2")
    assert cut.output == "tanh2" and "fc1_weight" not in cut.params and cut.classifier == ""
    w, b = (lenet.params[f"conv1_{s}"] for s in ("weight", "bias"))
    windows = np.lib.stride_tricks.sliding_window_view(grey[0, 0], (5, 5))
    expected = np.tanh(np.einsum("hwij,kij->khw", windows, w[:, 0]) + b[:, None, None])
    np.testing.assert_allclose(predict(lenet.cut("tanh1"), grey)[0], expected, atol=1e-5)
    assert predict(cut, grey).shape == (4, 50, 8, 8)


def test_the_body_and_the_classifier_together_are_the_network(lite: Network) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 224, 224)).astype("float32")
    features = predict(lite.body, x)
    assert features.shape == (2, 1280) and lite.features == "features"
    logits = features @ lite.params["classifier_weight"].T + lite.params["classifier_bias"]
    np.testing.assert_allclose(predict(lite, x), logits, atol=1e-4)


def test_stages_are_found(lite: Network, lenet: Network) -> None:
    blocks = tuple(f"block{n}a_expand_act" for n in (2, 3, 4, 6))
    assert lite.stages == (*blocks, "top_act")
    assert lenet.stages == ("tanh1", "tanh2")


def test_a_head_of_every_stage_sees_their_averages_and_maxima(lenet: Network, grey: np.ndarray) -> None:
    net = lenet.replace_head(3, seed=1, stages=True)
    first, second, dense = (predict(lenet.cut(name), grey) for name in ("tanh1", "tanh2", "tanh3"))
    pools = [reduce(a, (2, 3)) for a in (first, second) for reduce in (np.mean, np.max)]
    features = np.concatenate([*pools, dense], axis=1)
    np.testing.assert_allclose(predict(lenet.pooled(), grey), features, atol=1e-5)
    expected = features @ net.params["head_weight"].T + net.params["head_bias"]
    np.testing.assert_allclose(predict(net, grey), expected, atol=1e-5)
    assert net.classifier == "head" and net.stages == lenet.stages


def test_a_head_can_be_replaced_again_and_again(lenet: Network, grey: np.ndarray) -> None:
    once = lenet.replace_head(3, stages=True)
    twice = once.replace_head(4, stages=True)
    assert twice.params["head_weight"].shape == (4, once.params["head_weight"].shape[1])
    plain = twice.replace_head(5)
    np.testing.assert_array_equal(predict(plain.body, grey), predict(once.body, grey))
    assert predict(plain, grey).shape == (4, 5)


def test_a_seed_gives_the_same_head(lenet: Network) -> None:
    one, same, other = (lenet.replace_head(3, seed=seed).params["head_weight"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(lenet.replace_head(3).params["conv1_weight"], lenet.params["conv1_weight"])


@pytest.mark.parametrize("units", [0, -1, 2.5, True])
def test_a_head_without_outputs_is_refused(lenet: Network, units: int) -> None:
    with pytest.raises(ArgumentError, match="`units` must be a whole number of at least 1"):
        lenet.replace_head(units)


def test_a_head_needs_a_new_name(lenet: Network) -> None:
    with pytest.raises(NetworkError, match="already has a layer conv1"):
        lenet.replace_head(3, name="conv1")


def test_freezing_by_name_pattern_list_and_depth(lite: Network) -> None:
    assert lite.freeze("stem_bn").frozen == {f"stem_bn_{s}" for s in ("gamma", "beta", "moving_mean", "moving_var")}
    assert lite.freeze("classifier_weight").frozen == {"classifier_weight"}
    assert lite.freeze(["stem_conv", "block1*"]).frozen == lite.freeze(["stem_conv"]).freeze("block1?_*").frozen
    assert lite.freeze(2).frozen == lite.freeze(["stem_conv", "stem_bn"]).frozen
    assert lite.freeze(-1).trainable == ["classifier_weight", "classifier_bias"]
    assert lite.freeze("*").trainable == [] and lite.freeze("*").unfreeze().trainable == lite.trainable
    assert lite.freeze("*").unfreeze("top_*").trainable == ["top_conv_weight", "top_bn_gamma", "top_bn_beta"]
    assert lite.frozen == frozenset()


def test_freezing_what_is_not_there_names_what_is_near(lite: Network) -> None:
    with pytest.raises(NetworkError, match=r"No layer with parameters matches stem_konv.\ni Did you mean stem_conv"):
        lite.freeze("stem_konv")
    with pytest.raises(NetworkError, match="stem_act has no parameters"):
        lite.freeze("stem_act")
    for what in (True, None, 1.5):
        with pytest.raises(NetworkError, match="by name, pattern or number"):
            lite.freeze(what)  # type: ignore[arg-type]


def test_inserting_what_does_nothing_changes_nothing(lenet: Network, grey: np.ndarray) -> None:
    expected = predict(lenet, grey)
    net = lenet.insert("fc1", "Dropout", p=0.5).insert("conv1", "BatchNorm", name="bn", eps=0, fix_gamma=False)
    assert net.graph.node("tanh1").inputs == (("bn", 0),)
    assert net.params["bn_moving_var"].tolist() == [1] * 20
    np.testing.assert_allclose(predict(net, grey), expected, atol=1e-5)
    assert "bn" not in lenet.graph


def test_inserting_a_layer_and_a_graph_computes_them(lenet: Network, grey: np.ndarray) -> None:
    end = lenet.insert("classifier", "FullyConnected", name="more", num_hidden=2)
    logits = predict(lenet, grey)
    np.testing.assert_allclose(
        predict(end, grey), logits @ end.params["more_weight"].T + end.params["more_bias"], atol=1e-5
    )
    assert end.output == "more" and end.classifier == "more"
    b = Builder()
    doubled = b.graph(b.add(x := b.data("in"), x, "twice"))
    np.testing.assert_allclose(predict(lenet.insert("classifier", doubled), grey), 2 * logits, rtol=1e-5)


def test_an_edit_that_does_not_fit_is_refused(lenet: Network) -> None:
    with pytest.raises(WeightsError, match=r"conv2_weight: 50 x 20 x 5 x 5 where 50 x 7 x 5 x 5 is needed"):
        lenet.insert("pool1", "Convolution", name="mid", kernel=(1, 1), num_filter=7)
    with pytest.raises(WeightsError, match="fc1_weight: 500 x 800 where 500 x 3200 is needed"):
        lenet.remove("pool2")
    with pytest.raises(NetworkError, match="already has a layer conv2"):
        lenet.insert("conv1", "Dropout", name="conv2", p=0.1)
    with pytest.raises(NetworkError, match="Did you mean conv2"):
        lenet.insert("convv2", "Dropout", p=0.1)
    with pytest.raises(NetworkError, match=r"a Dropuot, an operator that is not supported\.\ni Did you mean Dropout"):
        lenet.insert("conv1", "Dropuot", p=0.1)


def test_removing_and_renaming_keep_the_function(lenet: Network, grey: np.ndarray) -> None:
    expected = predict(lenet, grey)
    dropped = lenet.insert("fc1", "Dropout", name="drop", p=0.5).remove("drop")
    np.testing.assert_array_equal(predict(dropped, grey), expected)
    renamed = lenet.freeze("conv1").rename("conv1", "first").rename("classifier", "last")
    np.testing.assert_array_equal(predict(renamed, grey), expected)
    assert renamed.frozen == {"first_weight", "first_bias"} and renamed.classifier == "last"
    with pytest.raises(NetworkError, match="Two nodes have the name tanh1"):
        lenet.rename("conv1", "tanh1")


def test_macs_grow_with_the_picture(lite: Network) -> None:
    assert lite.macs() == 385_187_552
    assert lite.macs(112) < lite.macs((112, 224)) < lite.macs()
    with pytest.raises(ArgumentError, match="whole number of pixels"):
        lite.macs((1, 2, 3))


def test_parameters_that_are_missing_or_of_another_shape_are_named(lenet: Network) -> None:
    params = {**lenet.params, "conv1_weight": np.zeros((20, 3, 5, 5), "float32")}
    del params["fc1_bias"]
    with pytest.raises(WeightsError) as told:
        replace(lenet, params=params).check()
    assert told.value.bullets == (
        "conv1_weight: 20 x 3 x 5 x 5 where 20 x 1 x 5 x 5 is needed",
        "fc1_bias: missing",
    )


def test_initial_values_depend_on_seed_and_name_alone(lenet: Network) -> None:
    edited = mxnetwork("lenet", seed=3, classes=7)
    np.testing.assert_array_equal(edited.params["fc1_weight"], lenet.params["fc1_weight"])
    assert abs(lenet.params["fc1_weight"]).max() <= np.sqrt(6 / 1300)
    assert all(a.dtype == np.float32 and a.flags.c_contiguous for a in lenet.params.values())


def test_other_sizes_and_channels() -> None:
    net = mxnetwork("lenet", image_size=(20, 32), channels=3, classes=4)
    assert net.preprocess.size == (20, 32) and net.preprocess.mean == (33.3, 33.3, 33.3)
    assert predict(net, np.zeros((1, 3, 20, 32), "float32")).shape == (1, 4)
    small = mxnetwork("efficientnet_lite0", image_size=30)
    assert small.preprocess.size == (30, 30) and small.shapes["top_act"][0] == (1, 1280, 1, 1)
    with pytest.raises(NetworkError, match="3 channels, not 1"):
        mxnetwork("efficientnet_lite0", channels=1)
    with pytest.raises(NetworkError):
        mxnetwork("lenet", image_size=4)


def test_a_network_is_opened_from_mxnets_files(lenet: Network, grey: np.ndarray, tmp_path: Path) -> None:
    loss = json.loads(to_json(lenet.graph))
    label = {"op": "null", "name": "softmax_label", "inputs": []}
    last = len(loss["nodes"]) - 1
    loss["nodes"] += [
        label,
        {"op": "SoftmaxOutput", "name": "softmax", "inputs": [[last, 0, 0], [last + 1, 0, 0]]},
    ]
    loss["heads"] = [[last + 2, 0, 0]]
    (tmp_path / "mine-symbol.json").write_text(json.dumps(loss))
    write_params(tmp_path / "mine-0007.params", {f"arg:{k}": v for k, v in lenet.params.items()})
    seen = Preprocess(size=(28, 28), channels=1, mean=(0,), std=(255,), crop=1.0)
    net = mxnetwork(tmp_path / "mine-symbol.json", preprocess=seen)
    np.testing.assert_array_equal(predict(net, grey), predict(lenet, grey))
    assert net.provenance["name"] == "mine" and len(net.provenance["sha256"]) == 64
    some = mxnetwork(tmp_path / "mine-symbol.json", preprocess={"size": 28, "channels": 1, "mean": 0})
    assert some.preprocess == replace(imagenet((28, 28), 1), mean=(0,))
    fewer = mxnetwork(tmp_path / "mine-symbol.json", preprocess=seen, classes=3)
    assert predict(fewer, grey).shape == (4, 3)


def test_weights_of_another_network_are_refused_by_name(lenet: Network, tmp_path: Path) -> None:
    file = tmp_path / "w.params"
    write_params(file, {**lenet.params, "extra_weight": np.zeros(3, "float32")})
    with pytest.raises(WeightsError, match="extra_weight: not in the network"):
        mxnetwork("lenet", weights=file)
    write_params(file, {k: v for k, v in lenet.params.items() if k != "fc1_bias"})
    with pytest.raises(WeightsError, match="fc1_bias: not among the weights"):
        mxnetwork("lenet", weights=file)
    write_params(file, {**lenet.params, "fc1_bias": np.zeros(7, "float32")})
    with pytest.raises(WeightsError, match="fc1_bias: 7 where 500 is needed"):
        mxnetwork("lenet", weights=file)


def test_half_precision_weights_become_float32(lenet: Network, tmp_path: Path) -> None:
    file = tmp_path / "w.params"
    write_params(file, {k: v.astype("float16") for k, v in lenet.params.items()})
    net = mxnetwork("lenet", weights=file)
    np.testing.assert_allclose(net.params["fc1_weight"], lenet.params["fc1_weight"], atol=1e-3)
    assert net.params["fc1_weight"].dtype == np.float32


def test_the_number_of_outputs_is_that_of_the_weights(tmp_path: Path) -> None:
    file = tmp_path / "w.params"
    write_params(file, mxnetwork("lenet", classes=4).params)
    assert mxnetwork("lenet", weights=file).params["classifier_weight"].shape == (4, 500)
    assert mxnetwork("lenet", weights=file, classes=6).params["head_weight"].shape == (6, 500)


def test_graphs_that_would_crash_mxnet_are_refused() -> None:
    seen = Preprocess(size=(8, 8), channels=3, mean=(0,), std=(1,))
    b = Builder()
    more = b.graph(b.add_node("Reshape", "grown", [b.data()], shape="(0, 0, 99, 99)"))
    with pytest.raises(NetworkError, match=r"grown \(Reshape\): it can't reshape 1 x 3 x 8 x 8 to 1 x 3 x 99 x 99"):
        Network(more, {}, {}, seen).check()
    b = Builder()
    huge = b.graph(b.conv(b.data(), "huge", 2_000_000_000, 1))
    with pytest.raises(NetworkError, match="huge"):
        Network(huge, {}, {}, seen).initialise()


def test_nodes_that_the_output_does_not_need_are_left_out(lenet: Network, tmp_path: Path) -> None:
    spare = [
        Node("spare_weight"),
        Node("spare", "FullyConnected", {"num_hidden": "3", "no_bias": "True"}, (("tanh2", 0), ("spare_weight", 0))),
        Node("spare_flat", "Flatten", {}, (("spare", 0),)),
    ]
    wider = Graph((*lenet.graph.nodes, *spare), lenet.graph.heads)
    assert replace(lenet, graph=wider).check().shapes == lenet.shapes
    (tmp_path / "wider-symbol.json").write_text(to_json(wider))
    opened = mxnetwork(tmp_path / "wider-symbol.json", weights="random", preprocess=lenet.preprocess)
    pd.testing.assert_frame_equal(opened.layers, lenet.layers)
    assert opened.graph == lenet.graph


def test_an_unknown_name_is_answered_by_near_matches(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"There is no network lenett\.\ni Did you mean lenet"):
        mxnetwork("lenett")
    with pytest.raises(MissingFileError, match=r"There is no file .*model\.params"):
        mxnetwork(str(tmp_path / "model.params"))
    with pytest.raises(NetworkError, match=r"x-symbol\.json"):
        mxnetwork(tmp_path / "x-symbol.json")


def test_preprocessing_that_is_given_counts_whatever_is_opened() -> None:
    wish = {"size": 96, "mean": 127, "std": 128, "fit": "pad"}
    spec = Preprocess(size=(96, 96), mean=(127.0,), std=(128.0,), fit="pad")  # the rest is the network's own
    assert mxnetwork("efficientnet_lite0", preprocess=wish).preprocess == spec
    assert mxnetwork("lenet", preprocess=wish).shapes["conv1"][0] == (1, 20, 92, 92)
    assert mxnetwork("lenet", image_size=48, channels=1, preprocess=wish).preprocess == replace(
        mxnetwork("lenet").preprocess, size=(48, 48), mean=(127.0,), std=(128.0,), fit="pad"
    )
    assert mxnetwork("efficientnet_lite0", preprocess={"fit": "pad"}).preprocess == replace(
        mxnetwork("efficientnet_lite0").preprocess, fit="pad"
    )
    with pytest.raises(NetworkError, match="takes images of 3 channels, not 1"):
        mxnetwork("efficientnet_lite0", preprocess={"channels": 1})
    with pytest.raises(ArgumentError, match="`preprocess` must be settings by name"):
        mxnetwork("lenet", preprocess=3)  # type: ignore[arg-type]


def test_a_network_is_pretrained_where_its_values_were_learned(lenet: Network, lite: Network) -> None:
    bare = Network(lenet.graph, {}, {"name": "mine"}, lenet.preprocess)
    assert not bare.pretrained and not bare.initialise(3).pretrained and not lenet.pretrained
    assert Network(lenet.graph, lenet.params, {}, lenet.preprocess).pretrained
    assert lite.pretrained and lite.replace_head(3, stages=True).pretrained and lite.cut("top_act").pretrained
    assert lite.insert("top_act", "Dropout", p=0.1).pretrained and not lenet.insert("fc1", "Dropout").pretrained


@pytest.mark.parametrize("name", ["größe", "слой", "层", "naïve layer", 'a"quote\\'])
def test_a_layer_may_be_called_in_any_script(name: str, tmp_path: Path) -> None:
    net = mxnetwork("lenet").insert("fc1", "FullyConnected", name=name, num_hidden=500)
    file = tmp_path / "net-symbol.json"
    file.write_text(to_json(net.graph), encoding="utf-8")
    write_params(tmp_path / "net-0000.params", net.params)
    again = mxnetwork(file, preprocess=net.preprocess)
    pictures = np.random.default_rng(0).normal(size=(2, 1, 28, 28)).astype(np.float32)
    assert np.array_equal(outputs(again.graph, again.params, pictures), outputs(net.graph, net.params, pictures))


@pytest.mark.parametrize("name", ["two\nlines", "\0", "\ud800"])
def test_a_layer_can_not_be_called_by_what_is_no_letter(name: str) -> None:
    with pytest.raises(NetworkError, match="can't be called"):
        mxnetwork("lenet").insert("fc1", "Dropout", name=name)
    with pytest.raises(NetworkError, match="can't be called"):
        mxnetwork("lenet").rename("fc1", name)
