"""Networks as ONNX: read back, and by `make parity` in onnxruntime, they compute what they computed here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from drawn_layers import Shape, layers
from mxtune import formats, mxexample, mximages, mxnetwork, mxtrain, ops
from mxtune.errors import FormatError, MxtuneError
from mxtune.formats import Contents
from mxtune.formats.onnx.model import read_model
from mxtune.formats.onnx.writing import layers as rules
from mxtune.graph import Builder, Graph
from mxtune.images.preprocess import Preprocess
from mxtune.network import Network
from running import outputs

# Which other graphs hold, or which onnx's reader gives another form: seen in the networks below.
NETWORKS = ("lenet", "resnet18_v2", "mobilenetv2_1.0", "squeezenet1.1", "densenet121")


# Drawn, they move the batch, or make a single pixel, which the reader does not take.
MIXING = {"transpose", "SwapAxis", "dot", "_contrib_BilinearResize2D"}
SETTINGS = settings(max_examples=80, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck))  # fmt: skip


def close(y: np.ndarray, wanted: np.ndarray) -> bool:
    return y.shape == wanted.shape and bool(np.abs(y - wanted).max() <= 1e-5 * max(1e-3, np.abs(wanted).max()))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_of_the_zoo_comes_back(name: str, tmp_path: Path) -> None:
    size = {} if name == "lenet" else {"image_size": 64}
    network = mxnetwork(name, weights="random", classes=5, **size)
    network.save(tmp_path / "net.onnx")
    again = mxnetwork(tmp_path / "net.onnx")
    x = np.random.default_rng(0).normal(size=(3, network.preprocess.channels, *network.preprocess.size)).astype("f4")
    assert close(outputs(again.graph, again.params, x), outputs(network.graph, network.params, x))
    assert again.params.keys() == network.params.keys()
    assert again.classifier == network.classifier


@pytest.mark.parametrize("name", sorted(set(rules.RULES) - MIXING))
def test_a_layer_computes_the_same_when_it_is_read(name: str, tmp_path: Path) -> None:
    operator, compared = ops.find(name), 0
    assert operator is not None

    @settings(
        max_examples=80,
        deadline=None,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(layers(operator))
    def compare(drawn: tuple[Graph, dict[str, Shape]]) -> None:
        nonlocal compared
        network = behind_an_image(*drawn)
        if network is None or compared >= 3:
            return
        try:
            network.save(tmp_path / "one.onnx")
            again = formats.read(tmp_path / "one.onnx")
        except MxtuneError:
            return  # an argument without an equivalent
        assert again.graph is not None and again.weights is not None
        x = np.random.default_rng(0).uniform(0.2, 0.9, (2, 3, 2, 2)).astype("f4")
        wanted = outputs(network.graph, network.params, x)
        given_back = outputs(again.graph, {key: array.astype("f4") for key, array in again.weights.items()}, x)
        assert close(np.nan_to_num(given_back).reshape(2, -1), np.nan_to_num(wanted).reshape(2, -1))
        compared += 1

    compare()
    assert compared


def test_resized_and_transposed_maps_and_products_come_back(tmp_path: Path) -> None:
    b = Builder()
    x = b.conv(b.data(), "conv", 4, 3)
    x = b.add_node("_contrib_BilinearResize2D", "larger", [x], height="7", width="11", align_corners="False")
    x = b.add_node("transpose", "last", [x], axes="(0, 2, 3, 1)")
    x = b.add_node("SwapAxis", "swapped", [b.add_node("_power_scalar", "square", [x], scalar="2")], dim1="2", dim2="3")
    matrix = b.add_node("null", "matrix", (), __shape__="(2, 3)")
    x = b.add_node("dot", "product", [b.dense(x, "fc", 2), matrix])
    preprocess = Preprocess(size=(7, 6), channels=3, mean=(0.0,), std=(1.0,))
    rising = np.arange(6, dtype="f4").reshape(2, 3)
    network = Network(b.graph(x), {"matrix": rising}, {}, preprocess).initialise(1)
    network.save(tmp_path / "net.onnx")
    again = mxnetwork(tmp_path / "net.onnx")
    x = np.random.default_rng(0).normal(size=(2, 3, 7, 6)).astype("f4")
    assert close(outputs(again.graph, again.params, x), outputs(network.graph, network.params, x))


def behind_an_image(graph: Graph, shapes: dict[str, Shape]) -> Network | None:
    """A network that brings an image into the shape of the layer's first input; other inputs are this or constants."""
    if len(next(iter(shapes.values()), ())) < 2:
        return None
    first, *others = list(shapes)
    shape = shapes[first]
    b = Builder()
    x = b.dense(b.flatten(b.data(), "flat"), "before", int(np.prod(shape[1:])))
    x = b.add_node("Reshape", "image", [x], shape=ops.spell((0, *shape[1:])))
    entries, params, rng = {first: x}, {}, np.random.default_rng(1)
    for name in others:
        if shapes[name] == shape:
            entries[name] = x
        else:
            entries[name] = b.add_node("null", name, (), __shape__=ops.spell(shapes[name]))
            params[name] = rng.uniform(0.2, 0.9, shapes[name]).astype("f4")
    for node in graph.nodes:
        if node.name not in entries:
            entries[node.name] = b.add_node(node.op, node.name, [entries[one] for one, _ in node.inputs], **node.attrs)
    preprocess = Preprocess(size=(2, 2), channels=3, mean=(0.0,), std=(1.0,))
    try:
        network = Network(b.graph(entries[graph.heads[0][0]]), params, {}, preprocess).initialise(1)
        return network if network.shapes[network.output][0][0] == 1 else None  # what mixes images is no network
    except MxtuneError:
        return None


