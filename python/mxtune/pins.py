"""Models on boards of the package `pins` (extra ``pins``), which R's package of that name reads and writes, too.

A pin is the one file of the model, so a board may be a folder, a bucket or Posit Connect, and its versions are those of
the model:

    board = pins.board_folder("boards")
    mxtune.pins.write(board, model, "clothes")
    mxtune.pins.read(board, "clothes")

In R: ``mxload(pins::pin_download(board, "clothes"))``.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from .calls import kind_text, value_text
from .errors import ArgumentError, ModelFileError
from .model.load import model_of, mxload
from .model.model import Model
from .network import Network
from .words import bullets, file_name

SUFFIX = ".mxt"


def write(
    board: Any,
    model: Union[Model, Network, str, os.PathLike[str]],
    name: str,
    title: Optional[str] = None,
    description: Optional[str] = None,
    metadata: Optional[Mapping[str, Any]] = None,
) -> str:
    """Put a model on a board; its version there.

    Parameters
    ----------
    board
        One of `pins`.
    model
        A model, the file of one, or a network as it is.
    name
        The pin's; one that is there gets another version.
    title, description
        What people read; the model in one sentence if None.
    metadata
        What else the pin says, beside ``mxtune``: task, classes, network, licence and metrics, as the file has them.
        Texts, numbers, dates, and lists, arrays and dicts of them.

    Raises
    ------
    ArgumentError
        It is no model or no board, the pin has no name, or ``metadata`` no names or what no board can keep.
    """
    pinned = model_of(model)
    _check_board(board, "pin_upload")
    _check_name(name)
    if not isinstance(metadata, (Mapping, type(None))):
        raise ArgumentError("`metadata` must be a dict.", [f"it is {value_text(metadata)}"])
    if "mxtune" in (metadata or {}):
        text = '`metadata` has "mxtune", which is what the file says of the model.'
        raise ArgumentError(text, hint="Give it another name.")
    stated = {key: plain(value, key) for key, value in (metadata or {}).items()}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name.rpartition('/')[2]}{SUFFIX}"
        pinned.save(file)
        meta = board.pin_upload(
            str(file),
            name,
            title=title or pinned.meta.get("title") or f"{name}: a model of mxtune",
            description=description or repr(pinned)[1:-1],
            metadata={**stated, "mxtune": about(pinned)},
        )
    return str(meta.version.version)


def read(board: Any, name: str, version: Optional[str] = None, limit: float = 1) -> Model:
    """The model on a board, from Python or R.

    Parameters
    ----------
    board
        One of `pins`.
    name, version
        The pin's; the newest version if None.
    limit
        As of `mxload`.

    Raises
    ------
    ArgumentError
        It is no board, or no name.
    ModelFileError
        The pin is none of a model, or its file is damaged.
    """
    _check_board(board, "pin_download")
    _check_name(name)
    files = [Path(file) for file in board.pin_download(name, version)]
    models = [file for file in files if file.suffix.lower() == SUFFIX]
    if len(models) != 1:
        hint = "What vetiver has written vetiver reads: VetiverModel.from_pin(board, name).model."
        raise ModelFileError(
            f"The pin {name} is not one model.", bullets([file_name(file.name) for file in files]), hint
        )
    return mxload(models[0], limit)


def _check_board(board: Any, verb: str) -> None:
    if not callable(getattr(board, verb, None)):
        hint = 'pins.board_folder("boards") makes one, pins.board_s3() and others too.'
        raise ArgumentError("`board` must be a board of the package pins.", [f"it is {value_text(board)}"], hint)


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not name.rpartition("/")[2].strip("."):
        raise ArgumentError("`name` must be the name of a pin.", [f"it is {value_text(name)}"])


def plain(value: Any, name: Any) -> Any:
    """The value as YAML has it: boards write others as Python's own, which nobody can read again.

    Raises
    ------
    ArgumentError
        It can't be written so.
    """
    if isinstance(value, (np.generic, np.ndarray)):
        return plain(value.tolist(), name)
    if isinstance(value, Mapping):
        return {plain(key, name): plain(one, name) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one, name) for one in value]
    if value is None or isinstance(value, (str, bool, int, float, date)):
        return value
    text = "`metadata` must be texts, numbers, dates, and lists and dicts of them."
    raise ArgumentError(text, [f"{value_text(name)} has {kind_text(value)}"])


def about(model: Model) -> dict[str, Any]:
    """What a board and a service say of a model: plain values."""
    return {
        "task": model.task,
        "levels": list(model.levels),
        "network": model.provenance.get("name", "unknown"),
        "licence": model.provenance.get("licence", "unknown"),
        "metrics": {name: float(value) for name, value in model.metrics.items() if math.isfinite(value)},
        "versions": dict(model.versions),
        **model.meta,
    }
