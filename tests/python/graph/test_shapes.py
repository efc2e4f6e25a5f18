"""The shapes of whole graphs: those of MXNet for every network, and clear words where there are none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mxnet_reference import Reference
from mxtune.engines.mxnet import load
from mxtune.errors import NetworkError
from mxtune.graph import Builder, Graph, Node, from_json, shapes_of
from mxtune.zoo import entry
from running import NETWORKS


@pytest.fixture(scope="module")
def reference() -> Iterator[Reference]:
    asked = Reference()
    yield asked
    asked.close()


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.mxnet
def test_every_network_of_the_zoo_has_the_shapes_that_mxnet_tells(name: str, reference: Reference) -> None:
    one = entry(name)
    preprocess = one.preprocess_for(None, None)
    small, large = ((29, 33), (61, 45)) if name == "lenet" else ((299, 331), (512, 384))
    for size in (preprocess.size, small, large):
        graph = one.build(one.classes, size, preprocess.channels)
        inputs = {graph.inputs[0]: (2, preprocess.channels, *size)}
        assert shapes_of(graph, inputs) == reference.shapes(graph, inputs)


@pytest.mark.mxnet
def test_shapes_are_those_of_every_node() -> None:
    mx = load()
    x = mx.sym.Convolution(mx.sym.var("data"), kernel=(3, 3), num_filter=8, name="conv")
    parts = mx.sym.split(mx.sym.BatchNorm(x, name="bn"), num_outputs=2, name="halves")
    graph = from_json(mx.sym.FullyConnected(parts[1], num_hidden=5, name="dense").tojson())
    shapes = shapes_of(graph, {"data": (2, 3, 10, 12), "unrelated": (1,)})
    assert shapes["conv"] == ((2, 8, 8, 10),)
    assert shapes["conv_weight"] == ((8, 3, 3, 3),)
    assert shapes["bn_moving_mean"] == ((8,),)
    assert shapes["bn"] == ((2, 8, 8, 10),)
    assert shapes["halves"] == ((2, 4, 8, 10), (2, 4, 8, 10))
    assert shapes["dense"] == ((2, 5),)
    assert set(shapes) == {node.name for node in graph.nodes}


def test_a_picture_too_small_for_a_network_is_told() -> None:
    words = (
        r"input of data 1 x 3 x 16 x 16\.\nx pool1 \(Pooling\): its window of 3 x 3 is larger than its input of 1 x 1"
    )
    with pytest.raises(NetworkError, match=words):
        shapes_of(entry("alexnet").build(1000, (224, 224), 3), {"data": (1, 3, 16, 16)})


def test_a_shape_that_is_left_open_is_told() -> None:
    with pytest.raises(NetworkError, match="leaves no shape for data"):
        shapes_of(entry("squeezenet1.1").build(3, (224, 224), 3), {})


def test_a_shared_parameter_must_fit_all_its_users() -> None:
    b = Builder()
    x, weight = b.data(), b.variable("w")
    one = b.add_node("FullyConnected", "one", [x, weight], num_hidden="4", no_bias="True")
    two = b.add_node("FullyConnected", "two", [one, weight], num_hidden="4", no_bias="True")
    graph = b.graph(two)
    assert shapes_of(graph, {"data": (1, 4)})["w"] == ((4, 4),)
    with pytest.raises(NetworkError, match=r"two .* its weight is 4 x 6 where 4 x 4 is needed"):
        shapes_of(graph, {"data": (1, 6)})


def test_a_parameter_in_no_slot_declares_its_shape() -> None:
    scale = Node("scale", "null", {"__shape__": "(1, 3, 1, 1)"})
    product = Node("product", "broadcast_mul", {}, (("data", 0), ("scale", 0)))
    graph = Graph((Node("data"), scale, product), (("product", 0),))
    assert graph.inputs == ("data",) and graph.roles["scale"] == "weight"
    assert shapes_of(graph, {"data": (2, 3, 4, 5)})["product"] == ((2, 3, 4, 5),)
    with pytest.raises(NetworkError, match="its inputs are 2 x 4 x 4 x 5 and 1 x 3 x 1 x 1"):
        shapes_of(graph, {"data": (2, 4, 4, 5)})
