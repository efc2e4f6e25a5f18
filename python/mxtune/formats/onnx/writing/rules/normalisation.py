"""Normalisation."""

from __future__ import annotations

import numpy as np

from ..layers import Layer, rule


@rule("BatchNorm")
def _batchnorm(layer: Layer) -> None:
    if layer.values.fix_gamma:
        gamma = layer.file.arrays[layer.inputs[1]]
        layer.file.arrays[layer.inputs[1]] = np.ones_like(gamma)
    layer.write("BatchNormalization", epsilon=float(layer.values.eps))


@rule("LayerNorm")
def _layernorm(layer: Layer) -> None:
    rank, axis = len(layer.shape()), layer.axis(layer.values.axis)
    epsilon = float(layer.values.eps)
    if axis == rank - 1:
        layer.write("LayerNormalization", axis=-1, epsilon=epsilon)
        return
    perm = (*(place for place in range(rank) if place != axis), axis)
    back = tuple(perm.index(place) for place in range(rank))
    x, *parts = layer.inputs
    turned = layer.step("Transpose", "turned", [x], perm=perm)
    normed = layer.step("LayerNormalization", "normed", [turned, *parts], axis=-1, epsilon=epsilon)
    layer.write("Transpose", [normed], perm=back)


@rule("InstanceNorm")
def _instancenorm(layer: Layer) -> None:
    layer.write("InstanceNormalization", epsilon=float(layer.values.eps))


@rule("LRN")
def _lrn(layer: Layer) -> None:
    values = layer.values
    layer.write("LRN", size=values.nsize, alpha=float(values.alpha), beta=float(values.beta), bias=float(values.knorm))
