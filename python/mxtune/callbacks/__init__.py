"""Callbacks of `mxtrain` that send the figures of each epoch to where others keep theirs: a file for each place.

Figures are called by their phase, ``tail/valid_loss``, as epochs count from 1 in each; so a resumed training goes on
where it was. Each package is imported when its callback is made, before any training.
"""

from __future__ import annotations

from .mlflow import MLflow
from .tensorboard import TensorBoard
from .wandb import WandB

__all__ = ["MLflow", "TensorBoard", "WandB"]
