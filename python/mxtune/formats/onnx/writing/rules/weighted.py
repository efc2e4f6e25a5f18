"""Convolutions, dense layers and other products."""

from __future__ import annotations

from typing import Any

from ....untrusted import FaultError
from ..layers import Layer, rule, sides_of


@rule("Convolution", "Deconvolution")
def _convolution(layer: Layer) -> None:
    values = layer.values
    more: dict[str, Any] = {}
    if layer.node.operator.name == "Deconvolution":
        if any(values.target_shape or ()):
            raise FaultError("its target_shape has no equivalent")
        more = {"output_padding": values.adj or (0,) * len(values.kernel)}
    layer.write(
        "ConvTranspose" if more else "Conv",
        kernel_shape=values.kernel,
        strides=sides_of(values, "stride", 1),
        pads=sides_of(values, "pad", 0) * 2,
        dilations=sides_of(values, "dilate", 1),
        group=values.num_group,
        **more,
    )


@rule("FullyConnected")
def _dense(layer: Layer) -> None:
    x, *parts = layer.inputs
    rank = len(layer.shape())
    if layer.values.flatten or rank == 2:
        flat = layer.step("Flatten", "flat", [x], axis=1) if rank != 2 else x
        layer.write("Gemm", [flat, *parts], transB=1)
        return
    product = [x, layer.step("Transpose", "turned", parts[:1], perm=(1, 0))]
    if layer.values.no_bias:
        layer.write("MatMul", product)
    else:
        layer.write("Add", [layer.step("MatMul", "product", product), parts[1]])


@rule("dot", "batch_dot")
def _product(layer: Layer) -> None:
    sides = layer.inputs
    if layer.node.operator.name == "dot" and any(len(layer.shape(place)) != 2 for place in (0, 1)):
        raise FaultError("a product of arrays with more than two axes has no equivalent")
    for place, name in enumerate(("transpose_a", "transpose_b")):
        if getattr(layer.values, name):
            rank = len(layer.shape(place))
            perm = (*range(rank - 2), rank - 1, rank - 2)
            sides[place] = layer.step("Transpose", name, [sides[place]], perm=perm)
    layer.write("MatMul", sides)
