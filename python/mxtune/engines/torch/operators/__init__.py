"""How PyTorch computes each operator: a file a family, by the names of ``mxtune/ops``. ``base``: the registry."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from .base import Compute, Run, compute, compute_over, computes, known

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["Compute", "Run", "compute", "compute_over", "computes", "known"]
