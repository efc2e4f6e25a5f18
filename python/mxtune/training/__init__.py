"""From images to a model: `mxtrain`, its plan and its phases."""

from __future__ import annotations

from .callbacks import Callback
from .train import mxtrain

__all__ = ["Callback", "mxtrain"]
