"""Parameters that lie in no slot of an operator: a layer scale, an embedding of positions, constants."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mxtune import formats, mxload, mxnetwork, mxtrain
from mxtune.errors import NetworkError, WeightsError
from mxtune.formats import Contents
from mxtune.graph import Builder, Graph
from mxtune.images.preprocess import Preprocess
from mxtune.network import Network


def block() -> Graph:
    """A block of ConvNeXt (Liu et al., 2022) with its layer scale, and positions as a vision transformer adds them."""
    b = Builder()

    def dense(x: tuple[str, int], name: str, units: int) -> tuple[str, int]:
        inputs = [x, b.variable(f"{name}_weight"), b.variable(f"{name}_bias")]
        return b.add_node("FullyConnected", name, inputs, num_hidden=str(units), flatten="False")

    stem = b.conv(b.data(), "stem", 8, kernel=4, stride=4)
    x = b.conv(stem, "depthwise", 8, kernel=7, pad=3, groups=8)
    x = b.add_node("transpose", "channels_last", [x], axes="(0, 2, 3, 1)")
    x = b.add_node("LayerNorm", "norm", [x, b.variable("norm_gamma"), b.variable("norm_beta")], eps="1e-06")
    x = b.add_node("LeakyReLU", "gelu", [dense(x, "up", 32)], act_type="gelu")
    x = b.add_node("broadcast_mul", "scaled", [dense(x, "down", 8), b.variable("layer_scale")])
    x = b.add(stem, b.add_node("transpose", "channels_first", [x], axes="(0, 3, 1, 2)"))
    x = b.add_node("broadcast_add", "placed", [x, b.variable("positions")])
    return b.graph(b.dense(b.flatten(b.global_pool(x)), "classifier", 2))


VALUES = {"layer_scale": np.full(8, 0.5, "float32"), "positions": np.zeros((1, 8, 8, 8), "float32")}


@pytest.fixture(scope="module")
def network() -> Network:
    spec = Preprocess(size=(32, 32), mean=(127,), std=(128,))
    return Network(block(), VALUES, {"name": "block"}, spec, pretrained=False).initialise(1).check()


@pytest.fixture(scope="module")
def pictures() -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).integers(0, 128, (32, 32, 32, 3), dtype=np.uint8)
    x[::2] += 127
    return x, np.array(["bright", "dark"] * 16)


def test_what_has_a_value_is_a_parameter_and_the_rest_is_data(network: Network) -> None:
    assert network.input == "data" and network.graph.inputs == ("data",)
    assert {"layer_scale", "positions"} <= set(network.trainable)
    rows = network.layers.set_index("layer")["parameters"]
    assert rows["scaled"] == 8 and rows["placed"] == 512
    assert network.freeze("scaled").frozen == {"layer_scale"}


@pytest.mark.parametrize("tune", ["head", "all"])
def test_they_are_trained_saved_and_loaded(
    tune: str, network: Network, pictures: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    x, y = pictures
    learned = replace(network, pretrained=tune == "head")
    options = {} if tune == "head" else {"epochs": 1}
    model = mxtrain(x, y, net=learned, tune=tune, verbose=0, seed=1, **options)
    moved = [not np.array_equal(model.network.params[name], value) for name, value in VALUES.items()]
    assert moved == [tune == "all"] * 2
    model.save(tmp_path / "block.mxt")
    again = mxload(tmp_path / "block.mxt")
    np.testing.assert_array_equal(again.predict(x, type="prob"), model.predict(x, type="prob"))
    assert again.network.input == "data"


def test_they_are_opened_from_mxnets_files(network: Network, tmp_path: Path) -> None:
    formats.write(tmp_path / "block-symbol.json", replace(Contents.of(network), graph=block()))
    opened = mxnetwork(tmp_path / "block-symbol.json", preprocess=network.preprocess)
    assert opened.graph == network.graph
    for name, value in network.params.items():
        np.testing.assert_array_equal(opened.params[name], value)


def test_without_a_value_they_are_taken_for_data() -> None:
    with pytest.raises(NetworkError, match=r"one input for images\.\nx it has data, layer_scale, positions"):
        Network(block(), {}, {}, Preprocess(size=(32, 32))).check()


def test_one_that_declares_its_shape_needs_a_value(network: Network) -> None:
    lost = {name: value for name, value in network.params.items() if name != "positions"}
    with pytest.raises(WeightsError, match="positions: missing"):
        replace(network, params=lost).check()
    with pytest.raises(WeightsError, match="There is no value for positions"):
        replace(network, params=lost).initialise()
    wrong = {**network.params, "positions": np.zeros((1, 8, 8, 1), "float32")}
    with pytest.raises(WeightsError, match="positions: 1 x 8 x 8 x 1 where 1 x 8 x 8 x 8 is needed"):
        replace(network, params=wrong).check()
