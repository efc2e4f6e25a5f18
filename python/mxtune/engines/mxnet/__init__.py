"""The only folder that imports MXNet. Above an executor there are only NumPy arrays and plain data."""

from __future__ import annotations

from .. import register
from .engine import MXNet
from .load import load

__all__ = ["MXNet", "load"]

register(MXNet())
