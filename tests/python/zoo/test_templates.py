"""Networks of torchvision and timm open from files of weights alone, and compute what PyTorch computes.

tests/shared/templates.json has PyTorch's outputs for a light network of each family; `make parity` compares all.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save, save_file

from drawn_arrays import images
from mxtune import mxnetwork, progress
from mxtune.errors import NetworkError, WeightsError
from mxtune.network import Network
from mxtune.zoo import entries, entry, normalised
from mxtune.zoo.templates import padded_as_tensorflow
from running import outputs
from state_dicts import state_dict

REFERENCES = json.loads((Path(__file__).resolve().parents[2] / "shared" / "templates.json").read_text())
TEMPLATES = [one.name for one in entries() if one.signature]


def saved(arrays: dict[str, Any], folder: Path, name: str = "weights") -> Path:
    save_file(arrays, folder / f"{name}.safetensors")
    return folder / f"{name}.safetensors"


def called(library: str, name: str) -> str:
    """What the zoo calls it: where the name was taken, with the library's behind it."""
    endings = [one for one in TEMPLATES if one.endswith(f".{library}")]
    return next((one for one in endings if normalised(one) == normalised(f"{name}.{library}")), name)


@pytest.mark.parametrize("which", REFERENCES)
def test_weights_alone_compute_what_pytorch_computes(which: str, tmp_path: Path) -> None:
    name, wanted = called(*which.split("/")), REFERENCES[which]
    network = mxnetwork(saved(state_dict(name), tmp_path))
    assert entry(network.provenance["name"]).signature == entry(name).signature
    if name == "tf_efficientnet_lite0":  # which a twin of other padding has the arrays of
        network = mxnetwork(name, weights=tmp_path / "weights.safetensors")
    y = outputs(network.graph, network.params, images(network.preprocess.size[0]))
    assert np.abs(y[:, : len(wanted["outputs"][0])] - wanted["outputs"]).max() <= 1e-5 * wanted["scale"]
    assert np.abs(y).max() == pytest.approx(wanted["scale"], rel=1e-4)


def test_every_template_is_made_of_its_file() -> None:
    assert len(TEMPLATES) >= 80 and len({entry(name).signature for name in TEMPLATES}) > 50
    for name in TEMPLATES:
        one = entry(name)
        assert one.preprocess.size[0] >= 224 and one.url.startswith("https://") and one.licence


def test_what_wraps_the_network_and_half_precision_do_not_matter(tmp_path: Path) -> None:
    arrays = state_dict("resnet18")
    plain = mxnetwork(saved(arrays, tmp_path))
    counters = {"bn1.num_batches_tracked": np.array(7)}
    for prefix, dtype in (("module.", "float32"), ("model.module.", "float16"), ("", "float64")):
        wrapped = {f"{prefix}{name}": array.astype(dtype) for name, array in {**arrays, **counters}.items()}
        network = mxnetwork(saved(wrapped, tmp_path, "wrapped"))
        assert network.provenance["name"] == "resnet18" and network.graph == plain.graph
        tolerance = 1e-3 if dtype == "float16" else 0
        assert all(np.allclose(network.params[n], array, tolerance, 1e-6) for n, array in plain.params.items())


def test_a_moving_average_beside_the_network_is_left_out(tmp_path: Path) -> None:
    arrays = state_dict("resnet18")
    both = {**{f"model.{name}": array for name, array in arrays.items()},
            **{f"ema.{name}": array + 1 for name, array in arrays.items()}}  # fmt: skip
    network = mxnetwork(saved(both, tmp_path))
    assert np.array_equal(network.params["conv1.weight"], arrays["conv1.weight"])


def test_a_head_of_another_size_is_kept_and_one_that_is_asked_for_is_new(tmp_path: Path) -> None:
    arrays = {**state_dict("resnet18"), "fc.weight": np.ones((7, 512), "f4"), "fc.bias": np.ones(7, "f4")}
    file = saved(arrays, tmp_path)
    assert mxnetwork(file).shapes["fc"][0] == (1, 7)
    assert mxnetwork(file, classes=3).shapes["head"][0] == (1, 3)
    assert mxnetwork("resnet18", weights=file).params["fc.bias"].tolist() == [1] * 7


def test_heads_that_only_training_had_are_left_out(tmp_path: Path) -> None:
    arrays = {f"module.{name}": array for name, array in state_dict("googlenet").items()}
    more = {"module.aux1.conv.conv.weight": np.ones((128, 512, 1, 1), "f4"), "module.aux2.fc2.bias": np.ones(9, "f4")}
    assert mxnetwork(saved({**arrays, **more}, tmp_path)).provenance["name"] == "googlenet"


def test_the_namesake_in_the_library_that_the_weights_are_from_is_taken(tmp_path: Path) -> None:
    file = saved(state_dict("squeezenet1.0.torchvision"), tmp_path)
    for network in (mxnetwork(file), mxnetwork("squeezenet1.0", weights=file)):
        assert network.provenance["name"] == "squeezenet1.0.torchvision"


class Heard:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def event(self, kind: str, **info: Any) -> None:
        if kind == "message":
            self.texts.append(info["text"])


