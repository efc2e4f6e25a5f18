"""What R asks for and Python's users get in other ways: facts about an object, its bytes, signatures."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np

from ...engines import get, installed
from ...engines.info import collect
from ...graph import LIMITS, from_json, to_json
from ...zoo.listing import text
from ..signatures import VERBS

if TYPE_CHECKING:
    import pandas as pd

    from ...images import ImageSet
    from ...model import Model
    from ...model.curve import LearningCurve
    from ...model.explanation import Explanation
    from ...model.suspects import Suspects
    from ...network import Network


def signatures() -> dict[str, list[str]]:
    """The arguments of R's verbs, each with its default as R writes it."""
    return {name: verb.arguments() for name, verb in VERBS.items()}


def facts(object: Any) -> dict[str, Any]:  # noqa: A002 - as R names it
    """What printing an object needs, so that a saved one prints without Python."""
    return _FACTS[type(object).__name__](object) | {"text": repr(object).splitlines()}


def _of_model(model: Model) -> dict[str, Any]:
    return {
        "task": model.task,
        "levels": model.levels and list(map(model.label_type.shown, model.levels)),
        "network": str(model.network.provenance.get("name", "network")),
        "image_size": list(model.preprocess.size),
        "metrics": dict(model.metrics),
        "interval": list(model.interval or ()),
        "history": model.history,
        "default_plot": model.default_plot,
        "meta": model.meta,
        "asked": {"limit": model.network.limit, "precision": model.asked_precision},
    }


def evaluated(
    object: Model,  # noqa: A002 - the same
    x: Any = None,
    y: Any = None,
    path: Optional[str] = None,
    label: Union[str, Sequence[str], None] = None,
    root: Optional[str] = None,
    split: Union[str, Mapping[str, str], Sequence[str], None] = None,
) -> pd.DataFrame:
    """`Model.evaluate` as a data frame, with intervals."""
    return object.evaluate(x, y, path=path, label=label, root=root, split=split).frame()


def suspected(object: Suspects) -> dict[str, Any]:  # noqa: A002 - the same
    """The tables of `Model.suspects`, and the words that print it."""
    told = {name: getattr(object, name) for name in ("table", "copies", "classes", "heading")}
    return told | {"notes": list(object.notes)}


def curve(object: LearningCurve) -> dict[str, Any]:  # noqa: A002 - the same
    """The tables of `Model.learning_curve`, and the words that print it."""
    told = {name: getattr(object, name) for name in ("metric", "n", "table", "classes", "line", "gain")}
    return told | {"gain_interval": list(object.gain_interval), "text": str(object).splitlines()}


def explained(object: Explanation) -> dict[str, Any]:  # noqa: A002 - the same
    """The table of `Model.explain`, and the words that print it."""
    told = {name: getattr(object, name) for name in ("table", "exact")}
    return told | {"layers": list(object.layers), "text": repr(object).splitlines()}


def _of_images(images: ImageSet) -> dict[str, Any]:
    return {"n": len(images), "task": images.task, "levels": images.labels.task and images.labels.task.shown_levels}


def _of_network(network: Network) -> dict[str, Any]:
    return {
        "name": str(network.provenance.get("name", "network")),
        "parameters": float(network.n_parameters),
        "image_size": list(network.preprocess.size),
        "classifier": network.classifier,
        "stages": list(network.stages),
        "outputs": list(network.outputs),
        "levels": network.levels and list(network.levels),
    }


_FACTS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "Model": _of_model,
    "ImageSet": _of_images,
    "Network": _of_network,
}


def to_bytes(object: Any) -> bytes:  # noqa: A002
    """A model as its ``.mxt`` file; a network as a NumPy archive of its arrays and, as JSON, the rest. Nothing in them
    is executable."""
    if hasattr(object, "to_bytes"):
        return bytes(object.to_bytes())
    description = {
        "graph": to_json(object.graph),
        "preprocess": object.preprocess.to_dict(),
        "provenance": object.provenance,
        "frozen": sorted(object.frozen),
        "levels": object.levels,
        "classifier": object.classifier,
        "pretrained": object.pretrained,
        "limit": object.limit,
        "names": list(object.params),
    }
    arrays = {f"a{place}": array for place, array in enumerate(object.params.values())}
    stream = io.BytesIO()
    np.savez(stream, told=np.frombuffer(json.dumps(description).encode(), np.uint8), **arrays)
    return stream.getvalue()


def from_bytes(data: bytes, kind: str, limit: float = 1.0, precision: str = "auto") -> Union[Model, Network]:
    """The model or network, as ``kind`` says, of what `to_bytes` wrote. A model's limit and precision are in its
    facts, and a network's limit is in its bytes."""
    from ...images.preprocess import Preprocess
    from ...model import Model
    from ...network import Network

    if kind == "Model":
        return Model.from_bytes(data, limit, precision)
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        description = json.loads(stored["told"].tobytes())
        params = {name: stored[f"a{place}"] for place, name in enumerate(description.pop("names"))}
    restored = {
        "graph": from_json(description["graph"], LIMITS.times(description.get("limit", 1.0))),
        "preprocess": Preprocess.from_dict(description["preprocess"]),
        "frozen": frozenset(description["frozen"]),
        "levels": None if description["levels"] is None else tuple(description["levels"]),
    }
    return Network(params=params, **(description | restored))


def info_facts() -> dict[str, Any]:
    """What `mxinfo` found, and its text."""
    info = collect()
    return info.to_dict() | {"text": str(info).splitlines()}


def zoo_text(table: pd.DataFrame) -> list[str]:
    """The lines in which a table of `mxzoo`, or rows of it, prints."""
    return text(table).splitlines()


def has_engine(precision: str = "float32") -> bool:
    """Whether an engine that computes so is installed; none is loaded to find out."""
    return any(precision in get(name).precisions for name in installed())


def thumbnail(object: ImageSet, name: str) -> Any:  # noqa: A002
    """An image of a set, small enough to be drawn among others."""
    image = object.open(object.names.index(name))
    image.thumbnail((192, 192))
    return image
