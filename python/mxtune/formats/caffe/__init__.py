"""Caffe: a network's description (``.prototxt``) and its weights (``.caffemodel``), read without Caffe.

``text``: the format of descriptions.  ``description``: what one says.  ``layers``: what each type of layer is in a
graph.  ``weights``: the arrays.  ``net``: what both files have in common.
"""

from __future__ import annotations

from pathlib import Path

from ...errors import NetworkError, WeightsError
from ...graph import LIMITS
from .. import Contents, Format, Glimpse, register
from ..untrusted import FaultError, text_of
from .description import parse
from .weights import arrays_of


def sniff_description(glimpse: Glimpse) -> bool:
    """Whether it begins with a name or a layer."""
    return glimpse.begins(rb'\s*(#[^\n]*\n\s*)*(name\s*:\s*["\']|layers?\s*\{|input(_dim|_shape)?\s*[:{])')


def sniff_weights(glimpse: Glimpse) -> bool:
    """Whether it begins with a name, then with a layer or an input."""
    return glimpse.begins(rb"\x0a[\x01-\x7f][\x20-\x7e]+(\xa2\x06|\x12|\x1a)")


def weights_beside(description: Path) -> Path | None:
    """The only ``.caffemodel`` in the folder of a description, or the one of its name; otherwise None."""
    files = sorted(description.parent.glob("*.caffemodel"))
    of_its_name = description.with_suffix(".caffemodel")
    return of_its_name if of_its_name in files else files[0] if len(files) == 1 else None


def read_description(path: Path, limit: float = 1.0) -> Contents:
    """The graph, how images are prepared, and where the weights are.

    Raises
    ------
    NetworkError
        It can't be read, or has what is not supported; the layer is named.
    """
    limits = LIMITS.times(limit)
    try:
        if path.stat().st_size > limits.symbol_bytes:
            raise NetworkError(
                f"{path} is too large for a network's description: at most {limits.symbol_bytes / 1e6:.0f} MB are read."
            )
        description = parse(text_of(path.name, path.read_bytes()))
        graph = description.graph(limits)
        preprocess, is_stated = description.preprocess()
    except FaultError as fault:
        raise NetworkError(f"Can't read the network in {path}.", [fault.what], fault.hint) from None
    except OSError as fault:
        raise NetworkError(f"Can't read {path}: {fault.strerror or fault}.") from None
    return Contents(
        graph=graph,
        weights_file=weights_beside(path),
        usual=preprocess,
        usual_is_stated=is_stated,
        provenance={"name": description.name or path.stem},
        limit=limit,
    )


def read_weights(path: Path, limit: float = 1.0) -> Contents:  # noqa: ARG001 - weights have no graph
    """The weights, by the names of the graph that `read_description` gives.

    Raises
    ------
    WeightsError
        The file is damaged or hostile, or has parameters that are not known.
    """
    try:
        return Contents(weights=dict(arrays_of(memoryview(path.read_bytes()))))
    except FaultError as fault:
        raise WeightsError(f"Can't read the weights in {path}.", [fault.what], fault.hint) from None
    except OSError as fault:
        raise WeightsError(f"Can't read {path}: {fault.strerror or fault}.") from None


register(Format("Caffe", (".prototxt",), sniff_description, read_description))
register(Format("Caffe weights", (".caffemodel",), sniff_weights, read_weights))
