"""A network's weights, ``.caffemodel``: arrays by the names that the parameters have in the graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._protobuf import Field, parse
from ..untrusted import FaultError, is_too_large
from .net import LOSSES, MEASURES, SOURCES, Layer, images_of, kind_of_v1, scaled

_SHAPE = {1: Field("dim", "int", repeated=True)}
_BLOB = {
    1: Field("num", "int"), 2: Field("channels", "int"), 3: Field("height", "int"), 4: Field("width", "int"),
    5: Field("data", "float", repeated=True), 7: Field("shape", _SHAPE), 8: Field("doubles", "double", repeated=True),
}  # fmt: skip
_LAYER = {
    1: Field("name", "text"), 2: Field("kind", "text"), 3: Field("bottoms", "text", repeated=True),
    4: Field("tops", "text", repeated=True), 7: Field("blobs", _BLOB, repeated=True),
    106: Field("convolution", {5: Field("groups", "int")}), 117: Field("dense", {6: Field("transpose", "int")}),
}  # fmt: skip
_LAYER_V1 = {
    1: Field("first", "bytes"), 2: Field("bottoms", "text", repeated=True), 3: Field("tops", "text", repeated=True),
    4: Field("name", "text"), 5: Field("number", "int"), 6: Field("blobs", _BLOB, repeated=True),
    10: Field("convolution", {5: Field("groups", "int")}),
}  # fmt: skip
_NET = {
    2: Field("old", _LAYER_V1, repeated=True), 3: Field("inputs", "text", repeated=True),
    100: Field("layers", _LAYER, repeated=True),
}  # fmt: skip
# The numbers that the types of layers have in files of before 2014
_NUMBERS = {
    35: "ABSVAL", 1: "ACCURACY", 30: "ARGMAX", 2: "BNLL", 3: "CONCAT", 37: "CONTRASTIVE_LOSS", 4: "CONVOLUTION",
    5: "DATA", 39: "DECONVOLUTION", 6: "DROPOUT", 32: "DUMMY_DATA", 7: "EUCLIDEAN_LOSS", 25: "ELTWISE", 38: "EXP",
    8: "FLATTEN", 9: "HDF5_DATA", 28: "HINGE_LOSS", 12: "IMAGE_DATA", 13: "INFOGAIN_LOSS", 14: "INNER_PRODUCT",
    15: "LRN", 29: "MEMORY_DATA", 16: "MULTINOMIAL_LOGISTIC_LOSS", 17: "POOLING", 26: "POWER", 18: "RELU",
    19: "SIGMOID", 27: "SIGMOID_CROSS_ENTROPY_LOSS", 36: "SILENCE", 33: "SLICE", 20: "SOFTMAX", 21: "SOFTMAX_LOSS",
    22: "SPLIT", 23: "TANH", 24: "WINDOW_DATA",
}  # fmt: skip
_BY_CHANNEL = frozenset({"BatchNorm", "Scale", "Bias", "PReLU"})
_WITHOUT_ORDER = frozenset({"Power", "ReLU", "Dropout", "Split", "Pooling", "Exp", "Log", "AbsVal", "TanH", "Sigmoid"})
_CONVOLUTIONS = frozenset({"Convolution", "DepthwiseConvolution", "ConvolutionDepthwise", "Deconvolution"})
_SLOTS = {
    **dict.fromkeys((*_CONVOLUTIONS, "InnerProduct"), ("weight", "bias")),
    "Scale": ("gamma", "beta"),
    "Bias": ("beta",),
    "PReLU": ("gamma",),
}

Arrays = dict[str, NDArray[np.float32]]


def arrays_of(content: memoryview) -> Arrays:
    """The parameters in a file of weights.

    Caffe's networks take blue, green and red; the weights of the first layer are turned round, so that these take red,
    green and blue.

    Raises
    ------
    FaultError
        It is damaged or hostile, or has layers whose parameters are not known.
    """
    net = parse(content, _NET)
    if any(len(one.first) for one in net.old):
        raise FaultError("it is of Caffe's first version", "Convert it with Caffe's upgrade_net_proto_binary.")
    for one in net.old:
        one.kind, one.dense = kind_of_v1(_NUMBERS.get(one.number, f"number {one.number}")), None
    raw = [*net.layers, *net.old]
    layers = [Layer(one.name, one.kind, tuple(one.bottoms), tuple(one.tops)) for one in raw]
    if not any(len(one.blobs) for one in raw):
        raise FaultError("it has no weights")
    scales, reversed_layers = scaled(layers), set(_in_reverse(layers, net.inputs))
    arrays: Arrays = {}
    for one, layer in zip(raw, layers):
        for name, array in _parameters(layer, [_array(layer, blob) for blob in one.blobs], one.dense, scales):
            if name in arrays:
                raise FaultError(f"{name}: it occurs twice")
            groups = 1 if one.convolution is None else one.convolution.groups
            arrays[name] = _turned(layer, name, array, groups) if layer.name in reversed_layers else array
    return arrays


def _array(layer: Layer, blob: SimpleNamespace) -> NDArray[np.float32]:
    values = blob.data if len(blob.data) else blob.doubles
    legacy = (blob.num, blob.channels, blob.height, blob.width)
    shape = tuple(int(side) for side in blob.shape.dim) if blob.shape is not None else legacy
    if any(side < 0 for side in shape) or is_too_large(shape):
        raise FaultError(f"{layer.name}: it has an array of an impossible shape")
    if prod(shape) != len(values):
        raise FaultError(f"{layer.name}: it has {len(values):,} numbers for a shape of {list(shape)}")
    return np.array(values, np.float32).reshape(shape)


def _parameters(
    layer: Layer, blobs: list[NDArray[np.float32]], dense: Any, scales: dict[str, str]
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The parameters of a layer by name, in the shapes that the graph needs."""
    if not blobs:
        return
    if layer.kind == "BatchNorm":
        yield from _statistics(layer, blobs, alone=layer.name not in scales)
        return
    slots = _SLOTS.get(layer.kind)
    if slots is None or len(blobs) > len(slots):
        raise FaultError(f"{layer.name}: {len(blobs)} arrays of a layer of type {layer.kind} are not known")
    for slot, blob in zip(slots, blobs):
        if slot == "weight" and layer.kind == "InnerProduct":
            matrix = blob.reshape(blob.shape[-2:] if blob.ndim >= 2 and prod(blob.shape[:-2]) == 1 else blob.shape)
            turned = dense is not None and dense.transpose
            yield f"{layer.name}_weight", np.ascontiguousarray(matrix.T if turned else matrix)
        elif slot == "weight":
            yield f"{layer.name}_weight", blob
        elif layer.kind in ("Scale", "Bias") and layer.name not in scales.values():
            yield f"{layer.name}_{slot}", blob.reshape(1, -1, 1, 1)
        else:
            yield f"{layer.name}_{slot}", blob.reshape(-1)
    if layer.name in scales.values() and len(blobs) == 1:
        yield f"{layer.name}_beta", np.zeros(blobs[0].size, np.float32)


