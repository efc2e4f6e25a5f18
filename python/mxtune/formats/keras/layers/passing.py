"""Layers that do something in training alone, or nothing."""

from __future__ import annotations

import numpy as np

from ...onnx.operators import Value
from ...untrusted import FaultError
from ..building import Building, One, first
from ..config import Layer
from ..hdf5 import Array
from .base import register

_AUGMENTATION = tuple(
    f"Random{kind}"
    for kind in (
        "Brightness", "ColorDegeneration", "ColorJitter", "Contrast", "ElasticTransform", "Erasing", "Flip",
        "GaussianBlur", "Grayscale", "Height", "Hue", "Invert", "Perspective", "Posterization", "Rotation",
        "Saturation", "Sharpness", "Shear", "Translation", "Width", "Zoom",
    )
)  # fmt: skip


@register(
    "ActivityRegularization", "GaussianNoise", "GaussianDropout", "AlphaDropout", "Identity", "StochasticDepth",
    "DropPath", "MixUp", "CutMix", "RandAugment", "AugMix", "Masking", *_AUGMENTATION,
)  # fmt: skip
def _unchanged(net: Building, one: One, inputs: list[Value]) -> Value:
    return inputs[0]


@register("Dropout")
def _dropped(net: Building, one: One, inputs: list[Value]) -> Value:
    x, shared = inputs[0], one.get("noise_shape")
    if isinstance(shared, list) and len(shared) == len(x.shape):  # one draw for all along the axes with a 1
        axes = tuple(sorted(at for at, side in zip(x.axes, shared) if side == 1))
        return _dropout(net, one, x, axes)
    return _dropout(net, one, x, ())


@register("SpatialDropout2D")
def _dropped_maps(net: Building, one: One, inputs: list[Value]) -> Value:
    return _dropout(net, one, inputs[0], (2, 3))


def _dropout(net: Building, one: One, x: Value, axes: tuple[int, ...]) -> Value:
    rate = one.number("rate", 0.5)
    never = net.version < (3,) and one.call.named.get("training") is False  # Keras 3 notes that of every call
    return net.writer.same(x, "Dropout", one.name, p=rate, axes=axes or None) if rate and not never else x


@register("Resizing", "CenterCrop", "RandomCrop")
def _resized(net: Building, one: One, inputs: list[Value]) -> Value:
    """The size that is made of every image: images come in that size."""
    sides = first(inputs[0], one.is_first(net)).shape[2:]
    if sides != (one.whole("height", 0), one.whole("width", 0)):
        raise FaultError("it resizes what is no image, or an image a second time")
    return inputs[0]


@register("Rescaling")
def _rescaled(net: Building, one: One, inputs: list[Value]) -> Value:
    scale, offset = (_numbers(one, name, default) for name, default in (("scale", 1.0), ("offset", 0.0)))
    y = net.op("Mul", one.name, inputs[0], scale)
    return net.op("Add", f"{one.name}_shifted", y, offset)


def _numbers(one: One, name: str, default: float) -> Array:
    value = one.get(name, default)
    if isinstance(value, dict) and isinstance(value.get("config"), dict):
        value = value["config"].get("value")
    array = np.asarray(value, np.float32)
    if array.ndim > 4 or not np.isfinite(array).all():
        raise FaultError(f"its {name} is no number")
    return array


def _gamma(layer: Layer) -> tuple[str, ...]:
    return ("gamma",)


@register("LayerScale", slots=_gamma)
def _layer_scale(net: Building, one: One, inputs: list[Value]) -> Value:
    return net.op("Mul", one.name, inputs[0], one.arrays["gamma"])
