"""The registry: formats are told apart by their content, and where that says nothing by their suffix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mxtune import formats, mxnetwork
from mxtune.errors import FormatError, MxtuneError
from mxtune.formats import Contents, Format, Glimpse, register
from mxtune.zoo import entry


def test_what_is_read_and_written_is_computed() -> None:
    read = [one.name for one in formats.formats() if one.read]
    assert set(read) >= {"mxtune model", "MXNet network", "MXNet weights", "PyTorch", "safetensors"}
    assert [one.name for one in formats.formats()][: len(read)] == read  # before those that are refused


def test_a_name_or_a_suffix_is_given_once() -> None:
    with pytest.raises(ValueError, match="already"):
        register(formats.formats()[0])
    with pytest.raises(ValueError, match="already"):
        register(Format("another", (".params",), sniff=bool, write=print))


def test_a_file_is_known_by_its_content_whatever_it_is_called(tmp_path: Path) -> None:
    formats.write(tmp_path / "w.params", Contents(weights={"a": np.ones(2, "f4")}))
    (tmp_path / "w.params").rename(tmp_path / "w.onnx")
    assert formats.format_of(tmp_path / "w.onnx").name == "MXNet weights"
    weights = formats.read(tmp_path / "w.onnx").weights
    assert weights is not None and weights["a"].tolist() == [1, 1]


def test_a_file_that_has_no_format_to_be_written_in_is_told(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"Written are .*\.json \(MXNet network\), .*\.safetensors"):
        formats.write(tmp_path / "w.h5", Contents(weights={}))


def test_the_names_of_others_are_of_no_graph_of_ours(tmp_path: Path) -> None:
    net = mxnetwork("efficientnet_lite0", image_size=32, classes=3)
    table, *_ = entry("efficientnet_lite0").names()
    formats.write(tmp_path / "w.params", Contents.of(net), names=table)
    weights = formats.read(tmp_path / "w.params").weights
    assert weights is not None and set(weights) >= {"_conv_stem.weight", "_bn0.running_mean"}
    for name in ("net-symbol.json", "net.mxt"):
        with pytest.raises(MxtuneError, match=r"no graph|the graph or the weights"):
            formats.write(tmp_path / name, Contents.of(net, {}), names=table)


def test_a_glimpse_of_a_damaged_zip_names_no_members(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"PK\3\4" + bytes(100))
    assert Glimpse.of(tmp_path / "x").members == ()