def _statistics(
    layer: Layer, blobs: list[NDArray[np.float32]], alone: bool
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Mean and variance, which Caffe keeps as sums with a factor; gamma and beta, where no Scale has them."""
    if len(blobs) != 3 or blobs[2].size != 1 or blobs[0].size != blobs[1].size:
        raise FaultError(f"{layer.name}: its arrays are not a mean, a variance and a factor")
    factor = float(blobs[2].reshape(-1)[0])
    for name, blob in zip(("moving_mean", "moving_var"), blobs):
        yield f"{layer.name}_{name}", blob.reshape(-1) * np.float32(1 / factor if factor else 0)
    if alone:
        yield f"{layer.name}_gamma", np.ones(blobs[0].size, np.float32)
        yield f"{layer.name}_beta", np.zeros(blobs[0].size, np.float32)


def _in_reverse(layers: Sequence[Layer], declared: Sequence[str]) -> Iterator[str]:
    """The layers whose parameters see the image's channels, blue first."""
    blue_first = images_of(layers, declared)
    for layer in layers:
        sees = bool(blue_first & set(layer.bottoms))
        if layer.kind in SOURCES | LOSSES | MEASURES or not sees:
            if layer.kind not in SOURCES:
                blue_first -= set(layer.tops)
            continue
        keeps = layer.kind in _BY_CHANNEL | _WITHOUT_ORDER
        if not keeps and layer.kind not in _CONVOLUTIONS | {"InnerProduct"}:
            raise FaultError(f"{layer.name}: a {layer.kind} of the image itself is not supported")
        if layer.kind not in _WITHOUT_ORDER:
            yield layer.name
        blue_first = blue_first | set(layer.tops) if keeps else blue_first - set(layer.tops)


def _turned(layer: Layer, name: str, array: NDArray[np.float32], groups: int) -> NDArray[np.float32]:
    """A parameter that takes red, green and blue; unchanged for grey images."""
    if layer.kind == "InnerProduct" and name.endswith("_weight"):
        if array.shape[-1] % 3:
            return array
        raise FaultError(f"{layer.name}: a dense layer on the image itself is not supported")
    if layer.kind in (*_CONVOLUTIONS, "InnerProduct"):
        if not name.endswith("_weight"):
            return array
        if groups > 1 or layer.kind != "Convolution":
            raise FaultError(f"{layer.name}: a {layer.kind} of the image itself in {groups} groups is not supported")
        return np.ascontiguousarray(array[:, ::-1])
    axis = 1 if array.ndim == 4 else 0
    return np.ascontiguousarray(np.flip(array, axis)) if array.shape[axis] == 3 else array
