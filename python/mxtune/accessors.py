"""What a room above adds to an object of a room below, such as ``model.r``; loaded when it is first asked for."""

from __future__ import annotations

import importlib
from typing import Any

_PLACES: dict[str, str] = {}


def register(name: str, place: str) -> None:
    """Say where the class for ``name`` is, as ``"module:class"``; it takes the object that is looked at."""
    _PLACES[name] = place


def accessor(name: str, owner: Any) -> Any:
    """What was registered as ``name``, for this object.

    Examples
    --------
    >>> register("count", "collections:Counter")
    >>> accessor("count", "abba")["b"]
    2
    """
    module, _, attribute = _PLACES[name].partition(":")
    return getattr(importlib.import_module(module), attribute)(owner)
