"""What MXNet knows of a graph: its shapes, the networks of Gluon's model zoo, its ``.params`` files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...errors import NetworkError
from ...formats.params import read_params, write_params
from ...words import listing, shape_text
from . import load

if TYPE_CHECKING:
    from ...graph import Graph

__all__ = ["gluon_aliases", "gluon_graph", "gluon_names", "infer_shapes", "read_params", "write_params"]

Shape = tuple[int, ...]
_PREFIX = "net_"  # Gluon counts names afresh only below a prefix


def infer_shapes(graph: Graph, inputs: Mapping[str, Shape]) -> dict[str, tuple[Shape, ...]]:
    """The shapes of every variable's and every operator's outputs, by node name.

    Parameters
    ----------
    graph : Graph
    inputs : dict of str to tuple of int
        The shapes of the data, such as ``{"data": (1, 3, 224, 224)}``; of parameters too, where the graph
        alone does not tell.

    Raises
    ------
    NetworkError
        The shapes contradict each other, or leave some open.
    """
    from ...graph import to_json

    mx = load()
    symbol = mx.sym.load_json(to_json(graph))
    known = set(symbol.list_inputs())
    internals = symbol.get_internals()
    try:
        _, shapes, _ = internals.infer_shape_partial(**{k: tuple(v) for k, v in inputs.items() if k in known})
    except (mx.MXNetError, ValueError, TypeError) as error:
        raise NetworkError(
            f"The layers of the network do not fit together for input of {_told(inputs)}.", [_cause(error)]
        ) from error
    found: dict[str, tuple[Shape, ...]] = {}
    for output, shape in zip(internals, shapes or ()):
        found[output.name] = (*found.get(output.name, ()), tuple(shape))
    wrong = [name for name, of in found.items() if any(not shape or min(shape) < 1 for shape in of)]
    if wrong or not found:
        raise NetworkError(
            f"Input of {_told(inputs)} leaves no shape for {listing(wrong, 3)}.",
            hint="The picture may be too small for this network, or an input is missing.",
        )
    return found


def _told(inputs: Mapping[str, Shape]) -> str:
    return ", ".join(f"{name} {shape_text(shape)}" for name, shape in inputs.items()) or "no shape"


def _cause(error: BaseException) -> str:
    """The lines of MXNet's error that speak of the fault, without its stack."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [re.split(r"(?=Error in operator)|Check failed: ", line, maxsplit=1) for line in lines]
    return next((parts[-1] for parts in told if len(parts) > 1), (lines or [type(error).__name__])[-1])


def gluon_names() -> list[str]:
    """The names of the networks of ``mxnet.gluon.model_zoo.vision``, sorted."""
    try:
        load("mxnet.gluon.model_zoo.vision").get_model("")
    except ValueError as error:  # its one complete list of names
        return sorted(line.strip() for line in str(error).splitlines()[1:])
    raise NetworkError("Gluon's model zoo does not tell its names.")


def gluon_graph(name: str, classes: int = 1000) -> Graph:
    """The graph of a network of Gluon's model zoo, without weights, from ``data`` to the logits.

    Names are the same whatever was built before, and ``running_mean`` and ``running_var`` are named as
    elsewhere in MXNet, ``moving_mean`` and ``moving_var``.

    Parameters
    ----------
    name : str
        One of `gluon_names()`.
    classes : int
        The number of outputs, 1000 as for ImageNet.

    Raises
    ------
    NetworkError
        There is no such network.
    """
    from ...graph import from_json

    mx = load()
    with mx.name.NameManager():
        symbol = _gluon_block(name, classes)(mx.sym.var("data"))
    document = json.loads(symbol.tojson())
    for node in document["nodes"]:
        node["name"] = _clean(node["name"])
    return from_json(json.dumps(document))


def gluon_aliases(name: str) -> dict[str, str]:
    """The parameters' names in Gluon's files to those in our graph.

    Both of Gluon's ways: ``"features.0.weight"`` as ``save_parameters`` writes it, and ``"conv0_weight"`` as
    ``export`` does, there behind the prefix of the block that the user had, such as ``"resnetv10_"``.
    """
    aliases = {}
    for structural, parameter in _gluon_block(name, 1000)._collect_params_with_prefix().items():
        aliases[structural] = _clean(parameter.name)
        aliases[parameter.name[len(_PREFIX) :]] = _clean(parameter.name)
    return aliases


def _gluon_block(name: str, classes: int) -> Any:
    if name not in gluon_names():
        raise NetworkError(f"Gluon's model zoo has no {name!r}.", hint="It has " + ", ".join(gluon_names()) + ".")
    return load("mxnet.gluon.model_zoo.vision").get_model(name, classes=classes, prefix=_PREFIX)


def _clean(name: str) -> str:
    name = name[len(_PREFIX) :] if name.startswith(_PREFIX) else name
    return re.sub(r"_running_(mean|var)$", r"_moving_\1", name)
