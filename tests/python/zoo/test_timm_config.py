"""`config.json` beside a file of weights: what it says is what the network is, and nothing of it is believed unseen."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from mxtune import mxnetwork
from mxtune.errors import NetworkError, WeightsError
from mxtune.zoo import entry, timm_config
from running import outputs
from state_dicts import state_dict

SHAPE = {"input_size": [3, 64, 64], "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "crop_pct": 1.0}


def config(architecture: Any, folder: Path, **own: Any) -> Path:
    """Writes what timm writes; `own` goes into its inner table, names in capitals into the outer one."""
    outer = {key.lower(): own.pop(key) for key in list(own) if key.isupper()}
    table = {"architecture": architecture, "pretrained_cfg": {**SHAPE, **own}, **outer}
    (folder / "config.json").write_text(json.dumps(table))
    return folder / "model.safetensors"


def test_a_folder_opens_as_its_configuration_says(tmp_path: Path) -> None:
    file = config(
        "deit_tiny_patch16_224", tmp_path, license="mit", paper_ids=["arXiv:1", "arXiv:2"], label_names=["a", "b"]
    )
    save_file(state_dict("vit_tiny_patch16_224", 2), file)  # whose arrays are those of DeiT, so names can't tell
    with pytest.raises(WeightsError, match="pos_embed"):
        mxnetwork(file)
    config("vit_tiny_patch16_224", tmp_path, input_size=[3, 224, 224], license="mit", label_names=["a", "b"],
           paper_ids=["arXiv:1", "arXiv:2"])  # fmt: skip
    network = mxnetwork(file)
    assert (network.provenance["name"], network.provenance["licence"]) == ("vit_tiny_patch16_224", "mit")
    assert network.provenance["paper"] == "arXiv:1, arXiv:2" and network.levels == ("a", "b")
    assert network.preprocess.mean == (127.5,) * 3 and network.preprocess.std == (63.75,) * 3
    smaller = mxnetwork(file, image_size=96)  # whose embeddings of positions are resampled
    assert smaller.shapes["pos_embed"][0] == (1, 37, 192) and smaller.levels == ("a", "b")
    assert np.array_equal(smaller.params["pos_embed"][0, 0], network.params["pos_embed"][0, 0])
    assert outputs(smaller.graph, smaller.params, np.ones((2, 3, 96, 96), "f4")).shape == (2, 2)
    with_old_name = shutil.move(file, tmp_path / "other.safetensors")  # not the hub's name: the folder may be of many
    assert mxnetwork(with_old_name).preprocess.mean != network.preprocess.mean


def test_a_network_made_for_another_size_and_of_grey_images_opens(tmp_path: Path) -> None:
    one = entry("deit_tiny_patch16_224")
    graph = one.build(1000, (64, 96), 1)
    arrays = state_dict("deit_tiny_patch16_224")
    arrays["pos_embed"] = np.random.default_rng(1).standard_normal((1, 25, 192), "f4")
    arrays["patch_embed.proj.weight"] = arrays["patch_embed.proj.weight"].sum(axis=1, keepdims=True)
    assert set(graph.arguments) - {"data"} == set(arrays)
    file = config("deit_tiny_patch16_224", tmp_path, input_size=[1, 224, 224], MODEL_ARGS={"img_size": [64, 96]})
    save_file(arrays, file)
    network = mxnetwork(file)
    assert (network.preprocess.size, network.preprocess.channels) == ((64, 96), 1)
    assert np.array_equal(network.params["pos_embed"], arrays["pos_embed"])


def test_old_configurations_without_an_inner_table_are_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architecture": "resnet18", **SHAPE, "labels": ["x"]}))
    assert timm_config.read(tmp_path / "config.json", "it").preprocess.size == (64, 64)


def test_timms_own_network_is_preferred_to_its_namesake(tmp_path: Path) -> None:
    def named(architecture: str) -> list[str]:
        config(architecture, tmp_path)
        return [one.name for one in timm_config.read(tmp_path / "config.json", "it").entries()]

    assert named("efficientnet_b0") == ["efficientnet_b0.timm", "efficientnet_b0"]
    assert named("resnet18") == ["resnet18"] and named("densenet121") == ["densenet121.torchvision"]
    assert named("vgg11") == ["vgg11.timm", "vgg11.torchvision"] and named("tf_efficientnet_b0") == [
        "tf_efficientnet_b0"
    ]
    assert named("lenet") == [] and named("inception_v3") == ["inceptionv3.torchvision"]


def test_descriptions_stand_for_numbers_of_wordnet(tmp_path: Path) -> None:
    def levels(**own: Any) -> Any:
        config("resnet18", tmp_path, **own)
        return timm_config.read(tmp_path / "config.json", "it").levels

    synsets, words = ["n01440764", "n01443537"], {"n01440764": "tench", "n01443537": "goldfish"}
    assert levels(label_names=synsets, label_descriptions=words) == ("tench", "goldfish")
    assert levels(label_names=synsets, label_descriptions={"n01440764": "fish", "n01443537": "fish"}) == tuple(synsets)
    assert levels(label_names=["b", "a"], LABEL_NAMES=["c", "d"], label_descriptions={"c": "long"}) == ("c", "d")
    assert levels(tag="lamb_in1k")[967] == "espresso" and levels(tag="augreg_in21k") is None
    assert levels(tag="lamb_in1k", label_names=["a", "b"]) == ("a", "b")
    for other in (["a", "a"], [1, 2], "ab", [], {"0": "a"}, ["a", ""], ["a", "\ud800"], ["a", "b\n"]):
        assert levels(label_names=other) is None


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"input_size": [3, 10**9, 10**9]}, "`input_size` must be"),
        ({"input_size": [3, 10**400, 64]}, "`input_size` must be"),
        ({"input_size": [7, 64, 64]}, "`input_size` must be"),
        ({"input_size": "big"}, "`input_size` must be"),
        ({"mean": [1e300] * 3}, "`mean` must be 3 numbers"),
        ({"std": [0, 0, 0]}, "`std` must be 3 numbers"),
        ({"std": [0.5]}, "`std` must be 3 numbers"),
        ({"crop_pct": 1e-9}, "`crop_pct` must be a number from 0.1 to 1"),
        ({"MODEL_ARGS": {"img_size": 10**6}}, "`img_size` is no size of an image"),
        ({"MODEL_ARGS": {"act_layer": "gelu"}}, 'made with settings of its own: "act_layer"'),
        ({"MODEL_ARGS": 3}, "its settings are not tables"),
        ({"PRETRAINED_CFG": []}, "its settings are not tables"),
        ({"GLOBAL_POOL": "catavgmax"}, 'its maps are pooled by "catavgmax"'),
    ],
)
def test_settings_that_are_none_are_refused(own: dict[str, Any], told: str, tmp_path: Path) -> None:
    config("resnet18", tmp_path, **own)
    with pytest.raises(NetworkError, match=r"config\.json") as caught:
        timm_config.read(tmp_path / "config.json", "it")
    assert told in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"{", b"[" * 10**6, b'{"architecture": NaN}'])
def test_what_is_no_configuration_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(NetworkError, match=r"Can't read config\.json of it"):
        timm_config.read(tmp_path / "config.json", "it")


@pytest.mark.parametrize("name", [3, "", "a" * 200, "a\nb", None])
def test_an_architecture_that_is_no_name_is_refused(name: Any, tmp_path: Path) -> None:
    config(name, tmp_path)
    with pytest.raises(NetworkError, match="`architecture` is not a name"):
        timm_config.read(tmp_path / "config.json", "it")


def test_an_architecture_without_a_graph_names_near_ones_and_the_way_round(tmp_path: Path) -> None:
    file = config("tf_efficientnetv2_l", tmp_path, input_size=[3, 480, 480])
    save_file({"a": np.zeros(3, "f4")}, file)
    with pytest.raises(
        NetworkError, match=r"architecture tf_efficientnetv2_l, which.*\nx near ones: tf_efficientnetv2_s"
    ) as caught:
        mxnetwork(file)
    assert "torch.onnx.export(model, torch.zeros(1, 3, 480, 480)" in str(caught.value)


def test_another_configuration_in_the_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "resnet"}')
    save_file(state_dict("resnet18", 3), tmp_path / "model.safetensors")
    assert mxnetwork(tmp_path / "model.safetensors").provenance["name"] == "resnet18"
