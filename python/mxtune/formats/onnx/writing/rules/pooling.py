"""Pooling and resizing."""

from __future__ import annotations

import numpy as np

from ....untrusted import FaultError
from ..layers import Layer, rule, sides_of


@rule("Pooling")
def _pooling(layer: Layer) -> None:
    values, x = layer.values, layer.inputs
    kind = {"max": "Max", "avg": "Average"}.get(values.pool_type)
    if kind is None or values.p_value is not None:
        raise FaultError(f"pooling by {values.pool_type} has no equivalent")
    if values.global_pool:
        layer.write(f"Global{kind}Pool", x)
        return
    more = {"count_include_pad": int(values.count_include_pad is not False)} if kind == "Average" else {}
    layer.write(
        f"{kind}Pool",
        x,
        kernel_shape=values.kernel,
        strides=sides_of(values, "stride", 1),
        pads=sides_of(values, "pad", 0) * 2,
        ceil_mode=int(values.pooling_convention == "full"),
        **more,
    )


@rule("_contrib_AdaptiveAvgPooling2D")
def _adaptive(layer: Layer) -> None:
    before, after = layer.shape()[2:], layer.output_shape[2:]
    if any(n % m for n, m in zip(before, after)):
        raise FaultError("an adaptive pooling with windows of several sizes has no equivalent")
    kernel = [n // m for n, m in zip(before, after)]
    layer.write("AveragePool", kernel_shape=kernel, strides=kernel)


@rule("UpSampling")
def _upsampling(layer: Layer) -> None:
    if layer.values.sample_type != "nearest" or len(layer.inputs) != 1:
        raise FaultError("only the enlarging of one input to its nearest values has an equivalent")
    _resize(layer, "nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")


@rule("_contrib_BilinearResize2D")
def _bilinear(layer: Layer) -> None:
    way = "align_corners" if layer.values.align_corners else "half_pixel"
    _resize(layer, "linear", coordinate_transformation_mode=way)


def _resize(layer: Layer, mode: str, **attributes: str) -> None:
    scales = [1, 1, *(_scale(n, m) for n, m in zip(layer.shape()[2:], layer.output_shape[2:]))]
    layer.write("Resize", [layer.inputs[0], "", layer.constant("scales", scales)], mode=mode, **attributes)


def _scale(before: int, after: int) -> np.float32:
    """The scale by which a side becomes the other, rounded down as readers of ONNX do."""
    scale = np.float32(after / before)
    return scale if int(before * float(scale)) == after else np.nextafter(scale, np.float32(np.inf))