def test_a_model_takes_pixels_and_gives_probabilities(tmp_path: Path) -> None:
    images = mximages(mxexample("fashion"))
    model = mxtrain(images, tune="head", image_size=64, verbose=0)
    model.save(tmp_path / "model.onnx")
    file = read_model((tmp_path / "model.onnx").read_bytes(), tmp_path, 20_000)
    assert json.loads(file.metadata["mxtune.levels"]) == list(model.levels)
    assert [(one.name, one.dims) for one in file.inputs] == [("images", (None, 64, 64, 3))]
    assert [one.name for one in file.outputs] == ["probabilities"]
    again = mxnetwork(tmp_path / "model.onnx")  # which takes pixels as they are
    views = np.stack([model.network.preprocess.picture(images.open(place)) for place in range(8)])
    logits = outputs(again.graph, again.params, again.preprocess.batch(views))
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    wanted = model.predict(images[list(range(8))], type="prob")[[f"pred_{level}" for level in model.levels]].to_numpy()
    np.testing.assert_allclose(odds / odds.sum(axis=1, keepdims=True), wanted, atol=1e-5)
    assert again.levels == tuple(model.levels)


def test_outputs_that_were_attached_follow(tmp_path: Path) -> None:
    network = mxnetwork("lenet").attach("tanh3").attach("pool1")
    network.save(tmp_path / "net.onnx")
    file = read_model((tmp_path / "net.onnx").read_bytes(), tmp_path, 20_000)
    assert [(one.name, one.dims) for one in file.outputs] == [
        ("classifier", (None, 10)), ("tanh3", (None, 500)), ("pool1", (None, 20, 12, 12)),
    ]  # fmt: skip
    again = mxnetwork(tmp_path / "net.onnx")
    assert again.classifier == "classifier" and again.params.keys() == network.params.keys()


def test_what_has_no_equivalent_is_named(tmp_path: Path) -> None:
    b = Builder()
    x = b.add_node("erfinv", "odd", [b.conv(b.data(), "conv", 2, 3)])
    preprocess = Preprocess(size=(8, 8), channels=3, mean=(0.0,), std=(1.0,))
    network = Network(b.graph(b.dense(x, "fc", 2)), {}, {}, preprocess).initialise(1)
    with pytest.raises(FormatError, match=r"odd \(erfinv\): the operator has no equivalent\ni Replace the layer"):
        network.save(tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()
    with pytest.raises(FormatError, match="no whole network"):
        formats.write(tmp_path / "weights.onnx", replace(Contents.of(network), graph=None))


def test_a_name_without_a_format_says_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"net\.h5: no files of Keras.* are written\.\ni Written are .*\.onnx \(ONNX"):
        mxnetwork("lenet").save(tmp_path / "net.h5")
    with pytest.raises(FormatError, match="no files of that name"):
        mxnetwork("lenet").save(tmp_path / "net.xyz")
