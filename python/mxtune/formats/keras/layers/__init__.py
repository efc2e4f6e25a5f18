"""Keras' layers: how each becomes layers of ours. A family is one file that registers its members.

``base``: the registry.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from .base import Rule, names, rule_of

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["Rule", "names", "rule_of"]
