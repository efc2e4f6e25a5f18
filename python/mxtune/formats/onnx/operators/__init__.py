"""ONNX's operators: how each becomes layers of ours. A family is one file that registers its members.

``base``: the writer of layers, and the registry.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from .base import BATCH, Call, Const, Value, Writer, convert, names, reason

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["BATCH", "Call", "Const", "Value", "Writer", "convert", "names", "reason"]
