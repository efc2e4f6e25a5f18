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
from ..formats.untrusted import FaultError
from ..tasks.label_type import LabelType
from .memory import Memory
from .quantised import KEY, Quantised, told
from .validation import Validation


def parts_of(contents: Contents, file: str = "the bytes") -> dict[str, Any]:
    """The arguments of `Model`, by name, from the contents of a model file of this name.

    Raises
    ------
    ModelFileError
        What the file says of its validation, or remembers of its training images, can't be used.
    """
    model = contents.model
    assert model is not None  # noqa: S101 - reading has seen to it
    levels = contents.levels or ()
    try:
        validation, memory, quantised = _validation(model, levels), _memory(contents), _quantised(contents)
        told(model["settings"].get(KEY))  # raises where this is not what was kept
    except FaultError as fault:
        raise ModelFileError(f"Can't use the model in {file}.", [fault.what]) from None
    except KeyError as error:
        raise ModelFileError(f"Can't use the model in {file}.", [f"it has no {error.args[0]}"]) from error
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        raise ModelFileError(f"Can't use the model in {file}.", [str(error)]) from error
    return {
        "network": contents.network,
        "task": model["task"],
        "levels": levels,
        "history": model["history"],
        "settings": model["settings"],
        "metrics": {figure: np.nan if value is None else value for figure, value in model["metrics"].items()},
        "versions": model["versions"],
        "label_type": LabelType.from_dict(model.get("label_type", {})),
        "validation": validation,
        "memory": memory,
        "quantised": quantised,
        "others": contents.others,
    }


def _validation(model: Mapping[str, Any], levels: Sequence[str]) -> Optional[Validation]:
    if model.get("validation") is None:  # an older file
        return None
    return Validation.from_dict(model["validation"], max(1, len(levels)), model["task"] == "classification")


def _memory(contents: Contents) -> Optional[Memory]:
    if contents.memory is None or contents.model is None:
        return None
    return Memory.from_arrays(contents.memory, contents.model["task"], *_outputs_and_features(contents))


def _quantised(contents: Contents) -> Optional[Quantised]:
    return None if contents.int8 is None else Quantised.from_arrays(contents.int8, *_outputs_and_features(contents))


def _outputs_and_features(contents: Contents) -> tuple[int, int]:
    body = contents.network.body
    return max(1, len(contents.levels or ())), body.shapes[body.output][0][1]


def versions(engine: Optional[Engine] = None) -> dict[str, str]:
    """The versions of the packages that make a model now, the engine that computes among them."""
    found = [engine] if engine is not None else [engines.get(name) for name in engines.installed()[:1]]
    named = {one.name: one.version() or "unknown" for one in found}
    return {"mxtune": __version__, **named, "numpy": np.__version__}
