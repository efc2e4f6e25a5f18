"""Writes the Caffe networks of this folder, and what OpenCV computes with them.

    python tests/shared/formats/make_caffe.py      (with opencv-python-headless<5, which still reads Caffe's files)

A network with every layer that both know, in the layout of today and in that of before 2014.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

HERE = Path(__file__).parent
SIZE = 21
MODERN = """
name: "modern"
input: "data"
input_shape { dim: 1 dim: 3 dim: 21 dim: 21 }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 8 kernel_size: 3 pad: 1 stride: 1 bias_term: false } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" batch_norm_param { eps: 1e-4 } }
layer { name: "scale" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" relu_param { negative_slope: 0.1 } }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool"
  pooling_param { pool: MAX kernel_size: 2 stride: 2 pad: 1 } }
layer { name: "grouped" type: "Convolution" bottom: "pool" top: "grouped"
  convolution_param { num_output: 8 kernel_h: 3 kernel_w: 5 pad_h: 1 pad_w: 2 stride: 1 group: 4 } }
layer { name: "alone" type: "BatchNorm" bottom: "grouped" top: "alone" }
layer { name: "prelu" type: "PReLU" bottom: "alone" top: "alone" }
layer { name: "dilated" type: "Convolution" bottom: "pool" top: "dilated"
  convolution_param { num_output: 8 kernel_size: 3 pad: 2 dilation: 2 } }
layer { name: "elu" type: "ELU" bottom: "dilated" top: "dilated" elu_param { alpha: 0.7 } }
layer { name: "sum" type: "Eltwise" bottom: "alone" bottom: "dilated" bottom: "pool" top: "sum"
  eltwise_param { operation: SUM coeff: 1 coeff: -0.5 coeff: 2 } }
layer { name: "slice" type: "Slice" bottom: "sum" top: "left" top: "right" slice_param { slice_point: 4 } }
layer { name: "product" type: "Eltwise" bottom: "left" bottom: "right" top: "product"
  eltwise_param { operation: PROD } }
layer { name: "most" type: "Eltwise" bottom: "left" bottom: "right" top: "most" eltwise_param { operation: MAX } }
layer { name: "tanh" type: "TanH" bottom: "product" top: "product" }
layer { name: "concat" type: "Concat" bottom: "product" bottom: "most" top: "concat" }
layer { name: "scaled" type: "Scale" bottom: "concat" top: "scaled" scale_param { bias_term: true } }
layer { name: "lrn" type: "LRN" bottom: "scaled" top: "lrn" lrn_param { local_size: 3 alpha: 0.5 beta: 0.75 } }
layer { name: "average" type: "Pooling" bottom: "lrn" top: "average"
  pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 } }
layer { name: "power" type: "Power" bottom: "average" top: "power" power_param { scale: 0.5 shift: 3 power: 2 } }
layer { name: "up" type: "Deconvolution" bottom: "power" top: "up"
  convolution_param { num_output: 4 kernel_size: 4 stride: 2 pad: 1 } }
layer { name: "abs" type: "AbsVal" bottom: "up" top: "up" }
layer { name: "sigmoid" type: "Sigmoid" bottom: "up" top: "up" }
layer { name: "fc" type: "InnerProduct" bottom: "up" top: "fc" inner_product_param { num_output: 6 } }
layer { name: "drop" type: "Dropout" bottom: "fc" top: "fc" dropout_param { dropout_ratio: 0.3 } }
layer { name: "out" type: "InnerProduct" bottom: "fc" top: "out"
  inner_product_param { num_output: 3 bias_term: false } }
layer { name: "prob" type: "Softmax" bottom: "out" top: "prob" }
"""
OLD = """
name: "old"
input: "data" input_dim: 1 input_dim: 3 input_dim: 21 input_dim: 21
layers { name: "conv" type: CONVOLUTION bottom: "data" top: "conv" blobs_lr: 1 weight_decay: 1
  convolution_param { num_output: 6 kernel_size: 5 stride: 2 weight_filler { type: "gaussian" std: 0.01 } } }
