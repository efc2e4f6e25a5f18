"""What a file says of itself in texts by name, as ONNX and safetensors keep them: classes, preprocessing, origin."""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Mapping
from typing import Any, Optional

from ..errors import ArgumentError
from ..images.preprocess import Preprocess
from .contents import Contents
from .untrusted import FaultError, json_of

_KEYS = ("mxtune.levels", "labels", "classes", "class_names", "names", "id2label", "categories")
_PREPROCESS = "mxtune.preprocess"
_ORIGIN = ("name", "source", "licence", "url", "paper")
_MOST = 1_000_000


def levels_of(texts: Mapping[str, str]) -> Optional[tuple[str, ...]]:
    """The names of the classes in order, if the file has them: as JSON, as Python writes a list or a dict, or in lines.

    Examples
    --------
    >>> levels_of({"names": "{0: 'cat', 1: 'dog'}"}), levels_of({"labels": '["a", "b"]'}), levels_of({})
    (('cat', 'dog'), ('a', 'b'), None)
    """
    for key in _KEYS:
        text = texts.get(key, "")
        if not text or len(text) > _MOST:
            continue
        names = _ordered(_value(text))
        if names is not None and len(set(names)) == len(names) > 1:
            return names
    return None


def origin_of(texts: Mapping[str, str]) -> dict[str, str]:
    """Where a network came from, as `texts_of` wrote it: name, source, licence, url, paper."""
    texts = {key: texts.get(f"mxtune.{key}", "") for key in _ORIGIN}
    return {key: text for key, text in texts.items() if 0 < len(text) < 1000}


def preprocess_of(texts: Mapping[str, str]) -> Optional[Preprocess]:
    """How images are prepared, as `texts_of` wrote it; None where nothing of the kind is said."""
    try:
        return Preprocess.from_dict(json_of(_PREPROCESS, texts[_PREPROCESS].encode()))
    except (KeyError, FaultError, ArgumentError, TypeError, ValueError, AttributeError):
        return None


def texts_of(contents: Contents) -> dict[str, str]:
    """What a file for other programs says of itself; the classes as a JSON list in the order of the outputs."""
    texts = {f"mxtune.{key}": str(text) for key, text in contents.provenance.items()}
    if contents.preprocess is not None:
        texts[_PREPROCESS] = json.dumps(contents.preprocess.to_dict())
    if contents.levels:
        texts["mxtune.levels"] = json.dumps(list(contents.levels), ensure_ascii=False)
    return texts


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings():  # of an escape that Python does not know
            warnings.simplefilter("ignore")
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
