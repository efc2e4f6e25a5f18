"""ONNX: a network of any framework, in one file or with its weights in another beside it; read without ONNX's package.

``schema``, ``model``: the file as plain data.  ``reading``: its nodes as our layers, what needs no image computed
(``fold``).  ``operators``: one file per family of ONNX's operators.  ``patterns``, ``affine``: what exporters take
apart or make of other layers.  ``preparation``: what it does to images itself. ``writing``: the way back.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...errors import NetworkError, UnsupportedFormatError
from ...graph import LIMITS, Graph, subgraph
from ...graph.limits import check_size
from .. import Contents, Format, Glimpse, register
from ..notes import levels_of, origin_of
from ..untrusted import FaultError, RefusedError
from .model import read_model
from .operators import names
from .preparation import preprocess_of
from .reading import converted
from .writing import write

__all__ = ["names", "read"]


def sniff(glimpse: Glimpse) -> bool:
    """Whether it begins as a model does: its version, then the name of its writer or the graph."""
    return glimpse.begins(rb"\x08[\x02-\x20](\x12(\0|[\x01-\x7f][\x20-\x7e\x80-\xff])|\x1a|\x22|\x28|\x3a|\x42)")


def read(path: Path, limit: float = 1.0) -> Contents:
    """The network in an ONNX file: graph, weights and, where the file says, the classes.

    Raises
    ------
    NetworkError
        It is damaged or hostile, needs a file that is missing, or has an operator that is not read: the node is named.
    UnsupportedFormatError
        It takes other than one image, is quantised, has control flow, or gives something else than a row of numbers.
    """
    most = LIMITS.times(limit)
    try:
        model = read_model(path.read_bytes(), path.parent, most.nodes)
        network = converted(model)
    except FaultError as fault:
        error = UnsupportedFormatError if isinstance(fault, RefusedError) else NetworkError
        raise error(f"Can't read the network in {path}.", [fault.what], fault.hint) from None
    except OSError as fault:
        raise NetworkError(f"Can't read {path}: {fault.strerror or fault}.") from None
    check_size(len(network.graph.nodes), most)
    weights = {name: np.array(array, order="C") for name, array in network.params.items()}
    preprocess, is_stated = preprocess_of(model.metadata, network.own, network.image, network.takes_bytes)
    origin = origin_of(model.metadata)
    return Contents(
        graph=_without_activation(network.graph, model.metadata),
        weights=weights,
        levels=levels_of(model.metadata),
        image=network.image,
        usual=preprocess,
        usual_is_stated=is_stated,
        provenance={"name": path.stem, **({"producer": model.producer} if model.producer else {}), **origin},
        limit=limit,
    )


def _without_activation(graph: Graph, metadata: Mapping[str, str]) -> Graph:
    """The graph of a model of several labels without the sigmoid that `writing` put at its end."""
    last = graph.node(graph.heads[0][0])
    is_sigmoid = last.op == "sigmoid" or (last.op == "Activation" and last.values.act_type == "sigmoid")
    if metadata.get("mxtune.task") != "multilabel" or not is_sigmoid:
        return graph
    return subgraph(graph, [last.inputs[0]])


register(Format("ONNX", (".onnx",), sniff, read, write))
