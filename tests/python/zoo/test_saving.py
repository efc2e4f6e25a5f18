"""Weights leave under the names and in the shapes of the library that their network is from, and come back whole."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from drawn_arrays import drawn
from mxtune import mxexample, mximages, mxnetwork, mxtrain
from mxtune.network import Network
from mxtune.zoo import entries, entry
from mxtune.zoo.saving import contents_of
from running import LIGHT_TEMPLATES, outputs

TEMPLATES = [one.name for one in entries() if one.signature]


def state_dict(name: str) -> dict[str, np.ndarray]:
    """Numbers for each array of a file for this network, in the shapes of PyTorch."""
    one = entry(name)
    graph = one.build(one.classes, one.preprocess.size, 3)
    shapes = {key: shape[0] for key, shape in Network(graph, {}, {}, one.preprocess).shapes.items()}
    shapes.update(one.shapes)
    return {key: drawn(key, shapes[key]) for key, role in graph.roles.items() if role != "data"}


def texts(file: Path) -> dict[str, str]:
    with safe_open(file, "numpy") as opened:
        return dict(opened.metadata())


@pytest.mark.parametrize("name", LIGHT_TEMPLATES)
def test_a_file_of_weights_comes_back_to_the_bit(name: str, tmp_path: Path) -> None:
    arrays = state_dict(name)
    save_file(arrays, tmp_path / "in.safetensors")
    network = mxnetwork(name, weights=tmp_path / "in.safetensors")
    network.save(tmp_path / "out.safetensors")
    out = load_file(tmp_path / "out.safetensors")
    assert {key: array.shape for key, array in out.items()} == {key: array.shape for key, array in arrays.items()}
    assert all(np.array_equal(out[key], array) for key, array in arrays.items())
    assert texts(tmp_path / "out.safetensors")["format"] == "pt"
    again = mxnetwork(tmp_path / "out.safetensors")
    assert again.preprocess == network.preprocess
    assert again.provenance["name"] == network.provenance["name"]


@pytest.mark.parametrize("name", ["resnet18", "tf_efficientnet_lite0", "mobilenet_v3_small", "convnext_atto"])
def test_another_number_of_classes_has_the_name_of_the_classifier(name: str, tmp_path: Path) -> None:
    save_file(state_dict(name), tmp_path / "in.safetensors")
    network = mxnetwork(name, weights=tmp_path / "in.safetensors", classes=3, image_size=64)
    assert "head_weight" in network.params
    network.save(tmp_path / "out.safetensors")
    out, arrays = load_file(tmp_path / "out.safetensors"), state_dict(name)
    classifier = entry(name).build(3, (64, 64), 3).node(mxnetwork(name, weights="random").classifier)
    weight = classifier.inputs[1][0]
    assert out.keys() == arrays.keys()
    assert np.array_equal(out[weight], network.params["head_weight"].reshape(3, *arrays[weight].shape[1:]))
    again = mxnetwork(tmp_path / "out.safetensors")
    x = np.random.default_rng(0).normal(size=(2, 3, 64, 64)).astype("f4")
    np.testing.assert_array_equal(
        outputs(again.graph, again.params, x, passes=False), outputs(network.graph, network.params, x, passes=False)
    )
    assert again.preprocess.size == (64, 64)


def test_a_trained_model_comes_back_with_its_classes_and_its_preprocessing(tmp_path: Path) -> None:
    images = mximages(mxexample("fashion"))[list(range(0, 200, 5))]
    network = mxnetwork("efficientnet_lite0", image_size=48)
    model = mxtrain(images, net=network, tune="head", head="last features", verbose=0)
    model.save(tmp_path / "model.safetensors")
    out = load_file(tmp_path / "model.safetensors")
    ours = model.network
    assert "conv_stem.weight" in out and out["classifier.weight"].shape == (10, 1280)
    assert json.loads(texts(tmp_path / "model.safetensors")["mxtune.levels"]) == list(model.levels)
    again = mxnetwork(tmp_path / "model.safetensors")
    assert again.levels == tuple(model.levels) and again.preprocess == ours.preprocess
    assert again.provenance["licence"] == ours.provenance["licence"]
    x = ours.preprocess.batch(np.stack([ours.preprocess.picture(images.open(place)) for place in range(4)]))
    wanted = outputs(ours.graph, ours.params, x)
    assert np.abs(outputs(again.graph, again.params, x) - wanted).max() <= 1e-5 * np.abs(wanted).max()


@pytest.mark.parametrize(
    "edit",
    [
        lambda net: net.replace_head(3, stages=True),
        lambda net: net.cut("layer2.1.relu_1"),
        lambda net: net.insert_after("conv1", "layer_norm", axis=1),
    ],
    ids=["a head on every stage", "a part", "one layer more"],
)
def test_what_is_another_network_by_now_has_its_own_names(edit: Any, tmp_path: Path) -> None:
    network = edit(mxnetwork("resnet18", weights="random", image_size=64))
    network.save(tmp_path / "out.safetensors")
    assert load_file(tmp_path / "out.safetensors").keys() == network.params.keys()


def test_renamed_layers_have_the_names_of_the_library_again(tmp_path: Path) -> None:
    network = mxnetwork("efficientnet_lite0", image_size=64)
    renamed = network.rename("stem_conv", "first").insert_before(network.classifier, "Dropout", p=0.5)
    assert "first_weight" in renamed.params
    renamed.save(tmp_path / "out.safetensors")
    assert np.array_equal(load_file(tmp_path / "out.safetensors")["conv_stem.weight"], renamed.params["first_weight"])


def test_a_network_of_no_library_has_its_own_names(tmp_path: Path) -> None:
    mxnetwork("lenet").save(tmp_path / "out.safetensors")
    assert "conv1_weight" in load_file(tmp_path / "out.safetensors")


def test_every_template_can_leave() -> None:
    for name in TEMPLATES:
        one = entry(name)
        network = Network(one.build(one.classes, one.preprocess.size, 3), {}, one.provenance(), one.preprocess)
        roles = network.graph.roles.items()
        blank = {key: np.zeros(network.shapes[key][0], "f4") for key, role in roles if role != "data"}
        theirs = contents_of(replace(network, params=blank)).theirs
        assert theirs is not None and theirs.keys() == blank.keys(), name
