"""PyTorch as a second engine. The only folder that imports it, and only when a program is bound, or a GPU looked at."""

from __future__ import annotations

from .. import register
from .engine import Torch

__all__ = ["Torch"]

register(Torch())
