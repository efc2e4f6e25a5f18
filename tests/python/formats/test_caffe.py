"""Caffe's networks: the numbers are OpenCV's (tests/shared/formats/make_caffe.py), the refusals name the layer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from mxtune import mxnetwork
from mxtune.engines import Program, choose
from mxtune.errors import NetworkError, WeightsError
from mxtune.formats.caffe import text
from mxtune.formats.untrusted import FaultError

SHARED = Path(__file__).resolve().parents[2] / "shared"
SAMPLES = SHARED / "formats"
INPUT = 'name: "net" input: "data" input_dim: 1 input_dim: 3 input_dim: 20 input_dim: 20\n'


@pytest.mark.parametrize("name", ["modern", "old"])
def test_logits_are_those_of_opencv(name: str) -> None:
    network = mxnetwork(SAMPLES / f"{name}.prototxt")
    images = np.random.default_rng(3).integers(0, 256, (2, 21, 21, 3)).astype(np.uint8)
    logits = choose("cpu", "auto").bind(Program.of(network)).predict(images)
    truth = np.array(json.loads((SHARED / "caffe_logits.json").read_text())[name])
    np.testing.assert_allclose(logits, truth, atol=1e-5 * np.abs(truth).max())


def test_a_batchnorm_and_its_scale_are_one_layer() -> None:
    network = mxnetwork(SAMPLES / "modern.prototxt")
    inputs = [name for name, _ in network.graph.node("bn").inputs]
    assert inputs == ["conv", "scale_gamma", "scale_beta", "bn_moving_mean", "bn_moving_var"]
    assert "scale" not in network.graph
    assert network.classifier == "out"


def test_images_are_prepared_as_caffe_has_it_in_red_green_blue() -> None:
    preprocess = mxnetwork(SAMPLES / "old.prototxt").preprocess
    assert (preprocess.size, preprocess.mean, preprocess.std) == ((21, 21), (123, 117, 104), (1, 1, 1))


def test_what_a_description_says_of_its_data_holds(tmp_path: Path) -> None:
    file = tmp_path / "train_val.prototxt"
    file.write_text("""
        layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TRAIN } }
        layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TEST }
                transform_param { crop_size: 12 mean_value: 1 mean_value: 2 mean_value: 3 scale: 0.5 } }
        layer { name: "fc" type: "Convolution" bottom: "data" top: "fc"
                convolution_param { num_output: 3 kernel_size: 12 } }
        layer { name: "top5" type: "Accuracy" bottom: "fc" bottom: "label" top: "top5" }
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" }
    """)
    network = mxnetwork(file, weights="random")
    assert (network.preprocess.size, network.preprocess.mean, network.preprocess.std) == (
        (12, 12),
        (3, 2, 1),
        (2, 2, 2),
    )
    assert network.graph.heads == (("fc", 0),)


def test_weights_are_found_beside_or_given(tmp_path: Path) -> None:
    for suffix in ("prototxt", "caffemodel"):
        shutil.copy(SAMPLES / f"old.{suffix}", tmp_path / f"deploy.{suffix}")
    beside = mxnetwork(tmp_path / "deploy.prototxt")
    given = mxnetwork(tmp_path / "deploy.prototxt", weights=SAMPLES / "old.caffemodel")
    assert beside.params["fc_weight"].tobytes() == given.params["fc_weight"].tobytes()
    with pytest.raises(WeightsError, match="match this network"):
        mxnetwork(tmp_path / "deploy.prototxt", weights=SAMPLES / "modern.caffemodel")
    (tmp_path / "deploy.caffemodel").unlink()
    with pytest.raises(WeightsError, match="no file of weights next to"):
        mxnetwork(tmp_path / "deploy.prototxt")


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        ('type: "Python" python_param { module: "os" layer: "system" }', "layers of type Python are not supported"),
        ('type: "LRN" lrn_param { norm_region: WITHIN_CHANNEL }', "within channels"),
        ('type: "Pooling" pooling_param { pool: STOCHASTIC kernel_size: 2 }', "pools by STOCHASTIC"),
        ('type: "Pooling" pooling_param { pool: MAX }', "its kernel is missing"),
        ('type: "Convolution" convolution_param { num_output: 99999999 kernel_size: 3 }', "num_filter"),
        ('type: "Convolution" convolution_param { num_output: 4 kernel_size: 30 }', "larger than its input"),
        ('type: "Convolution" convolution_param { num_output: 4 kernel_size: "x" }', "whole numbers"),
        ('type: "Eltwise" eltwise_param { operation: SUM }', "do not fit 1 inputs"),
        ('type: "Reshape" reshape_param { shape { dim: 7 dim: -1 } }', "leaves the images of a batch apart"),
    ],
)
def test_what_is_not_supported_names_its_layer(layer: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "net.prototxt"
    file.write_text(INPUT + f'layer {{ name: "odd" bottom: "data" top: "odd" {layer} }}\n')
    with pytest.raises(NetworkError, match=reason) as caught:
        mxnetwork(file, weights="random")
    assert "odd" in str(caught.value)


def test_a_blob_that_nothing_makes_is_named(tmp_path: Path) -> None:
    file = tmp_path / "net.prototxt"
    file.write_text(INPUT + 'layer { name: "a" type: "ReLU" bottom: "elsewhere" top: "a" }')
    with pytest.raises(NetworkError, match="takes elsewhere, which no layer before it makes"):
        mxnetwork(file, weights="random")


@pytest.mark.parametrize(
    "content", ["layer { name: 'x'", "layer: }", 'name: "a\nb"', "layer { a: [1, 2 }", "{" * 100, "a {" * 100, "a: 1 @"]
)
def test_text_that_is_no_description_is_refused_with_its_line(content: str) -> None:
    with pytest.raises(FaultError, match=r"line|nested"):
        text.parse("# first line\n" + content)


def test_strings_have_the_escapes_of_protocol_buffers() -> None:
    content = r"""name: "a\"b\x41\101\n\d" 'c\\' """
    assert text.parse(content) == {"name": ['a"bAA\ndc\\']}
