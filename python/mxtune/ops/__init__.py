"""The registry of operators: what is known about each, in one place.

A family is one file that registers its members: ``convolution``, ``products``, ``normalisation``, ``pooling``,
``resize``, ``activation``, ``arithmetic``, ``reduction``, ``shape``, ``slicing``, ``joining``, ``loss``. ``base``: what
an Operator is. ``attributes``: its arguments. ``refused``: what is not supported, and why.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from .attributes import spell
from .base import ROLES, Operator, Shape, Slot, Values, all_operators, find, get, register
from .misfit import MisfitError
from .supported import table

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = [
    "ROLES",
    "MisfitError",
    "Operator",
    "Shape",
    "Slot",
    "Values",
    "all_operators",
    "find",
    "get",
    "register",
    "spell",
    "table",
]
