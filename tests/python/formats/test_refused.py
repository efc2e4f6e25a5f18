"""Formats that are not read on purpose: each is known by its content, and its refusal says the way round."""

from __future__ import annotations

import io
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mxtune import formats, mxload, mxnetwork
from mxtune.errors import FormatError, MissingFileError, ModelFileError, MxtuneError, UnsupportedFormatError
from mxtune.formats import Glimpse
from mxtune.formats._protobuf import written as field
from mxtune.formats.refused import REFUSED, Refused


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, b"content")
    return stream.getvalue()


def tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("weights.pth"), io.BytesIO())
    return stream.getvalue()


def picture(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, kind)
    return stream.getvalue()


def feature(name: str) -> bytes:
    """An input of Core ML: its name and its type."""
    return field(1, name) + field(3, field(5, b""))


# How files begin: those of TensorFlow, PyTorch and R as these programs wrote them, others by their descriptions.
SAMPLES: dict[str, list[bytes]] = {
    "a frozen graph of TensorFlow": [
        b"\x0a\x43\x0a\x01x\x12\x0bPlaceholder*\x0b\x0a\x05dtype\x12\x020\x01*$\x0a\x05shape",
        b'node {\n  name: "x"\n  op: "Placeholder"\n',
    ],
    "a SavedModel of TensorFlow": [b"\x08\x01\x12\xad\x89\x02\x0a\xb3\x13\x12\x83\x13\x0a\x5e\x0a\x10AssignVariableOp"],
    "a checkpoint of TensorFlow": [
        b"\0\0\x06\x08\x01\x1a\x02\x08\x01\0\x1c\x0f_CHECKPOINTABLE_OBJECT_GRAPH", b'model_checkpoint_path: "ckpt-1"\n',
    ],
    "TensorFlow Lite": [b"\x1c\0\0\0TFL3\x14\0"],
    "TensorFlow.js": [
        b'{"format": "layers-model", "modelTopology": {}}', b'\n{"weightsManifest":[{"paths":["group1-shard1.bin"]}]}',
    ],
    "a program of PyTorch (TorchScript, torch.export)": [
        zipped("net/data.pkl", "net/code/__torch__.py", "net/constants.pkl"),
        zipped("net/data/weights/weight_0", "net/models/model.json", "net/archive_format"),
        zipped("serialized_exported_program.json", "version"),
    ],
    "ExecuTorch": [b"\x1c\0\0\0ET12"],
    "Torch7": [
        b"\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1\x0d\0\0\0nn.Sequential", b"4\n1\n3\nV 1\n13\nnn.Sequential\n",
        b"\x03\0\0\0\x01\0\0\0\x02\0\0\0\x02\0\0\0\x05\0\0\0model",
    ],
    "CNTK": [b"B\0C\0N\0\0\0", field(1, 1) + field(2, field(1, "version") + field(2, field(1, 1))),
             field(1, 1) + field(2, field(1, "primitive_functions") + field(2, bytes(300)))],
    "Core ML": [field(1, 4) + field(2, field(1, feature("image")) + field(10, feature("classLabel"))),
                field(1, 1) + field(2, field(1, feature("image")) + field(100, bytes(300)))],
    "PaddlePaddle": [
        field(1, field(1, 0) + field(2, -1) + field(3, bytes(300))),
        bytes(16) + b"\x08\0\0\0" + field(1, 5) + field(2, 3) + bytes(100), b'{"base_code":{"magic":"pir"}}',
    ],
    "JAX (Flax, Orbax)": [b"\x81\xa6params\x82\xa4stem\x81\xa6kernel\xc7\x10", b"\x82\xabbatch_stats\xde\x01\x02"],
    "OpenVINO": [b'<?xml version="1.0"?>\n<net name="resnet" version="11">'],
    "TensorRT": [b"ftrt\0\0\0\0"],
    "GGUF": [b"GGUF\3\0\0\0"],
    "NumPy": [b"\x93NUMPY\x01\0v\0{'descr'"],
    "Python's pickle": [pickle.dumps({"a": 1}, protocol) for protocol in (2, 3, 4, 5)],
    "R, or another compressed file": [
        b"\x1f\x8b\x08\0\0\0\0\0", b"BZh91AY", b"\xfd7zXZ\0", b"X\n\0\0\0\3", b"RDX3\n", b"Rar!\x1a",
    ],
    "an archive": [tar()],
    "a pointer of Git LFS": [b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 12345\n"],
    "a web page": [b"<!DOCTYPE html>\n<html>", b"\xef\xbb\xbf\n<HTML lang=en>", b"<!-- saved -->\n<head>"],
    "an answer of a server": [
        b"Entry not found", b"404: Not Found", b'{"error":"Repository not found"}', b"Access denied",
        b'<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code>',
    ],
    "an image": [picture(kind) for kind in ("jpeg", "png", "gif", "webp", "bmp", "tiff")],
}  # fmt: skip
EACH = [(name, number) for name, samples in SAMPLES.items() for number in range(len(samples))]
SUFFIXES = sorted({suffix for one in formats.formats() for suffix in one.suffixes if one.read})


def test_every_format_has_a_sample_and_a_way_round() -> None:
    assert set(SAMPLES) == {one.name for one in REFUSED}
    assert all(len(one.way_round) > 20 for one in REFUSED)


@pytest.mark.parametrize(("name", "number"), EACH)
def test_it_is_known_by_its_content_and_the_way_round_is_told(name: str, number: int, tmp_path: Path) -> None:
    """Whatever it is called: with the suffix of each format that is read, and with none."""
    for suffix in ("", *SUFFIXES):
        file = tmp_path / f"weights{suffix}"
        file.write_bytes(SAMPLES[name][number])
        assert [one.name for one in formats.formats() if one.sniff(Glimpse.of(file))] == [name]
        with pytest.raises(UnsupportedFormatError) as caught:
            mxnetwork(file)
        assert str(caught.value).startswith(f"mxtune does not read {file}.\nx its format is {name}\ni ")
        with pytest.raises(UnsupportedFormatError):
            mxnetwork("lenet", weights=file)
        with pytest.raises(ModelFileError, match=file.name):
            mxload(file)


@pytest.mark.parametrize("one", REFUSED, ids=lambda one: one.name)
def test_it_is_known_by_its_suffix_where_the_content_says_nothing(one: Refused, tmp_path: Path) -> None:
    for suffix in one.suffixes:
        file = tmp_path / f"net{suffix.upper()}"
        file.write_bytes(b"?" * 100)
        with pytest.raises(UnsupportedFormatError):
            formats.read(file)


FOLDERS = {
    "a SavedModel of TensorFlow": ("saved_model.pb", "fingerprint.pb"),
    "a checkpoint of TensorFlow": ("checkpoint", "ckpt-1.index"),
    "Core ML": ("Manifest.json", "Data"),
    "PaddlePaddle": ("inference.pdmodel", "inference.pdiparams"),
    "JAX (Flax, Orbax)": ("_METADATA", "d"),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_of_a_format_is_known_by_what_is_in_it(name: str, tmp_path: Path) -> None:
    for file in FOLDERS[name]:
        (tmp_path / file).write_bytes(b"?")
    with pytest.raises(UnsupportedFormatError, match=name.replace("(", r"\(").replace(")", r"\)")):
        mxnetwork(tmp_path)


def test_what_is_missing_unknown_or_refused_are_three_errors(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "model.safetensors").write_bytes(b"?")
    (tmp_path / "noise.pth").write_bytes(b"?" * 50)
    (tmp_path / "noise").write_bytes(b"?" * 50)
    (tmp_path / "empty.onnx").write_bytes(b"")
    (tmp_path / "net.t7").write_bytes(SAMPLES["Torch7"][0])
    for name, kind, words in (
        ("none.onnx", MissingFileError, "There is no file"),
        ("noise.pth/none.onnx", MissingFileError, "There is no file"),
        ("weights", FormatError, r"is a folder.\ni Name a file in it: model\.safetensors"),
        ("noise", FormatError, "Can't recognise the format of .*\ni Known formats: "),
        ("empty.onnx", FormatError, "is empty"),
        ("net.t7", UnsupportedFormatError, "mxtune does not read .*\nx its format is Torch7\ni Load it with"),
    ):
        with pytest.raises(MxtuneError, match=words) as caught:
            mxnetwork(tmp_path / name)
        assert type(caught.value) is kind


def test_no_readable_file_is_taken_for_a_refused_one() -> None:
    shared = Path(__file__).resolve().parents[2] / "shared"
    kept = [file for file in (shared / "formats").iterdir() if file.suffix in SUFFIXES] + [*shared.glob("golden/*.mxt")]
    assert len(kept) > 10
    for file in kept:
        found = [one for one in formats.formats() if one.sniff(Glimpse.of(file))]
        assert len(found) == 1 and found[0].read is not None, (file.name, [one.name for one in found])


# ---- kinds within a format that is read


def onnx(*nodes: bytes, inputs: tuple[str, ...] = ("x",), output: tuple[int, ...] = (1, 3)) -> bytes:
    def port(name: str, sides: tuple[int, ...]) -> bytes:
        shape = b"".join(field(1, field(1, side)) for side in sides)
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))

    graph = b"".join(field(1, node) for node in nodes)
    graph += b"".join(field(11, port(name, (1, 3, 8, 8))) for name in inputs) + field(12, port("y", output))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 17))


