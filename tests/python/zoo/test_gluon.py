"""Networks that Gluon has too are Gluon's, to the bit: their outputs, and the names in the files that Gluon writes."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mxtune import mxnetwork
from mxtune.engines.mxnet import load
from mxtune.errors import WeightsError
from mxtune.graph import to_json
from mxtune.network import Network
from mxtune.zoo import entries
from mxtune.zoo._gluon import URL
from running import outputs

pytestmark = pytest.mark.mxnet

ENTRIES = {one.name: one for one in entries() if one.url == URL}
SIZES = {"alexnet": 63, "densenet": 224, "squeezenet": 224, "inception": 299}  # where Gluon's last window has one size
PREFIX = "net_"  # Gluon counts names afresh only below a prefix
NOISE = np.random.default_rng(0).normal(size=65_537).astype("float32")  # a prime: no two rows of an array are alike


def bare(name: str, classes: int) -> Network:
    """The network without parameters, for the smallest images that Gluon's takes."""
    one = ENTRIES[name]
    size = next((size for start, size in SIZES.items() if name.startswith(start)), 32)
    preprocess = replace(one.preprocess, size=(size, size))
    return Network(one.build(classes, preprocess.size, 3), {}, one.provenance(), preprocess)


def values(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Values of a parameter, no two alike and such that the network's outputs stay finite and lively."""
    noise = np.resize(np.roll(NOISE, hash(shape) % 1000), shape)
    if name.endswith("_weight"):
        return noise * np.float32(math.sqrt(2 / math.prod(shape[1:])))
    return 1 + 0.3 * np.tanh(noise) if name.endswith(("gamma", "var")) else 0.1 * noise


def test_every_network_of_gluon_is_there() -> None:
    with pytest.raises(ValueError, match="is not supported") as error:  # its one complete list of names
        load("mxnet.gluon.model_zoo.vision").get_model("")
    assert set(ENTRIES) == {line.strip() for line in str(error.value).splitlines()[1:]}


@pytest.mark.parametrize("name", ENTRIES)
def test_outputs_are_those_of_gluon(name: str) -> None:
    mx, net = load(), bare(name, 7)
    params = {one: mx.nd.array(values(one, net.shapes[one][0])) for one in (*net.graph.arguments, *net.graph.auxiliary)}
    block = load("mxnet.gluon.model_zoo.vision").get_model(name, classes=7, prefix=PREFIX)
    found, expected = (
        output(symbol, params) for symbol in (mx.sym.load_json(to_json(net.graph)), block(mx.sym.var("data")))
    )
    assert found.shape == (1, 7) and np.isfinite(found).all() and found.std() > 0
    assert found.tobytes() == expected.tobytes()
    places = {place: ours(one.name) for place, one in block._collect_params_with_prefix().items()}
    (table,) = ENTRIES[name].names()
    assert places == table.ours


def output(symbol: Any, params: dict[str, Any]) -> np.ndarray:
    """What MXNet computes of a symbol, whether it has our names or Gluon's."""
    arguments = {one: params[ours(one)] for one in symbol.list_arguments()}
    states = {one: params[ours(one)] for one in symbol.list_auxiliary_states()}
    (found,) = symbol.bind(load().cpu(), arguments, aux_states=states).forward()
    return found.asnumpy()


def ours(name: str) -> str:
    return (name[len(PREFIX) :] if name.startswith(PREFIX) else name).replace("running", "moving")


@pytest.fixture(scope="module", params=["resnet18_v2", "mobilenetv2_0.25", "squeezenet1.1", "densenet121"])
def gluon(request: Any) -> tuple[str, Any, np.ndarray, np.ndarray]:
    """A network of Gluon's own with random weights, a batch of images, and what it predicts for them."""
    mx = load()
    for _ in range(2):  # a network made before must not change names
        net = load("mxnet.gluon.model_zoo.vision").get_model(request.param, classes=7)
    net.initialize(mx.init.Xavier())
    x = np.random.default_rng(0).normal(size=(2, 3, 224, 224)).astype("float32")
    return request.param, net, x, net(mx.nd.array(x)).asnumpy()


def agree(net: Network, x: np.ndarray, expected: np.ndarray) -> None:
    found = outputs(net.graph, net.params, x)
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
    with pytest.raises(WeightsError, match="match this network"):
        mxnetwork("resnet34_v1", weights=tmp_path / "w.params")
