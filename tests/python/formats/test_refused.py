"""Formats that are not read on purpose: each is known by its content, and its refusal says the way round."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mxtune import formats
from mxtune.errors import UnsupportedFormatError
from mxtune.formats.refused import REFUSED


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, b"content")
    return stream.getvalue()


def archive() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, a=np.ones(3))
    return stream.getvalue()


# How files of each format begin.
SAMPLES = {
    "TensorFlow": b"\x0a\x3b\x0a\x05input\x12\x0bPlaceholder*\x0f\x0a\x05dtype",
    "TensorFlow Lite": b"\x1c\0\0\0TFL3\x14\0",
    "TensorFlow.js": b'{"format": "layers-model", "modelTopology": {}}',
    "TorchScript": zipped("net/data.pkl", "net/code/__torch__.py", "net/constants.pkl"),
    "Torch7": b"\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1\x0d\0\0\0nn.Sequential",
    "CNTK": b"B\0C\0N\0\0\0",
    "NumPy": b"\x93NUMPY\x01\0v\0{'descr'",
    "Python's pickle": pickle.dumps({"a": 1}),
    "R, or another compressed file": b"\x1f\x8b\x08\0\0\0\0\0",
}
BY_SUFFIX = {one.name for one in REFUSED if not one.beginning and not one.member}


def test_every_format_with_a_content_of_its_own_has_a_sample() -> None:
    assert set(SAMPLES) == {one.name for one in REFUSED} - BY_SUFFIX
    assert {"Core ML", "PaddlePaddle", "TensorFlow checkpoints"} == BY_SUFFIX


def test_the_folder_of_a_saved_model_is_tensorflows(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(SAMPLES["TensorFlow"])
    with pytest.raises(UnsupportedFormatError, match=r"its format is TensorFlow\ni .*tf2onnx.*--saved-model FOLDER"):
        formats.read(tmp_path)


@pytest.mark.parametrize("name", SAMPLES)
def test_it_is_known_by_its_content_and_the_way_round_is_told(name: str, tmp_path: Path) -> None:
    file = tmp_path / "weights.pth"
    file.write_bytes(SAMPLES[name])
    with pytest.raises(UnsupportedFormatError) as caught:
        formats.read(file)
    assert str(caught.value).startswith(f"mxtune does not read {file}.\nx its format is {name}\ni ")


@pytest.mark.parametrize("one", REFUSED, ids=lambda one: one.name)
def test_it_is_known_by_its_suffix_where_the_content_says_nothing(one: formats.refused.Refused, tmp_path: Path) -> None:
    assert one.way_round
    for suffix in one.suffixes:
        file = tmp_path / f"net{suffix.upper()}"
        file.write_bytes(b"?" * 100)
        with pytest.raises(UnsupportedFormatError):
            formats.read(file)


def test_no_other_format_is_taken_for_a_refused_one(tmp_path: Path) -> None:
    for name, sample in SAMPLES.items():
        (tmp_path / "x").write_bytes(sample)
        assert [one.name for one in formats.formats() if one.sniff(formats.Glimpse.of(tmp_path / "x"))] == [name]
