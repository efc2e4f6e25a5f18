"""Model: a trained network and all that is needed to use it; `mxload` reads one."""

from __future__ import annotations

from .load import mxload
from .model import Model

__all__ = ["Model", "mxload"]
