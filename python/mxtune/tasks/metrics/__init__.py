"""The quality of predictions: one file per metric, each computed as scikit-learn computes it by default."""

from __future__ import annotations

import importlib
import pkgutil

from .base import Figures, Metric, measure, metric, metric_of, metrics_of
from .calibration import calibration
from .confusion import confusion
from .per_class import per_class

__all__ = ["Figures", "Metric", "calibration", "confusion", "measure", "metric", "metric_of", "metrics_of", "per_class"]

for _module in pkgutil.iter_modules(__path__):  # each registers what it has
    importlib.import_module(f"{__name__}.{_module.name}")
