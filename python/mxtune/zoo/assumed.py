"""How images are prepared if a network's file does not specify it: as for ImageNet, at a size that fits the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional

from ..errors import NetworkError
from ..formats import Weights
from ..graph import Graph
from ..images.preprocess import CHANNELS, Preprocess
from ..network import Network
from . import imagenet

_SIZES = (224, 28, 32, 48, 64, 96, 112, 128, 160, 192, 227, 240, 256, 299, 300, 331, 380, 384, 512)


def assumed_preprocess(graph: Graph, weights: Weights, requested: Mapping[str, Any]) -> Preprocess:
    """The requested settings, and for the rest those of ImageNet.

    A network with dense layers takes one size of image only: the first common one at which these weights fit.

    Parameters
    ----------
    weights
        Under the names of the graph; empty where there are none.
    requested
        Settings of `Preprocess`.
    """
    channels = requested.get("channels") or _channels(graph, weights) or 3
    preprocess = replace(imagenet(channels=channels), **requested)
    if "size" in requested or not weights:
        return preprocess
    at_sizes = (replace(preprocess, size=(size, size)) for size in _SIZES)
    return next((one for one in at_sizes if _fits(Network(graph, weights, {}, one))), preprocess)


def _fits(network: Network) -> bool:
    try:
        network.check()
    except NetworkError:
        return False
    return True


def _channels(graph: Graph, weights: Weights) -> Optional[int]:
    """The channels of the images, where the input's own attribute or the first layer's weights say."""
    for name in graph.inputs:
        shape = graph.node(name).declared_shape or ()
        candidates = [shape[1]] if len(shape) == 4 else []
        for node in graph.consumers[name]:
            first = weights.get(node.inputs[1][0]) if len(node.inputs) > 1 else None
            if first is not None and node.has_role("batchnorm"):
                candidates.append(first.size)
            if first is not None and node.has_role("convolution") and first.ndim == 4:
                candidates.append(first.shape[1] * node.values.num_group)
        if candidates and candidates[0] in CHANNELS:
            return candidates[0]
    return None
