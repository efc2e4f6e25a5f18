"""A whole network: its graph with its weights, and how images are prepared for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...graph import LIMITS, subgraph
from ...graph.limits import check_size
from ...images.preprocess import Preprocess
from .. import Contents
from ..onnx.operators import Value
from ..onnx.preparation import rounded, taken_off
from ..untrusted import FaultError
from .applications import application
from .building import Building
from .config import Layer, Net
from .flattened import flattened
from .front import red_first, without_turn
from .reading import output_of
from .weights import Arrays

_SIZE = (224, 224)


def contents_of(net: Net, version: str, arrays: Arrays, limit: float) -> Contents:
    """What a file holds.

    Parameters
    ----------
    version
        Of the Keras that wrote it.
    limit
        How many times the usual limits the network may need.

    Raises
    ------
    FaultError
        It takes other than one image, or a layer is not read or misfits; the layer is named.
    NetworkError
        It needs more than is allowed.
    """
    most = LIMITS.times(limit)
    known = application(net)
    numbers = tuple(int(one) for one in re.findall(r"\d+", version)[:2])
    if numbers and numbers[0] < 2:
        raise FaultError("it is of Keras 1", "Open it with Keras 2.0 to 2.3, and save it again.")
    size = (known.size, known.size) if known else _SIZE
    building = Building(numbers or (2,), _is_channels_first(net), size)
    check_size(_count(net), most)
    head = _as_row(building, output_of(net, building, arrays))
    params = building.writer.params
    graph = building.writer.graph(head.entry)
    graph = subgraph(graph, graph.heads)
    check_size(len(graph.nodes), most)
    graph = flattened(graph, params, building.writer.shapes)
    graph, own = taken_off(without_turn(graph, params), params, building.image[0])
    usual, usual_of, turned = None, "", dict(params)
    if own is not None:
        usual = _preprocess(building.image, rounded(own.mean), rounded(own.std))
    elif known is not None and building.image[0] == 3 and (not known.blue_first or red_first(graph, turned)):
        usual, usual_of = _preprocess(building.image, known.mean, known.std), known.name
    weights = {node.name: np.array(params[node.name], order="C") for node in graph.nodes if node.name in params}
    return Contents(
        graph=graph,
        weights=weights,
        image=building.image,
        usual=usual,
        usual_is_stated=own is not None,
        usual_of=usual_of,
        usual_weights={name: turned[name] for name in weights if turned[name] is not params[name]},
        provenance={"name": net.name, "producer": f"Keras {version}".strip()},
        limit=limit,
    )


def _preprocess(image: tuple[int, int, int], mean: tuple[float, ...], std: tuple[float, ...]) -> Preprocess:
    return Preprocess(size=image[1:], channels=image[0], mean=mean, std=std, interpolation="bilinear")


def _as_row(building: Building, head: Value) -> Value:
    """The output as numbers for each image: of maps, which a network without its top gives, the averages."""
    if len(head.shape) == 4:
        sides = (2, 3) if building.channels_first else (1, 2)
        head = building.op("ReduceMean", "features", head, axes=sides, keepdims=0)
    return building.writer.plain(head)


def _count(net: Net) -> int:
    return sum(_count(layer.net) if layer.net else max(len(layer.calls), 1) for layer in net.layers)


def _is_channels_first(net: Net) -> bool:
    """Whether the first layer that says the order of a map's axes has channels first."""
    return next((kind == "channels_first" for kind in _orders(net.layers)), False)


def _orders(layers: tuple[Layer, ...]) -> list[Any]:
    found: list[Any] = []
    for layer in layers:
        config: Mapping[str, Any] = layer.config
        found += _orders(layer.net.layers) if layer.net else [config["data_format"]] if "data_format" in config else []
    return found
