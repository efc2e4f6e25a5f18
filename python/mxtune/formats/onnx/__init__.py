"""ONNX: a network of any framework, in one file or with its weights in another beside it; read without ONNX's package.

``schema``, ``model``: the file as plain data.  ``reading``: its nodes as our layers, what needs no image computed
(``fold``).  ``operators``: one file per family of ONNX's operators.  ``patterns``, ``affine``: what exporters take
apart or make of other layers.  ``notes``: what the file says of its classes.  ``writing``: the way back.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...errors import NetworkError
from ...graph import LIMITS
from ...graph.limits import check_size
from ...images.preprocess import Preprocess
from .. import Contents, Format, Glimpse, register
from ..untrusted import FaultError
from .model import read_model
from .notes import levels_of
from .operators import names
from .reading import converted
from .writing import write

__all__ = ["names", "read"]


def sniff(glimpse: Glimpse) -> bool:
    """Whether it begins as a model does: its version, then the name of its writer or the graph."""
    return glimpse.begins(rb"\x08[\x02-\x20](\x12|\x1a|\x22|\x28|\x3a|\x42)")


def read(path: Path, limit: float = 1.0) -> Contents:
    """The network in an ONNX file: graph, weights and, where the file says, the classes.

    Raises
    ------
    NetworkError
        It is damaged or hostile, needs a file that is missing, or has an operator that is not read: the node is named.
    """
    most = LIMITS.times(limit)
    try:
        model = read_model(path.read_bytes(), path.parent, most.nodes)
        network = converted(model)
    except FaultError as fault:
        raise NetworkError(f"Can't read the network in {path}.", [fault.what], fault.hint) from None
    except OSError as fault:
        raise NetworkError(f"Can't read {path}: {fault.strerror or fault}.") from None
    check_size(len(network.graph.nodes), most)
    weights = {name: np.array(array, order="C") for name, array in network.params.items()}
    return Contents(
        graph=network.graph,
        weights=weights,
        levels=levels_of(model.metadata),
        image=network.image,
        usual=_pixels(*network.image) if network.raw else None,
        usual_is_stated=network.raw,
        provenance={"name": path.stem, **({"producer": model.producer} if model.producer else {})},
        limit=limit,
    )


def _pixels(channels: int, height: int, width: int) -> Preprocess:
    """What takes whole numbers takes pixels as they are, 0 to 255."""
    return Preprocess(size=(height, width), channels=channels, mean=(0.0,), std=(1.0,))


register(Format("ONNX", (".onnx",), sniff, read, write))
