"""Keras: a network of Keras 2 or 3 in a ``.keras`` or ``.h5`` file, read without Keras; nothing in it is run.

``hdf5``, ``archive``: the files as plain data.  ``config``: what the description says.  ``weights``: which array is
whose.  ``layers``: one file per family of Keras' layers.  ``building``, ``reading``: from these to our graph.
``flattened``, ``front``: what is put into other layers.  ``applications``: how images are prepared.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FormatError
from ...graph import LIMITS, Graph, subgraph
from ...graph.limits import check_size
from ...images.preprocess import Preprocess
from .. import Contents, Format, Glimpse, register
from ..onnx.preparation import rounded, taken_off
from ..untrusted import FaultError, json_of
from .applications import application
from .archive import read_archive
from .building import Building
from .config import Layer, Net, net_of
from .flattened import flattened
from .front import red_first, without_turn
from .hdf5 import Tree, opened
from .layers import names
from .reading import output_of
from .weights import Arrays

__all__ = ["names", "read_file", "read_zip"]

_SIZE = (224, 224)


def sniff_file(glimpse: Glimpse) -> bool:
    """Whether it is HDF5."""
    return glimpse.begins(rb"\x89HDF\r\n\x1a\n")


def sniff_zip(glimpse: Glimpse) -> bool:
    """Whether a member of the zip is the weights."""
    return glimpse.holds(r"model\.weights(_\d+)?\.h5")


def read_file(path: Path, limit: float = 1.0) -> Contents:
    """The network in an HDF5 file of Keras.

    Raises
    ------
    FormatError
        It is damaged or hostile, holds no network, or has a layer that is not read: the layer is named.
    """
    try:
        with path.open("rb") as stream, opened(stream, path.stat().st_size) as tree:
            text = tree.text("", "model_config")
            if not text:
                raise _weights_alone(tree)
            described = json_of("model_config", text.encode())
            version = tree.text("", "keras_version") or tree.text("model_weights", "keras_version")
            return _contents(described, version, tree, path, limit)
    except FaultError as fault:
        raise FormatError(f"Can't read the network in {path}.", [fault.what], fault.hint) from None
    except OSError as fault:
        raise FormatError(f"Can't read {path}: {fault.strerror or fault}.") from None


def read_zip(path: Path, limit: float = 1.0) -> Contents:
    """The network in a ``.keras`` file.

    Raises
    ------
    FormatError
        As `read_file`.
    """
    try:
        archive = read_archive(path)
        version = archive.metadata.get("keras_version") if isinstance(archive.metadata, dict) else None
        with opened(io.BytesIO(archive.weights), path.stat().st_size) as tree:
            return _contents(archive.config, str(version or "3"), tree, path, limit)
    except FaultError as fault:
        raise FormatError(f"Can't read the network in {path}.", [fault.what], fault.hint) from None
    except OSError as fault:
        raise FormatError(f"Can't read {path}: {fault.strerror or fault}.") from None


def _weights_alone(tree: Tree) -> FaultError:
    Arrays(tree)  # or it is not of Keras at all
    return FaultError(
        "it holds weights alone, and no network",
        'Save the whole network with Keras: model.load_weights(file); model.save("network.keras").',
    )


def _contents(described: Any, version: str, tree: Tree, path: Path, limit: float) -> Contents:
    most = LIMITS.times(limit)
    net = net_of(described)
    known = application(net)
    numbers = tuple(int(one) for one in re.findall(r"\d+", version)[:2])
    if numbers and numbers[0] < 2:
        raise FaultError("it is of Keras 1", "Open it with Keras 2.0 to 2.3, and save it again.")
    size = (known.size, known.size) if known else _SIZE
    building = Building(numbers or (2,), _is_channels_first(net), size)
    check_size(_count(net), most)
    head = output_of(net, building, Arrays(tree))
    head = building.writer.plain(head)
    params = building.writer.params
    graph = _pruned(building.writer.graph(head.entry))
    check_size(len(graph.nodes), most)
    graph = flattened(graph, params, building.writer.shapes)
    graph, own = taken_off(without_turn(graph, params), params, building.image[0])
    usual, usual_of = None, ""
    if own is not None:
        usual = _preprocess(building.image, rounded(own.mean), rounded(own.std))
    elif known is not None and building.image[0] == 3 and (not known.blue_first or red_first(graph, params)):
        usual, usual_of = _preprocess(building.image, known.mean, known.std), known.name
    weights = {node.name: np.array(params[node.name], order="C") for node in graph.nodes if node.name in params}
    return Contents(
        graph=graph,
        weights=weights,
        image=building.image,
        usual=usual,
        usual_is_stated=own is not None,
        usual_of=usual_of,
        provenance={"name": net.name, "producer": f"Keras {version}".strip()},
        limit=limit,
    )


def _preprocess(image: tuple[int, int, int], mean: tuple[float, ...], std: tuple[float, ...]) -> Preprocess:
    return Preprocess(size=image[1:], channels=image[0], mean=mean, std=std, interpolation="bilinear")


def _pruned(graph: Graph) -> Graph:
    return subgraph(graph, graph.heads)


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


register(Format("Keras HDF5", (".h5", ".hdf5"), sniff_file, read_file))
register(Format("Keras", (".keras",), sniff_zip, read_zip))
