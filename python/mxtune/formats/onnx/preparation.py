"""How an ONNX file's images are prepared: what it does to them itself, and what its metadata says.

A file may subtract the mean and divide by the standard deviation itself: torchvision's Normalize, Keras' Rescaling,
or what `writing` puts in. That is `Preprocess`'s work here, so these layers are taken off, and nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple, Optional

import numpy as np
from numpy.typing import NDArray

from ...graph import Entry, Graph, Node, subgraph
from ...images.preprocess import Preprocess
from .. import notes

Array = NDArray[np.float64]
_TIMES, _OVER = ("_mul_scalar", "broadcast_mul"), ("_div_scalar", "broadcast_div")
_PLUS, _MINUS = ("_plus_scalar", "broadcast_add"), ("_minus_scalar", "broadcast_sub")


class Affine(NamedTuple):
    """What a file does to each channel: ``(value - mean) / std``."""

    mean: Array
    std: Array


def taken_off(graph: Graph, params: Mapping[str, NDArray[np.float32]], channels: int) -> tuple[Graph, Optional[Affine]]:
    """The graph without the factors and shifts of channels that it begins with; and what these do, if it has any."""
    (image,) = graph.inputs if len(graph.inputs) == 1 else (graph.nodes[0].name,)
    scale, shift = np.ones(channels), np.zeros(channels)
    last, heads = image, {name for name, _ in graph.heads}
    while (step := _only_user(graph, last)) is not None and step.name not in heads:
        values = _values(step, last, params, channels)
        if values is None or not np.isfinite(values).all():
            break
        if step.op in (*_TIMES, *_OVER):
            factor = values if step.op in _TIMES else 1 / np.where(values == 0, np.inf, values)
            scale, shift = scale * factor, shift * factor
        else:
            shift = shift + (values if step.op in _PLUS else -values)
        last = step.name
    if last == image or min(scale) <= 0:
        return graph, None

    def entry(one: Entry) -> Entry:
        return (image, 0) if one[0] == last else one

    nodes = [replace(node, inputs=tuple(map(entry, node.inputs))) for node in graph.nodes]
    return subgraph(Graph(tuple(nodes), graph.heads), graph.heads), Affine(-shift / scale, 1 / scale)


def preprocess_of(
    metadata: Mapping[str, str], own: Optional[Affine], image: tuple[int, int, int], takes_bytes: bool
) -> tuple[Optional[Preprocess], bool]:
    """How images are prepared for the network, as far as the file shows it; and whether it says so for certain.

    Parameters
    ----------
    own
        What the file did itself.
    image
        Channels, height and width of what it takes.
    takes_bytes
        Whether it takes whole numbers: pixels, 0 to 255.
    """
    channels, height, width = image
    stated = notes.preprocess_of(metadata)
    stated = replace(stated, size=(height, width)) if stated and stated.channels == channels else None
    if own is None and not takes_bytes:
        return stated, stated is not None
    mean, std = own or Affine(np.zeros(channels), np.ones(channels))
    if not takes_bytes and stated is not None:  # it takes what is prepared so, and goes on from there
        mean, std = np.array(stated.mean) + np.array(stated.std) * mean, np.array(stated.std) * std
    elif not takes_bytes and max(std) <= 1 and max(abs(mean)) <= 1:  # of values from 0 to 1, as PyTorch has them
        mean, std = 255 * mean, 255 * std
    if stated is not None and np.allclose([mean, std], [stated.mean, stated.std], rtol=1e-5, atol=1e-4):
        return stated, True
    plain = stated or Preprocess(size=(height, width), channels=channels, mean=(0.0,), std=(1.0,))
    return replace(plain, mean=rounded(mean), std=rounded(std)), takes_bytes or stated is not None


def _only_user(graph: Graph, name: str) -> Optional[Node]:
    """The one layer that takes this value; zeros that are made of its shape don't count.

    A class token is repeated for each image by such zeros.
    """
    users = [node for node in graph.consumers[name] if not _is_of_shape(graph, node)]
    return users[0] if len(users) == 1 else None


def _is_of_shape(graph: Graph, node: Node) -> bool:
    while node.op in ("slice", "Reshape") and len(users := graph.consumers[node.name]) == 1:
        node = users[0]
    return node.op == "zeros_like"


def _values(
    step: Node, source: str, params: Mapping[str, NDArray[np.float32]], channels: int
) -> Optional[NDArray[np.float64]]:
    """The number for each channel by which a layer multiplies or shifts this value; None for any other layer."""
    if step.op not in (*_TIMES, *_OVER, *_PLUS, *_MINUS):
        return None
    if step.op.endswith("_scalar"):
        return np.full(channels, float(step.values.scalar))
    (left, _), (right, _) = step.inputs
    const = right if left == source else left if step.op in (*_TIMES, *_PLUS) else ""
    array = params.get(const)
    if array is None or array.ndim != 4 or array.shape not in ((1, channels, 1, 1), (1, 1, 1, 1)):
        return None
    return np.broadcast_to(array.reshape(-1).astype(np.float64), (channels,))


def rounded(values: Array) -> tuple[float, ...]:
    """The numbers to the digits that the file's own, of single precision, have."""
    return tuple(float(f"{value:.7g}") + 0.0 for value in values)