def node(op: str, *inputs: str) -> bytes:
    return b"".join(field(1, name) for name in inputs) + field(2, "y") + field(3, "the node") + field(4, op)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (onnx(node("Add", "x", "z"), inputs=("x", "z")), "it takes 2 inputs"),
        (onnx(node("If", "x")), r'"the node" \(If\): it is control flow'),
        (onnx(node("Loop", "x")), "control flow"),
        (onnx(node("QLinearConv", "x")), "quantised network: bring the one it was made from"),
        (onnx(node("QuantizeLinear", "x")), "quantised network"),
        (onnx(node("DequantizeLinear", "x")), "quantised network"),
        (onnx(node("NonMaxSuppression", "x")), "it detects objects"),
        (onnx(node("Relu", "x"), output=(1, 3, 8, 8)), "is no row of numbers for each image"),
    ],
)
def test_a_kind_of_onnx_that_is_not_read_is_named(content: bytes, words: str, tmp_path: Path) -> None:
    file = tmp_path / "net.onnx"
    file.write_bytes(content)
    with pytest.raises(UnsupportedFormatError, match=words) as caught:
        mxnetwork(file)
    assert str(file) in str(caught.value) and caught.value.hint


def test_numbers_of_numpy_in_a_pickle_are_not_weights(tmp_path: Path) -> None:
    (tmp_path / "w.pkl").write_bytes(pickle.dumps([np.ones(3)]))
    with pytest.raises(UnsupportedFormatError, match=r"numpy\.savez"):
        mxnetwork("lenet", weights=tmp_path / "w.pkl")
