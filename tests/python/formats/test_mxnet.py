"""MXNet's own networks: a graph, and its weights beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mxtune import formats, mxexample, mximages, mxnetwork, mxtrain
from mxtune.engines.mxnet import load, shim
from mxtune.errors import FormatError, NetworkError
from mxtune.formats import Contents, mxnet
from mxtune.formats.params import write_params
from mxtune.graph import Builder, to_json
from running import outputs


def test_a_symbol_file_that_is_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / "net-symbol.json"
    with pytest.raises(NetworkError, match=r"net-symbol\.json"):
        mxnet.read_symbol(file)
    file.write_text("{")
    with pytest.raises(NetworkError, match=r"net-symbol\.json"):
        mxnet.read_symbol(file)
    b = Builder()
    file.write_text(to_json(b.graph(b.dense(b.data(), "fc", 2))))
    assert mxnet.read_symbol(file).heads == (("fc", 0),)


def test_the_latest_params_beside_a_symbol_are_found(tmp_path: Path) -> None:
    symbol = tmp_path / "net-symbol.json"
    assert mxnet.params_beside(symbol) is None
    for name in ("net-0001.params", "net-0012.params", "other-0099.params", "net.params"):
        (tmp_path / name).write_bytes(b"")
    found = mxnet.params_beside(symbol)
    assert found is not None and found.name == "net-0012.params"


@pytest.mark.mxnet
def test_what_is_written_is_read_by_mxnet_itself(tmp_path: Path) -> None:
    net = mxnetwork("efficientnet_lite0", image_size=32, classes=3)
    formats.write(tmp_path / "lite-symbol.json", Contents.of(net))
    block = load("mxnet.gluon").SymbolBlock.imports(
        str(tmp_path / "lite-symbol.json"), ["data"], str(tmp_path / "lite-0000.params")
    )
    theirs = {name: value.data().asnumpy() for name, value in block.collect_params().items()}
    assert set(theirs) == set(net.params)
    assert all(np.array_equal(theirs[name], net.params[name]) for name in theirs)
    again = mxnetwork(tmp_path / "lite-symbol.json", preprocess=net.preprocess)
    assert again.graph == net.graph and again.pretrained


BARE = """
import importlib.util, sys
import numpy as np
prefix, source, target, file = sys.argv[1:]
spec = importlib.util.spec_from_file_location("names", file)  # of NumPy, which MXNet 1.9.1 can't be imported without
names = importlib.util.module_from_spec(spec)
spec.loader.exec_module(names)
mx = names.imported("mxnet")
x = mx.nd.array(np.load(source))
symbol, arguments, auxiliary = mx.model.load_checkpoint(prefix, 0)
bound = symbol.bind(mx.cpu(), {**arguments, "data": x}, aux_states=auxiliary, grad_req="null")
block = mx.gluon.SymbolBlock.imports(f"{prefix}-symbol.json", ["data"], f"{prefix}-0000.params")
assert not any(name.startswith("mxtune") for name in sys.modules)
np.savez(target, checkpoint=bound.forward(is_train=False)[0].asnumpy(), gluon=block(x).asnumpy())
"""


@pytest.mark.mxnet
def test_mxnet_alone_computes_the_same_bits(tmp_path: Path) -> None:
    images = mximages(mxexample("fashion"))[list(range(0, 320, 8))]
    model = mxtrain(images, net=mxnetwork("efficientnet_lite0", image_size=32), tune="head", verbose=0)
    model.save(tmp_path / "clothes-symbol.json")
    net = model.network
    x = net.preprocess.batch(np.stack([net.preprocess.picture(images.open(place)) for place in range(3)]))
    np.save(tmp_path / "x.npy", x)
    files = [tmp_path / "clothes", tmp_path / "x.npy", tmp_path / "y.npz", str(shim.__file__)]
    command = [sys.executable, "-W", "ignore", "-c", BARE, *files]
    environment = {**os.environ, "MXNET_SUBGRAPH_BACKEND": "NONE"}  # layers as they are, not fused
    subprocess.run(command, check=True, env=environment, timeout=100)
    wanted, y = outputs(net.graph, net.params, x, passes=False), np.load(tmp_path / "y.npz")
    assert np.array_equal(y["checkpoint"], wanted) and np.array_equal(y["gluon"], wanted)
    with pytest.raises(FormatError, match="no files of TensorFlow Lite are written"):
        model.save(tmp_path / "clothes.tflite")
    again = mxnetwork(tmp_path / "clothes", preprocess=net.preprocess)  # the prefix, as MXNet's own functions take it
    assert again.graph == net.graph and again.params.keys() == net.params.keys()


def test_weights_alone_are_no_network(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no graph for them"):
        formats.write(tmp_path / "a-symbol.json", Contents(weights={}))
    assert not list(tmp_path.iterdir())


def test_casts_to_half_precision_are_taken_off(tmp_path: Path) -> None:
    b = Builder()
    x = b.add_node("Cast", "to_half", [b.data()], dtype="float32")
    x = b.conv(x, "conv", 2, 3)
    x = b.add_node("amp_cast", "back", [b.flatten(x)], dtype="float32")
    weights = {"conv_weight": np.ones((2, 1, 3, 3), "float16"), "conv_bias": np.zeros(2, "float16")}
    file = tmp_path / "half-symbol.json"
    file.write_text(to_json(b.graph(x)).replace("float32", "float16", 1))
    write_params(tmp_path / "half-0000.params", {f"arg:{name}": array for name, array in weights.items()})
    network = mxnetwork(tmp_path / "half", image_size=3)  # by its prefix, as MXNet's own functions take it
    assert [node.op for node in network.graph.nodes if not node.is_variable] == ["Convolution", "Flatten"]
    assert network.params["conv_weight"].dtype == np.float32