def test_the_file_of_a_network_that_two_names_fit_says_so(tmp_path: Path) -> None:
    arrays, heard = state_dict("tf_efficientnet_lite0"), Heard()
    with progress.using(heard):
        assert mxnetwork(saved(arrays, tmp_path)).provenance["name"] == "efficientnet_lite0.timm"
    assert "They fit tf_efficientnet_lite0 too" in heard.texts[-1]
    called_so = saved(arrays, tmp_path, "tf_efficientnet_lite0-80b3e8")
    assert mxnetwork(called_so).provenance["name"] == "tf_efficientnet_lite0"


@pytest.mark.parametrize("size", ["tiny", "small"])
def test_weights_of_vit_and_deit_are_told_apart_by_the_name_of_the_file_alone(size: str, tmp_path: Path) -> None:
    arrays, heard = state_dict(f"vit_{size}_patch16_224"), Heard()
    with progress.using(heard):
        network = mxnetwork(saved(arrays, tmp_path))
    assert network.provenance["name"] == f"deit_{size}_patch16_224" and network.preprocess.mean[0] == 123.675
    assert f"They fit vit_{size}_patch16_224 too: name one, with weights=, if that is meant." in heard.texts[-1]
    for name in (f"vit_{size}_patch16_224", f"deit_{size}_patch16_224"):
        assert mxnetwork(saved(arrays, tmp_path, f"{name}-a1b2")).provenance["name"] == name


def test_bfloat16_is_widened(tmp_path: Path) -> None:
    arrays = state_dict("mobilenetv3_small_100", 3)
    halves = {name: (np.asarray(array, "<f4").view("<u4") >> 16).astype("<u2") for name, array in arrays.items()}
    content = save(halves)
    length = int.from_bytes(content[:8], "little")
    header = content[8 : 8 + length].replace(b'"U16"', b'"BF16"')
    (tmp_path / "w.bin").write_bytes(len(header).to_bytes(8, "little") + header + content[8 + length :])
    network = mxnetwork(tmp_path / "w.bin")
    assert network.provenance["name"] == "mobilenetv3_small_100"
    assert all(np.allclose(network.params[name], array, 1e-2, 0) for name, array in arrays.items())


def test_weights_of_another_width_or_depth_are_not_taken_for_it(tmp_path: Path) -> None:
    arrays = state_dict("resnet18")
    with pytest.raises(NetworkError, match="holds weights, and no network to put them into"):
        mxnetwork(saved({**arrays, "conv1.weight": np.ones((32, 3, 7, 7), "f4")}, tmp_path))
    with pytest.raises(WeightsError, match=r"layer1\.2\.bn1\.bias: not among the weights"):
        mxnetwork("resnet34", weights=saved(arrays, tmp_path))


@pytest.mark.parametrize("size", [96, 155, 224])
def test_padding_as_tensorflow_has_it_follows_the_size(size: int) -> None:
    """The zoo's own EfficientNet-Lite0 is written for each size; real weights."""
    own = mxnetwork("efficientnet_lite0", image_size=size)
    names = next(table for table in entry("efficientnet_lite0").names() if table.source == "timm")
    one = entry("tf_efficientnet_lite0")
    spec = replace(one.preprocess, size=(size, size))
    params = names.to_theirs(own.params)
    theirs = Network(one.build(1000, (size, size), 3), params, {}, spec).check()
    x = images(size)
    wanted = outputs(own.graph, own.params, x)
    assert np.abs(outputs(theirs.graph, theirs.params, x) - wanted).max() <= 1e-5 * np.abs(wanted).max()
    assert padded_as_tensorflow(theirs.graph, (size, size)) == theirs.graph


def test_vit_takes_other_sizes_and_its_embeddings_of_positions_are_resampled(tmp_path: Path) -> None:
    file = saved(state_dict("vit_tiny_patch16_224", 4), tmp_path, "vit_tiny_patch16_224")
    whole = mxnetwork(file)
    for network in (mxnetwork(file, image_size=(96, 64)), mxnetwork("vit_tiny_patch16_224", file, image_size=(96, 64))):
        wanted = whole.with_image_size((96, 64))
        assert network.graph == wanted.graph and network.preprocess.size == (96, 64) and network.pretrained
        assert all(np.array_equal(array, wanted.params[name]) for name, array in network.params.items())
    fresh = mxnetwork("vit_tiny_patch16_224", image_size=(96, 64), classes=4)
    assert fresh.graph == wanted.graph and fresh.shapes["pos_embed"][0] == (1, 25, 192)


def test_a_network_of_dense_layers_on_maps_takes_other_sizes() -> None:
    assert mxnetwork("vgg11.torchvision", image_size=96, classes=2).shapes["classifier.6"][0] == (1, 2)


@pytest.mark.parametrize("name", ["shufflenet_v2_x0_5", "regnet_y_400mf", "mobilenetv4_conv_small", "convnext_atto"])
def test_a_template_takes_images_of_other_sizes(name: str) -> None:
    network = mxnetwork(name, image_size=(64, 96), classes=4)
    assert outputs(network.graph, network.params, np.zeros((2, 3, 64, 96), "f4")).shape == (2, 4)
