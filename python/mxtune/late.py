"""Public names, and where each lives: its module is imported when the name is first used.

So ``import mxtune`` is quick, and a room can ask by name for what lies above it: `Model.r` for R's host, the border for
every verb.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

_PLACES: dict[str, str] = {}


def register(places: Mapping[str, str]) -> None:
    """Add names, each with the module that holds it."""
    _PLACES.update(places)


def load(name: str) -> Any:
    """What a name stands for.

    Raises
    ------
    AttributeError
        No such name was registered.

    Examples
    --------
    >>> load("mxexample")()
    ['fashion']
    """
    if name not in _PLACES:
        raise AttributeError(f"module 'mxtune' has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)