layers { name: "relu" type: RELU bottom: "conv" top: "conv" }
layers { name: "norm" type: LRN bottom: "conv" top: "norm" lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 } }
layers { name: "pool" type: POOLING bottom: "norm" top: "pool" pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
layers { name: "left" type: CONVOLUTION bottom: "pool" top: "left" convolution_param { num_output: 4 kernel_size: 1 } }
layers { name: "right" type: CONVOLUTION bottom: "pool" top: "right"
  convolution_param { num_output: 4 kernel_size: 3 pad: 1 group: 2 } }
layers { name: "join" type: CONCAT bottom: "left" bottom: "right" top: "join" concat_param { concat_dim: 1 } }
layers { name: "fc" type: INNER_PRODUCT bottom: "join" top: "fc" inner_product_param { num_output: 3 } }
layers { name: "prob" type: SOFTMAX bottom: "fc" top: "prob" }
"""
Layers = list[tuple[str, Any, list[str], list[str], list[np.ndarray]]]


def varint(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def field(number: int, value: Any) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def blob(array: np.ndarray, legacy: bool) -> bytes:
    data = field(5, array.astype("<f4").tobytes())
    if legacy:
        sides = [1] * (4 - array.ndim) + list(array.shape)
        return b"".join(field(number, side) for number, side in enumerate(sides, 1)) + data
    return field(7, field(1, b"".join(map(varint, array.shape)))) + data


def weights(name: str, layers: Layers, legacy: bool) -> bytes:
    numbers = {"kind": 5, "name": 4, "bottoms": 2, "tops": 3, "blobs": 6} if legacy else {
        "kind": 2, "name": 1, "bottoms": 3, "tops": 4, "blobs": 7}  # fmt: skip
    content = field(1, name)
    for layer, kind, bottoms, tops, blobs in layers:
        parts = [field(numbers["name"], layer), field(numbers["kind"], kind)]
        parts += [field(numbers["bottoms"], one) for one in bottoms] + [field(numbers["tops"], one) for one in tops]
        parts += [field(numbers["blobs"], blob(one, legacy)) for one in blobs]
        content += field(2 if legacy else 100, b"".join(parts))
    return content


def write(name: str, description: str, layers: Layers, legacy: bool) -> list[list[float]]:
    (HERE / f"{name}.prototxt").write_text(description.lstrip())
    (HERE / f"{name}.caffemodel").write_bytes(weights(name, layers, legacy))
    net = cv2.dnn.readNetFromCaffe(str(HERE / f"{name}.prototxt"), str(HERE / f"{name}.caffemodel"))
    images = np.random.default_rng(3).integers(0, 256, (2, SIZE, SIZE, 3)).astype("float32")
    results = []
    for image in images:  # OpenCV fixes the batch; Caffe takes blue first
        net.setInput(
            np.ascontiguousarray((image[..., ::-1] - [104, 117, 123]).transpose(2, 0, 1)[None].astype("float32"))
        )
        results.append(net.forward(net.getLayerNames()[-2])[0].tolist())
    return results


def main() -> None:
    rng = np.random.default_rng(1)

    def some(*shape: int) -> np.ndarray:
        return rng.normal(0, 1 / np.sqrt(np.prod(shape[1:]) or 1), shape).astype("float32")

    def positive(*shape: int) -> np.ndarray:
        return rng.uniform(0.5, 2, shape).astype("float32")

    factor = np.array([2.0], "float32")
    modern: Layers = [
        ("conv", "Convolution", ["data"], ["conv"], [some(8, 3, 3, 3) / 50]),
        ("bn", "BatchNorm", ["conv"], ["conv"], [some(8), positive(8), factor]),
        ("scale", "Scale", ["conv"], ["conv"], [positive(8), some(8)]),
        ("pool", "Pooling", ["conv"], ["pool"], []),
        ("grouped", "Convolution", ["pool"], ["grouped"], [some(8, 2, 3, 5), some(8)]),
        ("alone", "BatchNorm", ["grouped"], ["alone"], [some(8), positive(8), factor]),
        ("prelu", "PReLU", ["alone"], ["alone"], [positive(8) / 4]),
        ("dilated", "Convolution", ["pool"], ["dilated"], [some(8, 8, 3, 3), some(8)]),
        ("concat", "Concat", ["product", "most"], ["concat"], []),
        ("scaled", "Scale", ["concat"], ["scaled"], [positive(8), some(8)]),
        ("power", "Power", ["average"], ["power"], []),
        ("up", "Deconvolution", ["power"], ["up"], [some(8, 4, 4, 4), some(4)]),
        ("fc", "InnerProduct", ["up"], ["fc"], [some(6, 4 * 12 * 12), some(6)]),
        ("out", "InnerProduct", ["fc"], ["out"], [some(3, 6)]),
    ]
    old: Layers = [
        ("conv", 4, ["data"], ["conv"], [some(6, 3, 5, 5) / 50, some(6)]),
        ("left", 4, ["pool"], ["left"], [some(4, 6, 1, 1), some(4)]),
        ("right", 4, ["pool"], ["right"], [some(4, 3, 3, 3), some(4)]),
        ("fc", 14, ["join"], ["fc"], [some(3, 8 * 4 * 4), some(3)]),
    ]
    # `sum`, `slice` and others have no arrays: a file of weights need not name them
    results = {"modern": write("modern", MODERN, modern, False), "old": write("old", OLD, old, True)}
    (HERE.parent / "caffe_logits.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
