"""What a Caffe network is, whichever of its files it was read from: a row of layers between named blobs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .text import Message

SOURCES = frozenset({"Input", "Data", "ImageData", "MemoryData", "HDF5Data", "WindowData", "DummyData"})
LOSSES = frozenset(
    {"SoftmaxWithLoss", "SigmoidCrossEntropyLoss", "EuclideanLoss", "HingeLoss", "MultinomialLogisticLoss",
     "InfogainLoss", "ContrastiveLoss"}
)  # fmt: skip
MEASURES = frozenset({"Accuracy", "Silence", "ArgMax"})

_OF_V1 = {
    "ABSVAL": "AbsVal", "BNLL": "BNLL", "CONCAT": "Concat", "CONVOLUTION": "Convolution", "DATA": "Data",
    "DECONVOLUTION": "Deconvolution", "DROPOUT": "Dropout", "ELTWISE": "Eltwise", "EUCLIDEAN_LOSS": "EuclideanLoss",
    "EXP": "Exp", "FLATTEN": "Flatten", "HDF5_DATA": "HDF5Data", "HINGE_LOSS": "HingeLoss", "IMAGE_DATA": "ImageData",
    "INFOGAIN_LOSS": "InfogainLoss", "INNER_PRODUCT": "InnerProduct", "LRN": "LRN", "MEMORY_DATA": "MemoryData",
    "MULTINOMIAL_LOGISTIC_LOSS": "MultinomialLogisticLoss", "POOLING": "Pooling", "POWER": "Power", "RELU": "ReLU",
    "SIGMOID": "Sigmoid", "SIGMOID_CROSS_ENTROPY_LOSS": "SigmoidCrossEntropyLoss", "SILENCE": "Silence",
    "SLICE": "Slice", "SOFTMAX": "Softmax", "SOFTMAX_LOSS": "SoftmaxWithLoss", "SPLIT": "Split", "TANH": "TanH",
    "ACCURACY": "Accuracy", "ARGMAX": "ArgMax", "WINDOW_DATA": "WindowData", "DUMMY_DATA": "DummyData",
    "CONTRASTIVE_LOSS": "ContrastiveLoss",
}  # fmt: skip


def kind_of_v1(name: str) -> str:
    """Today's name of a type of layer that is called by its old one, as files before 2014 do."""
    return _OF_V1.get(name, name)


@dataclass(frozen=True)
class Layer:
    """One layer.

    Parameters
    ----------
    name, kind
        Its name, and its type: ``"Convolution"``.
    bottoms, tops
        The blobs that it takes and makes; a layer that works in place has one name for both.
    fields
        All that a description says of it.
    """

    name: str
    kind: str
    bottoms: tuple[str, ...] = ()
    tops: tuple[str, ...] = ()
    fields: Message = field(default_factory=dict)

    def message(self, name: str) -> Message:
        """One of its messages, such as ``convolution_param``; empty if it is not there."""
        values = [value for value in self.fields.get(name, []) if isinstance(value, dict)]
        return values[0] if values else {}

    @property
    def settings(self) -> Message:
        """The message of its type: ``inner_product_param`` of an ``InnerProduct``."""
        words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", self.kind).lower()
        return self.message({"re_lu": "relu_param", "tan_h": "tanh_param", "p_re_lu": "prelu_param"}.get(
            words, f"{words}_param"))  # fmt: skip


def one(message: Message, name: str, default: Any) -> Any:
    """The last value of a field, as protocol buffers have it, or the default."""
    values = message.get(name, [])
    return values[-1] if values else default


def scaled(layers: Sequence[Layer]) -> dict[str, str]:
    """For each BatchNorm that a Scale follows, and nothing else: that Scale. Together they are one batch normalisation.

    Caffe's BatchNorm has no gamma and beta; they are in a layer of their own.
    """
    maker: dict[str, Layer] = {}
    pairs, users = {}, Counter[str]()
    for layer in layers:
        for bottom in layer.bottoms:
            source = maker.get(bottom)
            if source is None:
                continue
            users[source.name] += 1
            alone = layer.kind == "Scale" and len(layer.bottoms) == 1 and one(layer.settings, "axis", 1) == 1
            if source.kind == "BatchNorm" and alone:
                pairs[source.name] = layer.name
        maker.update(dict.fromkeys(layer.tops, layer))
    return {norm: scale for norm, scale in pairs.items() if users[norm] == 1}


def images_of(layers: Sequence[Layer], declared: Iterable[str] = ()) -> set[str]:
    """The blobs that hold images: what is declared as input or a layer of data makes first; otherwise what the first
    layer takes."""
    images = {*declared, *(layer.tops[0] for layer in layers if layer.kind in SOURCES and layer.tops)}
    first = next((layer.bottoms[0] for layer in layers if layer.bottoms), None)
    return images or ({first} if first else set())
