"""What is saved of a model beside its network, and the arguments of `Model` that it becomes again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

import numpy as np

from .. import engines
from .._version import __version__
from ..engines import Engine
from ..errors import ModelFileError
from ..formats import Contents
from ..tasks.label_type import LabelType
from .validation import Validation


def parts_of(contents: Contents) -> dict[str, Any]:
    """The arguments of `Model`, by name, from the contents of a model file.

    Raises
    ------
    ModelFileError
        What the file says of its validation can't be used.
    """
    model = contents.model
    assert model is not None  # noqa: S101 - reading has seen to it
    levels = contents.levels or ()
    return {
        "network": contents.network,
        "task": model["task"],
        "levels": levels,
        "history": model["history"],
        "settings": model["settings"],
        "metrics": {figure: np.nan if value is None else value for figure, value in model["metrics"].items()},
        "versions": model["versions"],
        "label_type": LabelType.from_dict(model.get("label_type", {})),
        "validation": _validation(model, levels),
    }


def _validation(model: Mapping[str, Any], levels: Sequence[str]) -> Optional[Validation]:
    if model.get("validation") is None:  # an older file
        return None
    try:
        return Validation.from_dict(model["validation"], max(1, len(levels)), model["task"] == "classification")
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise ModelFileError("Can't use what the model file tells of its validation.", [str(error)]) from error


def versions(engine: Optional[Engine] = None) -> dict[str, str]:
    """The versions of the packages that make a model now, the engine that computes among them."""
    found = [engine] if engine is not None else [engines.get(name) for name in engines.installed()[:1]]
    named = {one.name: one.version() or "unknown" for one in found}
    return {"mxtune": __version__, **named, "numpy": np.__version__}
