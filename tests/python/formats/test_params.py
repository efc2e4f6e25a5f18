"""MXNet's ``.params`` files, each against MXNet itself."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mxtune.engines.mxnet import load
from mxtune.errors import StoreError, WeightsError
from mxtune.formats.params import read_params, write_params

ARRAYS = {
    "arg:a_weight": np.arange(12, dtype="float32").reshape(3, 4) / 7,
    "aux:b": np.arange(6, dtype="float16").reshape(1, 2, 3),
    "c": np.arange(5, dtype="int64") - 2,
    "d": np.array([True, False]),
    "Überzug": np.arange(3, dtype="uint8"),
    "f": np.linspace(0, 1, 4),
    "g": np.arange(4, dtype="int32"),
    "h": np.arange(4, dtype="int8") - 3,
}


def same(found: dict[str, Any], expected: dict[str, Any]) -> bool:
    return list(found) == list(expected) and all(
        found[name].dtype == expected[name].dtype
        and found[name].shape == expected[name].shape
        and (found[name] == expected[name]).all()
        for name in expected
    )


def saved_by_mxnet(path: Path) -> Path:
    mx = load()
    mx.nd.save(str(path), {name: mx.nd.array(array, dtype=array.dtype) for name, array in ARRAYS.items()})
    return path


@pytest.mark.mxnet
def test_files_of_mxnet_are_read(tmp_path: Path) -> None:
    assert same(read_params(saved_by_mxnet(tmp_path / "a.params")), ARRAYS)


@pytest.mark.mxnet
def test_files_are_those_that_mxnet_writes(tmp_path: Path) -> None:
    write_params(tmp_path / "ours.params", ARRAYS)
    theirs = saved_by_mxnet(tmp_path / "theirs.params")
    assert (tmp_path / "ours.params").read_bytes() == theirs.read_bytes()
    read = load().nd.load(str(tmp_path / "ours.params"))
    assert same({name: array.asnumpy() for name, array in read.items()}, ARRAYS)


@pytest.mark.mxnet
def test_arrays_without_names_are_numbered(tmp_path: Path) -> None:
    mx = load()
    mx.nd.save(str(tmp_path / "list.params"), [mx.nd.ones((2, 2)), mx.nd.zeros(3)])
    assert {name: array.shape for name, array in read_params(tmp_path / "list.params").items()} == {
        "0": (2, 2),
        "1": (3,),
    }


@pytest.mark.mxnet
def test_scalars_and_empty_arrays_come_back(tmp_path: Path) -> None:
    mx = load()
    arrays = {"scalar": np.array(3.5, "float32"), "empty": np.zeros((0, 3), "float32")}
    write_params(tmp_path / "ours.params", arrays)
    assert same(read_params(tmp_path / "ours.params"), arrays)
    with mx.util.np_shape():
        mx.nd.save(str(tmp_path / "theirs.params"), {"scalar": mx.np.array(3.5).as_nd_ndarray()})
        assert mx.nd.load(str(tmp_path / "ours.params"))["scalar"].asnumpy() == 3.5
    assert read_params(tmp_path / "theirs.params")["scalar"] == 3.5


@pytest.mark.mxnet
def test_files_before_mxnet_had_a_version_are_read(tmp_path: Path) -> None:
    values = np.arange(6, dtype="<f4")
    header = struct.pack("<QQQ", 0x112, 0, 1) + struct.pack("<III", 2, 2, 3) + struct.pack("<iii", 1, 0, 0)
    name = struct.pack("<QQ", 1, 5) + b"arg:w"
    (tmp_path / "old.params").write_bytes(header + values.tobytes() + name)
    found = read_params(tmp_path / "old.params")
    assert same(found, {"arg:w": values.reshape(2, 3)})
    theirs = load().nd.load(str(tmp_path / "old.params"))
    assert (theirs["arg:w"].asnumpy() == found["arg:w"]).all()


def test_bfloat16_is_read_as_float32(tmp_path: Path) -> None:
    values = np.array([1.0, -2.5, 0.0], "float32")
    raw = (values.view("<u4") >> 16).astype("<u2").tobytes()
    head = struct.pack("<QQQ", 0x112, 0, 1) + struct.pack("<Iiiq", 0xF993FAC9, 0, 1, 3) + struct.pack("<iii", 1, 0, 12)
    (tmp_path / "b.params").write_bytes(head + raw + struct.pack("<Q", 0))
    assert same(read_params(tmp_path / "b.params"), {"0": values})


@pytest.mark.mxnet
def test_file_cut_short_anywhere_is_an_error(tmp_path: Path) -> None:
    content = saved_by_mxnet(tmp_path / "whole.params").read_bytes()
    cut = tmp_path / "cut.params"
    for length in range(len(content)):
        cut.write_bytes(content[:length])
        with pytest.raises(WeightsError, match=r"Can't read the weights in .*cut\.params: "):
            read_params(cut)


@pytest.mark.mxnet
def test_any_changed_byte_gives_arrays_or_a_clear_error(tmp_path: Path) -> None:
    content = bytearray(saved_by_mxnet(tmp_path / "whole.params").read_bytes())
    changed = tmp_path / "changed.params"
    for at in range(len(content)):
        content[at] ^= 0xFF
        changed.write_bytes(content)
        try:
            found = read_params(changed)
        except WeightsError as error:
            assert "changed.params" in str(error)
        else:
            assert sum(array.nbytes for array in found.values()) <= len(content)
        content[at] ^= 0xFF


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file ends within the file, after 0 bytes"),
        (b"PK\x03\x04 a zip file, not this", "it does not begin like an MXNet .params file"),
        (struct.pack("<QQQ", 0x112, 0, 2**60), "the number of arrays is 1152921504606846976"),
        (
            struct.pack("<QQQ", 0x112, 0, 1) + struct.pack("<Iiiqqiii", 0xF993FAC9, 0, 2, 2**25, 2**25, 1, 0, 0),
            "array 1 of 1 claims to be 33554432 x 33554432 of float32, but 0 bytes are left",
        ),
        (
            struct.pack("<QQQ", 0x112, 0, 1) + struct.pack("<Iiiqqqiii", 0xF993FAC9, 0, 3, 2**40, 2**40, 0, 1, 0, 0),
            "array 1 of 1 has sides of 1099511627776 x 1099511627776 x 0",
        ),
        (struct.pack("<QQQ", 0x112, 0, 1) + struct.pack("<Ii", 0xF993FAC9, 1) + bytes(40), "is sparse"),
        (struct.pack("<QQQ", 0x112, 0, 1) + struct.pack("<I", 10**6) + bytes(40), "has 1000000 dimensions"),
    ],
)
def test_lying_file_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "x.params").write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        read_params(tmp_path / "x.params")
    assert words in str(caught.value)


def test_missing_file_and_unknown_type_are_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="No such file"):
        read_params(tmp_path / "none.params")
    with pytest.raises(WeightsError, match="'z', which is of type complex64"):
        write_params(tmp_path / "z.params", {"z": np.zeros(2, "complex64")})
    with pytest.raises(StoreError, match="Can't write the weights"):
        write_params(tmp_path / "no folder" / "a.params", ARRAYS)
    assert list(tmp_path.iterdir()) == []
