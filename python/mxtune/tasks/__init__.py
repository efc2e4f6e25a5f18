"""What is learned: classification, several labels per image, numbers; their losses and metrics. One file per task."""

from __future__ import annotations

from .base import Task, named, names
from .classification import Classification
from .multilabel import Multilabel
from .regression import Regression

__all__ = ["Classification", "Multilabel", "Regression", "Task", "named", "names"]
