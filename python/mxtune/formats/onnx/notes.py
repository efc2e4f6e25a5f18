"""What an ONNX file says of itself in its metadata: its classes, as many writers name them; its origin and its task."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any, Optional

from ...graph import Graph, subgraph

_KEYS = ("mxtune.levels", "labels", "classes", "class_names", "names", "id2label", "categories")
_ORIGIN = ("name", "source", "licence", "url", "paper")
_MOST = 1_000_000


def levels_of(metadata: Mapping[str, str]) -> Optional[tuple[str, ...]]:
    """The names of the classes in order, if the file has them: as JSON, as Python writes a list or a dict, or in lines.

    Examples
    --------
    >>> levels_of({"names": "{0: 'cat', 1: 'dog'}"}), levels_of({"labels": '["a", "b"]'}), levels_of({})
    (('cat', 'dog'), ('a', 'b'), None)
    """
    for key in _KEYS:
        text = metadata.get(key, "")
        if not text or len(text) > _MOST:
            continue
        names = _ordered(_value(text))
        if names is not None and len(set(names)) == len(names) > 1:
            return names
    return None


def origin_of(metadata: Mapping[str, str]) -> dict[str, str]:
    """Where a network came from, as `writing` wrote it: name, source, licence, url, paper."""
    texts = {key: metadata.get(f"mxtune.{key}", "") for key in _ORIGIN}
    return {key: text for key, text in texts.items() if 0 < len(text) < 1000}


def without_activation(graph: Graph, metadata: Mapping[str, str]) -> Graph:
    """The graph of a model of several labels without the sigmoid that `writing` put at its end."""
    last = graph.node(graph.heads[0][0])
    is_sigmoid = last.op == "sigmoid" or (last.op == "Activation" and last.values.act_type == "sigmoid")
    if metadata.get("mxtune.task") != "multilabel" or not is_sigmoid:
        return graph
    return subgraph(graph, [last.inputs[0]])


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text) if text.count("(") + text.count("[") + text.count("{") < 50 else None
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return text.split("\n") if "\n" in text else text.split(",")


def _ordered(value: Any) -> Optional[tuple[str, ...]]:
    if isinstance(value, dict):
        try:
            numbered = {int(key): name for key, name in value.items()}
        except (TypeError, ValueError):
            return None
        if sorted(numbered) != list(range(len(numbered))):
            return None
        value = [numbered[number] for number in range(len(numbered))]
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        return None
    return tuple(one.strip() for one in value)
