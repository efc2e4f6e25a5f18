"""Weights that nothing can be computed with are refused by name, wherever they come in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mxtune import Model, mxexample, mximages, mxload, mxnetwork, mxtrain
from mxtune.errors import ModelFileError, WeightsError
from mxtune.formats.params import write_params
from mxtune.network import Network

IMAGES = mximages(mxexample("fashion")).take(range(0, 400, 8))


@pytest.fixture(scope="module")
def lite() -> Network:
    return mxnetwork("efficientnet_lite0", image_size=48)


def with_value(net: Network, name: str, value: float) -> Network:
    array = net.params[name].copy()
    array.flat[0] = value
    return replace(net, params={**net.params, name: array})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("block3a_expand_bn_moving_var", np.inf, "1 infinite of 144 numbers"),
        ("block3a_expand_bn_moving_var", -0.5, "a variance of -0.5, below zero"),
        ("block3a_dwconv_weight", np.nan, "1 NaN of 3600 numbers"),
        ("block3a_dwconv_weight", -np.inf, "1 infinite of 3600 numbers"),
    ],
)
def test_no_training_starts_from_them(lite: Network, name: str, value: float, words: str) -> None:
    with pytest.raises(WeightsError) as caught:
        mxtrain(IMAGES, net=with_value(lite, name, value), tune="head", verbose=0)
    assert caught.value.bullets == (f"{name}: {words}",)


def test_a_mean_below_zero_is_a_mean(lite: Network) -> None:
    assert min(array.min() for name, array in lite.params.items() if name.endswith("moving_mean")) < 0
    assert mxtrain(IMAGES, net=lite, tune="head", verbose=0).metrics


def test_no_file_of_weights_brings_them(tmp_path: Path) -> None:
    params = mxnetwork("lenet").params
    write_params(tmp_path / "w.params", {**params, "fc1_bias": np.full(500, np.nan, "float32")})
    with pytest.raises(WeightsError, match=r"w\.params contain .*\nx fc1_bias: 500 NaN of 500 numbers"):
        mxnetwork("lenet", weights=tmp_path / "w.params")


def test_an_overflow_of_half_precision_is_called_so(tmp_path: Path) -> None:
    params = mxnetwork("lenet").params
    with np.errstate(over="ignore"):
        half = {name: (array * 1e6).astype("float16") for name, array in params.items()}
    write_params(tmp_path / "w.params", half)
    with pytest.raises(WeightsError, match=r"fc1_weight: .* infinite of 400000(.*\n)*i Half precision .* 65,504"):
        mxnetwork("lenet", weights=tmp_path / "w.params")


def test_no_model_file_brings_them(tmp_path: Path) -> None:
    model: Model = mxtrain(IMAGES, net="lenet", epochs=1, verbose=0)
    model.network.params["head_weight"][3] = np.nan
    model.save(tmp_path / "nan.mxt")
    with pytest.raises(ModelFileError, match="head_weight: 500 NaN of 5000 numbers"):
        mxload(tmp_path / "nan.mxt")
