"""safetensors: the same as the library of that name reads and writes, and nothing believed unchecked."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from mxtune.errors import WeightsError
from mxtune.formats import Contents
from mxtune.formats.safetensors import read, write

DTYPES = ("bool", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
ARRAYS = {f"{code} 梨.é": np.arange(6).astype(code).reshape(2, 3) for code in DTYPES}


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and np.array_equal(one[name], other[name]) for name in one
    )


def test_what_the_library_writes_is_read_and_the_other_way(tmp_path: Path) -> None:
    save_file(ARRAYS, str(tmp_path / "theirs.safetensors"), metadata={"format": "pt"})
    weights = read(tmp_path / "theirs.safetensors").weights
    assert weights is not None and same(weights, ARRAYS)
    assert all(array.flags.owndata or array.base.flags.owndata for array in weights.values())
    write(tmp_path / "ours.safetensors", Contents(weights=ARRAYS))
    assert same(load_file(str(tmp_path / "ours.safetensors")), ARRAYS)


def test_bfloat16_is_read_as_float32(tmp_path: Path) -> None:
    header = json.dumps({"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}).encode()
    upper = (np.array([0.5, -2], "<f4").view("<u4") >> 16).astype("<u2").tobytes()
    (tmp_path / "b.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + upper)
    weights = read(tmp_path / "b.safetensors").weights
    assert weights is not None and weights["a"].dtype == np.float32 and weights["a"].tolist() == [0.5, -2]


def test_a_type_without_an_array_of_numpy_is_named(tmp_path: Path) -> None:
    header = json.dumps({"a": {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [0, 2]}}).encode()
    (tmp_path / "b.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"12")
    with pytest.raises(WeightsError, match='"a" has an unknown type of number'):
        read(tmp_path / "b.safetensors")
