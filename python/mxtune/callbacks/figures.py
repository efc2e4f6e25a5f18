"""What the callbacks share: figures of an epoch by name, settings in a flat list, packages that may be missing."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from ..arguments import is_number
from ..errors import MxtuneError


def figures(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of an epoch, with its phase before their names.

    Examples
    --------
    >>> figures({"stage": "head", "epoch": 1, "train_loss": 0.5, "lr": None})
    {'head/train_loss': 0.5}
    """
    return {
        f"{metrics['stage']}/{name}": float(value)
        for name, value in metrics.items()
        if name != "epoch" and is_number(value)
    }


def flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Settings within settings by their whole names; what is None is left out.

    Examples
    --------
    >>> flat({"seed": 1, "plan": {"size": [96, 96], "why": {"net": "small images"}}, "class_weights": None})
    {'seed': 1, 'plan.size': '[96, 96]', 'plan.why.net': 'small images'}
    """
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found.update(flat(value, f"{before}{name}."))
        elif value is not None:
            found[before + name] = value if isinstance(value, (str, bool, int, float)) else str(value)
    return found


def needed(module: str, package: str) -> Any:
    """The module.

    Raises
    ------
    MxtuneError
        It can't be imported; the hint is the command that installs its package.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MxtuneError(f"This callback needs {package}.", [str(error)], f"Run: pip install {package}") from error
