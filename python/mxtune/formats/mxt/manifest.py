"""The manifest of a model file: how it is written, and how every part of it is checked before it is trusted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import tasks
from ...errors import ModelFileError, MxtuneError
from ...graph import LIMITS, from_json
from ...images.preprocess import Preprocess
from ...network import Network
from ...network.values import refuse_unusable
from ...tasks.label_type import LabelType
from ...words import a
from ..contents import Contents

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_LEVELS = 100_000
MOST_ROWS = 20_000  # of the history, the metrics, or any other part
_OF_MODEL = ("settings", "metrics", "history", "versions")


def manifest_of(contents: Contents) -> dict[str, Any]:
    """The manifest of a model; keys in the order of the file."""
    model, preprocess = contents.model, contents.preprocess
    if model is None or preprocess is None:
        raise ModelFileError("A model file contains a trained model, not just a network or weights.")
    return {
        "task": model["task"],
        "levels": list(contents.levels or ()),
        **_later_part(model, "label_type"),
        "preprocess": preprocess.to_dict(),
        "network": {
            "classifier": contents.classifier,
            "provenance": dict(contents.provenance),
            **({} if contents.pretrained else {"pretrained": False}),  # true is not written, as in older files
        },
        **{part: model[part] for part in _OF_MODEL},
        **_later_part(model, "validation"),
    }


def contents_of(
    manifest: Mapping[str, Any], symbol: str, arrays: dict[str, NDArray[Any]], name: str, limit: float = 1.0
) -> Contents:
    """The contents of a model file, if they are what a model needs.

    Parameters
    ----------
    manifest, symbol, arrays
        What `mxt.read` returned.
    name
        Of the file, for errors.
    limit
        How many times the limits of `mxtune.graph.Limits` the network may need.

    Raises
    ------
    ModelFileError
        A part is missing, of another type, or does not fit the others; it is named.
    """
    try:
        _check(manifest)
        _check_origin(manifest["network"], manifest["versions"])
        contents = Contents(
            graph=from_json(symbol, LIMITS.times(limit)),
            weights=arrays,
            preprocess=Preprocess.from_dict(manifest["preprocess"]),
            levels=tuple(manifest["levels"]) or None,
            classifier=manifest["network"]["classifier"],
            pretrained=manifest["network"].get("pretrained", True),  # a model was trained
            provenance=manifest["network"]["provenance"],
            model={part: manifest[part] for part in ("task", *_OF_MODEL)}
            | _later_part(manifest, "label_type")
            | _later_part(manifest, "validation"),
            limit=limit,
        )
        _check_network(contents.network, max(1, len(manifest["levels"])))
    except KeyError as error:
        raise ModelFileError(f"Can't use the model in {name}.", [f"it has no {error.args[0]}"]) from error
    except MxtuneError as error:
        raise ModelFileError(f"Can't use the model in {name}.", [error.message, *error.bullets]) from error
    except (TypeError, ValueError, AttributeError, IndexError, OverflowError, MemoryError) as error:
        raise ModelFileError(f"Can't use the model in {name}.", [str(error)]) from error
    return contents


def _later_part(model: Mapping[str, Any], part: str) -> dict[str, Any]:
    """A part that older files lack, and that is written only if it is not empty."""
    return {part: model[part]} if model.get(part) else {}


def _check(manifest: Mapping[str, Any]) -> None:
    """Raises ValueError for a part whose type is not that of `Model`."""
    kinds = {"network": dict, "preprocess": dict, "settings": dict, "metrics": dict, "versions": dict, "history": list}
    for part, kind in kinds.items():
        if not isinstance(manifest[part], kind):
            raise ValueError(f"its {part} is not {a(kind.__name__)}")
        if len(manifest[part]) > MOST_ROWS:
            raise ValueError(f"its {part} has {len(manifest[part]):,} rows; at most {MOST_ROWS:,} are read")
    if manifest["task"] not in tasks.names():
        raise ValueError(f"its task is {manifest['task']!r}")
    _check_levels(manifest)
    if not isinstance(manifest["settings"].get("pictures", {}), dict):
        raise ValueError("its settings do not describe its images")
    if not _numbers(manifest["metrics"].values()):
        raise ValueError("its metrics are not numbers")
    for row in manifest["history"]:
        if not isinstance(row, dict) or not _texts([row["stage"]]):
            raise ValueError("its history is not a table")
        if not _numbers(value for key, value in row.items() if key != "stage"):
            raise ValueError("its history does not hold numbers")


def _check_levels(manifest: Mapping[str, Any]) -> None:
    """Raises ValueError for levels that do not fit the task and the type of labels."""
    levels = manifest["levels"]
    if isinstance(levels, list) and len(levels) > MOST_LEVELS:
        raise ValueError(f"it has {len(levels):,} levels; at most {MOST_LEVELS:,} are read")
    if not isinstance(levels, list) or not _texts(levels) or len(set(levels)) < len(levels):
        raise ValueError("its levels are not unique texts")
    if not tasks.named(manifest["task"], levels).outputs:
        raise ValueError("it has no levels")
    label_type = manifest.get("label_type", {})
    if not isinstance(label_type, dict) or not LabelType.from_dict(label_type).fits(levels):
        raise ValueError("its levels don't have the stated type")


def _check_origin(network: Mapping[str, Any], versions: Mapping[str, Any]) -> None:
    """Raises ValueError for a network, or versions, that are not described as `Model` does."""
    if not isinstance(network["classifier"], str) or not isinstance(network["provenance"], dict):
        raise ValueError("its network is not described")
    if not isinstance(network.get("pretrained", True), bool):
        raise ValueError("it does not state whether its network is pretrained")
    if not _texts(network["provenance"].values()) or not _texts(versions.values()):
        raise ValueError("its origin is not described as text")


def _check_network(network: Network, outputs: int) -> None:
    """Raises ValueError, or what the network raises, unless it can be run as a model's."""
    if any(array.dtype != np.float32 for array in network.params.values()):
        raise ValueError("its weights are not float32")
    node = network.graph.node(str(network.classifier))
    if node.op != "FullyConnected" or f"{node.name}_weight" not in network.params:
        raise ValueError(f"{network.classifier} is not a dense layer that gives its outputs")
    shapes = refuse_unusable(network.check()).shapes
    if shapes[network.output] != ((1, outputs),) or len(network.params[f"{node.name}_weight"]) != outputs:
        raise ValueError(f"it does not have the {outputs} outputs of its levels")
    if len(network.body.shapes[network.body.output][0]) != 2:
        raise ValueError("it has no features")


def _texts(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _numbers(values: Iterable[Any]) -> bool:
    return all(value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)) for value in values)
