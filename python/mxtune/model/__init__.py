"""Model: a trained network and all that is needed to use it; `mxload` reads one."""

from __future__ import annotations

from .model import Model, mxload

__all__ = ["Model", "mxload"]
