"""The shapes of a graph, as MXNet itself infers them."""

from __future__ import annotations

import pytest

from mxtune.engines.mxnet import load
from mxtune.engines.mxnet.symbols import infer_shapes
from mxtune.errors import NetworkError
from mxtune.graph import from_json
from mxtune.zoo import entry


def test_shapes_are_those_of_every_node() -> None:
    mx = load()
    x = mx.sym.Convolution(mx.sym.var("data"), kernel=(3, 3), num_filter=8, name="conv")
    parts = mx.sym.split(mx.sym.BatchNorm(x, name="bn"), num_outputs=2, name="halves")
    graph = from_json(mx.sym.FullyConnected(parts[1], num_hidden=5, name="dense").tojson())
    shapes = infer_shapes(graph, {"data": (2, 3, 10, 12), "unrelated": (1,)})
    assert shapes["conv"] == ((2, 8, 8, 10),)
    assert shapes["conv_weight"] == ((8, 3, 3, 3),)
    assert shapes["bn_moving_mean"] == ((8,),)
    assert shapes["bn"][0] == (2, 8, 8, 10)
    assert shapes["halves"] == ((2, 4, 8, 10), (2, 4, 8, 10))
    assert shapes["dense"] == ((2, 5),)
    assert set(shapes) == {node.name for node in graph.nodes}


def test_symbol_of_an_old_mxnet_is_taken_silently(capfd: pytest.CaptureFixture[str]) -> None:
    mx = load()
    text = mx.sym.Convolution(mx.sym.var("data"), kernel=(3, 3), num_filter=8, name="conv").tojson()
    for old in (text.replace('"attrs"', '"param"', 1), text.replace("10901", "800")):
        assert infer_shapes(from_json(old), {"data": (1, 3, 5, 5)})["conv"] == ((1, 8, 3, 3),)
    assert capfd.readouterr() == ("", "")


def test_picture_too_small_for_a_network_is_told() -> None:
    with pytest.raises(NetworkError, match="input of data 1 x 3 x 16 x 16"):
        infer_shapes(entry("alexnet").build(1000, (224, 224), 3), {"data": (1, 3, 16, 16)})


def test_shape_that_is_left_open_is_told() -> None:
    with pytest.raises(NetworkError, match="leaves no shape for data"):
        infer_shapes(entry("squeezenet1.1").build(3, (224, 224), 3), {})
