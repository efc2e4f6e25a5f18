"""The picture of a network: each layer is in it, and lines join what is joined."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mxtune import mxnetwork
from mxtune.errors import ArgumentError
from mxtune.network import Network
from mxtune.network.plot.blocks import Block, blocks_of
from mxtune.network.plot.layout import arranged
from mxtune.network.plot.svg import _rails

SVG = "{http://www.w3.org/2000/svg}"
SIZES = {
    "lenet": 28,
    "resnet50_v1": 224,
    "resnet18_v2": 224,
    "inceptionv3": 299,
    "densenet121": 224,
    "efficientnet_lite0": 224,
    "squeezenet1.1": 224,
    "mobilenetv2_1.0": 224,
    "vgg11_bn": 224,
    "alexnet.torchvision": 224,
    "vit_tiny_patch16_224": 224,
    "convnextv2_atto": 224,
    "googlenet": 224,
}


@pytest.fixture(scope="module", params=SIZES)
def net(request: pytest.FixtureRequest) -> Network:
    return mxnetwork(request.param, image_size=SIZES[request.param], weights="random")


def boxes(picture: str) -> list[tuple[list[str], tuple[float, float, float, float]]]:
    """The layers that each box tells, and its edges: left, top, right, bottom."""
    found = []
    for group in ElementTree.fromstring(picture).iter(f"{SVG}g"):  # noqa: S314 - our own picture
        title, rect = group.find(f"{SVG}title"), group.find(f"{SVG}rect")
        if title is not None and rect is not None and title.text:
            left, top, width, height = (float(rect.attrib[side]) for side in ("x", "y", "width", "height"))
            layers = [line.rpartition(" (")[0] for line in title.text.splitlines() if line.endswith(")")]
            found.append((layers, (left, top, left + width, top + height)))
    return found


def test_every_layer_is_in_one_box(net: Network) -> None:
    told = [layer for layers, _ in boxes(net.plot()) for layer in layers]
    assert sorted(told) == sorted(net.layers["layer"])


def test_no_two_boxes_overlap_and_all_are_on_the_page(net: Network) -> None:
    picture = net.plot()
    width, height = (float(side) for side in re.search(r'width="(\d+)" height="(\d+)"', picture).groups())  # type: ignore[union-attr]
    places = [place for _, place in boxes(picture)]
    for number, (left, top, right, bottom) in enumerate(places):
        assert 0 < left < right < width and 0 < top < bottom < height
        assert not any(
            left < other[2] and other[0] < right and top < other[3] and other[1] < bottom for other in places[:number]
        )


def test_as_many_lines_as_boxes_take_others(net: Network) -> None:
    wanted = sum(len(block.inputs) for block in blocks_of(net.graph, net.shapes))
    assert net.plot().count("<path ") == wanted


def test_resnet_50_fits_a_wide_screen_and_words_fit_their_boxes() -> None:
    picture = mxnetwork("resnet50_v1", weights="random").plot()
    width, height = (int(side) for side in re.search(r'width="(\d+)" height="(\d+)"', picture).groups())  # type: ignore[union-attr]
    assert width <= 2000 and height <= 1400
    assert "\u2026" not in picture
    for words in ("7 \u00d7 7 conv, 64, /2", "BatchNorm \u00b7 ReLU", "56 \u00d7 56", "global average", "dense, 1000"):
        assert words in picture
    assert len(boxes(picture)) == 72


def test_attention_is_one_box() -> None:
    net = mxnetwork("vit_tiny_patch16_224", weights="random")
    picture = net.plot()
    assert picture.count(">attention, 3 heads<") == 12 and "batch_dot" not in re.findall(r">([^<]*)</text>", picture)
    assert len(boxes(picture)) < 120
    for title in ("14 \u00d7 14", "197 tokens", "197 tokens, continued", "head"):
        assert f">{title}</text>" in picture
    (softmax, *_) = (node.name for node in net.graph.nodes if node.op == "softmax")
    assert net.attach(softmax).plot().count(">attention, 3 heads<") == 11  # an output of the network is seen


def test_lines_around_the_same_boxes_lie_apart() -> None:
    blocks = [Block([name], [name], "other", inputs)
              for name, inputs in (("a", []), ("b", ["a"]), ("c", ["b"]), ("d", ["c", "b"]), ("e", ["d", "a"]),
                                   ("f", ["e"]), ("g", ["f", "e"]))]  # fmt: skip
    layout = arranged(blocks, ["one"] * len(blocks))
    assert [(start.row, end.row, rail) for (start, end), rail in _rails(blocks, layout).items()] == [
        (1, 3, 0), (4, 6, 0), (0, 4, 1),
    ]  # fmt: skip


def test_frozen_layers_and_kinds_are_drawn_as_such() -> None:
    net = mxnetwork("lenet")
    assert net.plot().count("stroke-dasharray") == 0
    frozen = net.freeze("conv1").replace("tanh", "silu").plot()
    assert frozen.count("stroke-dasharray") == 1 and "frozen" in frozen and "SiLU" in frozen
    assert len(boxes(frozen)) == len(boxes(net.plot()))


def test_names_of_others_are_words_and_never_tags() -> None:
    net = mxnetwork("lenet").rename("conv1", "<script>&\"'")
    ElementTree.fromstring(net.plot())  # noqa: S314 - our own picture
    assert "<script" not in net.plot()


def test_what_is_parallel_lies_side_by_side() -> None:
    blocks = [Block([name], [name], "other", inputs) for name, inputs in (("a", []), ("b", ["a"]), ("c", ["a"]))]
    blocks.append(Block(["d"], ["d"], "joint", ["b", "c"]))
    places = arranged(blocks, ["one"] * 3 + ["two"]).places
    assert (places["b"].row, places["c"].row) == (1, 1)
    assert {places["b"].lane, places["c"].lane} == {0, 1}
    assert (places["d"].column, places["d"].row, places["d"].lane) == (1, 0, 0)


def test_a_long_part_goes_on_in_columns_of_one_length() -> None:
    blocks = [Block([str(n)], [""], "other", [str(n - 1)] if n else []) for n in range(60)]
    layout = arranged(blocks, ["one"] * 60)
    assert layout.rows == (20, 20, 20) and layout.titles == ("one", "one", "one")


def test_a_column_ends_where_few_lines_go_on() -> None:
    blocks = []  # 8 residual blocks of 4 boxes
    for n in range(32):
        inputs = [str(n - 1)] if n else []
        blocks.append(Block([str(n)], [""], "other", inputs + ([str(n - 4)] if n >= 4 and n % 4 == 0 else [])))
    layout = arranged(blocks, ["one"] * len(blocks))
    assert layout.rows == (17, 15)  # behind the sum, to which two lines go
    assert layout.places["16"].column == 0 and layout.places["17"].row == 0


def test_a_picture_is_shown_and_written(tmp_path: Path) -> None:
    drawing = mxnetwork("lenet").plot(tmp_path / "lenet.svg")
    assert (tmp_path / "lenet.svg").read_text(encoding="utf-8") == f"{drawing}\n" == drawing._repr_svg_() + "\n"
    assert drawing in drawing._repr_html_()
    with pytest.raises(ArgumentError, match=r"must end in \.svg"):
        mxnetwork("lenet").plot(tmp_path / "lenet.png")
