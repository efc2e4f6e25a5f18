"""Where a logit still has places in the image."""

from __future__ import annotations

import pytest

from mxtune import mxnetwork
from mxtune.errors import NetworkError
from mxtune.graph import Builder, Entry, shapes_of
from mxtune.network.evidence import Source, source_at, sources


def found(b: Builder, head: Entry, size: int = 32) -> list[Source]:
    graph = b.graph(head)
    return sources(graph, shapes_of(graph, {"data": (1, 3, size, size)}))


def of_network(name: str, **settings: object) -> list[tuple[str, str, tuple[int, int], tuple[float, float]]]:
    network = mxnetwork(name, **settings)
    return [(s.map[0], s.how, s.grid, s.step) for s in sources(network.graph, network.shapes)]


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("resnet18", {}, [("layer4.1.relu_1", "average", (7, 7), (32, 32))]),
        ("lenet", {}, [("tanh2", "map", (8, 8), (2, 2))]),  # no borders: 8 times 2 pixels are not 28
        ("vgg11", {}, [("relu7", "map", (14, 14), (16, 16))]),
        ("mobilenetv3_small_100", {"image_size": 96}, [("blocks.5.0.bn1.act.hardswish", "average", (3, 3), (32, 32))]),
        ("deit_tiny_patch16_224", {}, [("blocks.10.add_1", "map", (14, 14), (16, 16))]),
    ],
)
def test_networks_have_the_places_that_they_are_known_for(name: str, settings: dict, expected: list) -> None:
    assert of_network(name, **settings) == expected


def test_each_stage_is_found_with_average_and_maximum() -> None:
    network = mxnetwork("resnet18", image_size=64).replace_head(2, stages=True)
    pairs = [(one.map[0], one.how) for one in sources(network.graph, network.shapes)]
    assert pairs == [(stage, how) for stage in network.stages for how in ("average", "maximum")]
    assert [one.step for one in sources(network.graph, network.shapes)][::2] == [(2**n, 2**n) for n in range(1, 6)]


def test_tokens_that_are_averaged_are_a_map() -> None:
    b = Builder()
    patches = b.conv(b.data(), "patches", 6, kernel=8, stride=8)
    tokens = b.add_node("transpose", "tokens", [b.add_node("reshape", "flat", [patches], shape="(0, 0, -1)")],
                        axes="(0, 2, 1)")  # fmt: skip
    (one,) = found(b, b.dense(b.add_node("mean", "pooled", [tokens], axis="(1,)"), "head", 2))
    assert (one.map, one.how, one.grid, one.step) == (("tokens", 0), "average", (4, 4), (8, 8))


def test_a_window_of_the_whole_map_gathers_it() -> None:
    b = Builder()
    x = b.conv(b.data(), "conv", 4, kernel=3, pad=1)
    assert found(b, b.dense(b.pool(x, "avg", 32), "head", 2))[0].how == "average"
    (part,) = found(b, b.dense(b.pool(x, "avg", 16, 16), "head", 2))
    assert (part.how, part.map) == ("map", ("conv", 0))


def test_an_average_of_part_of_the_axes_is_no_map_of_places() -> None:
    b = Builder()
    x = b.conv(b.data(), "conv", 4, kernel=3, pad=1)
    (one,) = found(b, b.dense(b.add_node("mean", "rows", [x], axis="(2, 3)"), "head", 2))
    assert one.how == "average"
    (one,) = found(b, b.dense(b.add_node("mean", "rows", [x], axis="(1, 2)"), "fc", 2))
    assert one.how == "map"


def test_dense_layers_alone_have_no_places() -> None:
    b = Builder()
    with pytest.raises(NetworkError, match="no maps"):
        found(b, b.dense(b.flatten(b.data()), "head", 2))


def test_a_layer_is_taken_where_the_output_depends_on_it() -> None:
    network = mxnetwork("lenet").attach("tanh1").main
    assert source_at(network.graph, network.shapes, "tanh1").grid == (24, 24)
    both = mxnetwork("lenet")
    with pytest.raises(NetworkError, match="The layer fc1 has no places"):
        source_at(both.graph, both.shapes, "fc1")
    cut = Builder(both.graph)
    aside = cut.act(("tanh1", 0), "relu", "aside")
    graph = cut.graph(both.graph.heads[0], aside)
    with pytest.raises(NetworkError, match="does not depend on the layer aside"):
        source_at(graph, shapes_of(graph, {"data": (1, 1, 28, 28)}), "aside")
