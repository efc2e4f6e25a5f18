"""What R asks for and Python's users get otherwise: facts of an object, its bytes, signatures."""

from __future__ import annotations

import importlib.util
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from ...engines.info import collect
from ...images import columns
from ..signatures import VERBS

if TYPE_CHECKING:
    import pandas as pd

    from ...images import ImageSet
    from ...model import Model
    from ...network import Network


def signatures() -> dict[str, list[str]]:
    """The arguments of R's verbs, each with its default as R writes it."""
    return {name: verb.arguments() for name, verb in VERBS.items()}


def path_column(frame: pd.DataFrame) -> Any:
    """The column of a data frame that holds pictures."""
    return columns.path_column(frame)


def model_facts(object: Model) -> dict[str, Any]:  # noqa: A002 - as R names it
    """What printing a model needs, so that a saved one prints without Python."""
    network = object.network
    return {
        "task": object.task,
        "levels": object.levels and list(object.levels),
        "network": str(network.provenance.get("name", "network")),
        "image_size": list(object.preprocess.size),
        "metrics": dict(object.metrics),
        "history": object.history,
        "text": repr(object).splitlines(),
    }


def model_bytes(object: Model) -> bytes:  # noqa: A002
    """The ``.mxt`` file of a model."""
    return bytes(object.to_bytes())


def model_from_bytes(data: bytes) -> Model:
    """The model of a ``.mxt`` file's bytes."""
    from ...model import Model

    return Model.from_bytes(data)


def images_facts(object: ImageSet) -> dict[str, Any]:  # noqa: A002
    """What printing a set of pictures needs."""
    return {
        "n": len(object),
        "task": object.task,
        "levels": object.levels and list(object.levels),
        "text": repr(object).splitlines(),
    }


def network_facts(object: Network) -> dict[str, Any]:  # noqa: A002
    """What printing a network needs."""
    return {
        "name": str(object.provenance.get("name", "network")),
        "parameters": float(object.n_parameters),
        "image_size": list(object.preprocess.size),
        "text": repr(object).splitlines(),
    }


def network_bytes(object: Network) -> bytes:  # noqa: A002
    """A network as a NumPy archive: its arrays, and all else as JSON. Nothing in it is executable."""
    from ... import graph

    told = {
        "graph": graph.to_json(object.graph),
        "preprocess": object.preprocess.to_dict(),
        "provenance": object.provenance,
        "frozen": sorted(object.frozen),
        "levels": None if object.levels is None else list(object.levels),
        "classifier": object.classifier,
        "pretrained": object.pretrained,
        "limit": object.limit,
        "names": list(object.params),
    }
    arrays: dict[str, Any] = {f"a{i}": array for i, array in enumerate(object.params.values())}
    stream = io.BytesIO()
    arrays["told"] = np.frombuffer(json.dumps(told).encode(), np.uint8)
    np.savez(stream, **arrays)
    return stream.getvalue()


def network_from_bytes(data: bytes) -> Network:
    """The network that `network_bytes` wrote."""
    from ... import graph
    from ...images.preprocess import Preprocess
    from ...network import Network

    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        told = json.loads(stored["told"].tobytes())
        params = {name: stored[f"a{i}"] for i, name in enumerate(told["names"])}
    limit = told.get("limit", 1.0)
    return Network(
        graph=graph.from_json(told["graph"], graph.LIMITS.times(limit)),
        params=params,
        preprocess=Preprocess.from_dict(told["preprocess"]),
        provenance=told["provenance"],
        frozen=frozenset(told["frozen"]),
        levels=None if told["levels"] is None else tuple(told["levels"]),
        classifier=told["classifier"],
        pretrained=told.get("pretrained"),
        limit=limit,
    )


def info_facts() -> dict[str, Any]:
    """What `mxinfo` found, with its own words."""
    info = collect()
    return info.to_dict() | {"text": str(info).splitlines()}


def has_mxnet() -> bool:
    """Whether MXNet is installed; it is not loaded to find out."""
    return importlib.util.find_spec("mxnet") is not None


def layers(object: Network) -> Any:  # noqa: A002
    """The table of a network's layers."""
    return object.layers


def thumbnail(object: ImageSet, name: str) -> Any:  # noqa: A002
    """A picture of a set, small enough to be drawn among others."""
    image = object.open(object.names.index(name))
    image.thumbnail((192, 192))
    return image
