"""Numbers that are not finite are refused by the name of their parameter, whatever the file that holds them."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hostile.samples import SHARED, Sample, samples, small_network
from hostile.trees import fields_of, message_of
from hostile.zips import members_of, zip_of
from mxtune import formats, mxload, mxnetwork
from mxtune.errors import ModelFileError, NetworkError, WeightsError
from mxtune.formats import Contents, mxt

READ = {one.name for one in formats.formats() if one.read}


def small(name: str, value: float, dtype: str = "f4") -> Contents:
    """The model with this number in one of its parameters."""
    whole = small_network()
    weights = {key: np.array(array, dtype) for key, array in (whole.weights or {}).items()}
    weights[name].reshape(-1)[1] = value
    return replace(whole, weights=weights)


def of_caffe(value: float) -> bytes:
    """The weights of Caffe with this number first in the first layer that has any."""

    def changed(content: bytes, path: tuple[int, ...]) -> bytes:
        fields = fields_of(content)
        at = next(place for place, (key, _, part) in enumerate(fields) if key == path[0] and has(part, path[1:]))
        key, wire, part = fields[at]
        assert isinstance(part, bytes)
        fields[at] = key, wire, changed(part, path[1:]) if path[1:] else struct.pack("<f", value) + part[4:]
        return message_of(fields)

    def has(part: Any, path: tuple[int, ...]) -> bool:
        return not path or any(key == path[0] for key, _, _ in fields_of(part))

    return changed((SHARED / "modern.caffemodel").read_bytes(), (100, 7, 5))


def of_keras(content: bytes, value: float) -> bytes:
    """The HDF5 file with this number in the weight of its dense layer."""
    stream = io.BytesIO(content)
    with h5py.File(stream, "r+") as file:
        arrays: list[Any] = []
        file.visititems(lambda _, one: arrays.append(one) if isinstance(one, h5py.Dataset) and one.ndim == 4 else None)
        arrays[0][0, 0, 0, 0] = value
    return stream.getvalue()


def files(value: float, folder: Path) -> Mapping[str, tuple[Sample, str]]:
    """For each file of `samples` one with this number, and what its parameter is called."""
    made: dict[str, tuple[Sample, str]] = {}
    for sample in samples(folder, small("norm_gamma", value)):
        name = "norm_gamma"
        if sample.format == "Caffe":
            sample = replace(sample, beside={"modern.caffemodel": of_caffe(value)})  # noqa: PLW2901
            name = "conv_weight"
        elif sample.format == "Caffe weights":
            sample, name = replace(sample, content=of_caffe(value)), "conv_weight"  # noqa: PLW2901
        elif sample.format == "Keras HDF5":
            sample, name = replace(sample, content=of_keras(sample.content, value)), "conv_weight"  # noqa: PLW2901
        elif sample.format == "Keras description":
            if not sample.weights.endswith(".h5"):
                continue
            beside = {sample.weights: of_keras(sample.beside[sample.weights], value)}
            sample, name = replace(sample, beside=beside), "conv_weight"  # noqa: PLW2901
        elif sample.format == "Keras":
            members = members_of(sample.content)
            members["model.weights.h5"] = of_keras(members["model.weights.h5"], value)
            sample, name = replace(sample, content=zip_of(list(members.items()))), "conv"  # noqa: PLW2901
        if sample.name in ("old.prototxt", "old.caffemodel", "exported.onnx", "traced.onnx"):
            continue
        made[sample.name] = sample, name
    return made


@pytest.mark.parametrize(
    ("value", "words"), [(np.nan, "1 NaN of"), (np.inf, "1 infinite of"), (-np.inf, "1 infinite of")]
)
def test_it_is_refused_by_name_in_every_format(value: float, words: str, tmp_path: Path) -> None:
    tried = set()
    for number, (sample, name) in enumerate(files(value, tmp_path).values()):
        home = tmp_path / str(number)
        home.mkdir()
        file = sample.put(home)
        file.write_bytes(sample.content)
        with pytest.raises((WeightsError, ModelFileError), match=f"x .*{name}.*: {words} ") as caught:
            sample.open(file)
        assert any(one in str(caught.value) for one in (file.name, *sample.beside)), sample.name
        tried.add(sample.format)
    assert tried == READ


def put(folder: Path, contents: Contents, name: str) -> Path:
    formats.write(folder / "net-symbol.json", replace(small_network(), weights=None))
    formats.write(folder / name, contents)
    return folder / name


@pytest.mark.parametrize("suffix", [".safetensors", ".params"])
def test_what_overflows_half_or_single_precision_is_refused(suffix: str, tmp_path: Path) -> None:
    with np.errstate(over="ignore"):
        half = put(tmp_path, small("head_weight", 70_000, "f2"), f"half{suffix}")
    with pytest.raises(
        WeightsError, match=r"head_weight: 1 infinite of 12 numbers\ni Half precision .* ends at 65,504"
    ):
        mxnetwork(tmp_path / "net-symbol.json", weights=half)
    double = put(tmp_path, small("head_weight", 1e300, "f8"), f"double{suffix}")
    with pytest.raises(WeightsError, match="head_weight: 1 infinite of 12 numbers"):
        mxnetwork(tmp_path / "net-symbol.json", weights=double)


def test_numbers_that_are_almost_nothing_are_weights(tmp_path: Path) -> None:
    file = put(tmp_path, small("head_weight", 1e-42), "w.safetensors")
    network = mxnetwork(tmp_path / "net-symbol.json", weights=file)
    assert 0 < network.params["head_weight"].reshape(-1)[1] < 1e-41


def test_arrays_and_models_that_are_given_are_looked_at_too(tmp_path: Path) -> None:
    formats.write(tmp_path / "net-symbol.json", replace(small_network(), weights=None))
    bad = small("norm_moving_var", np.nan)
    with pytest.raises(WeightsError, match="norm_moving_var: 1 NaN of 4 numbers"):
        mxnetwork(tmp_path / "net-symbol.json", weights=bad.weights)
    with pytest.raises(WeightsError, match=r"norm_moving_var: a variance of -1, below zero"):
        mxnetwork(tmp_path / "net-symbol.json", weights=small("norm_moving_var", -1).weights)
    formats.write(tmp_path / "m.mxt", bad)
    with pytest.raises(ModelFileError, match="norm_moving_var: 1 NaN of 4 numbers"):
        mxload(tmp_path / "m.mxt")
    with pytest.raises(ModelFileError, match="norm_moving_var"):
        mxt.load((tmp_path / "m.mxt").read_bytes())


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_a_number_of_a_layer_is_looked_at_too(number: str, tmp_path: Path) -> None:
    """Such as what an exporter makes a constant's number: not in the weights, but in the graph."""
    text = ('{"nodes": [{"op": "null", "name": "data", "inputs": []}, {"op": "_mul_scalar", "name": "scaled", '
            f'"attrs": {{"scalar": "{number}"}}, "inputs": [[0, 0, 0]]}}], "heads": [[1, 0, 0]]}}')  # fmt: skip
    (tmp_path / "x-symbol.json").write_text(text)
    with pytest.raises(NetworkError, match=f"scaled .*scalar is {number}"):
        mxnetwork(tmp_path / "x-symbol.json", weights="random")
    layers = 'layer { name: "r" type: "Power" bottom: "x" top: "y" power_param { scale: %s } }' % number  # noqa: UP031
    (tmp_path / "x.prototxt").write_text(f'input: "x" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8 {layers}')
    with pytest.raises(NetworkError, match=r"r_scale .*scalar is"):
        mxnetwork(tmp_path / "x.prototxt", weights="random")
