"""Weights in and out: one file a format, each registers what it reads.

To add a format: a module in this folder that calls `register`.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Union

import numpy as np
from numpy.typing import NDArray

from ..errors import WeightsError

Weights = dict[str, NDArray[np.generic]]
Reader = Callable[[Path], Weights]

_READERS: dict[str, Reader] = {}


def register(reader: Reader, *suffixes: str) -> None:
    """Make `reader` the one that opens files of these suffixes.

    Raises
    ------
    ValueError
        A suffix has a reader already.
    """
    for suffix in suffixes:
        if suffix in _READERS:
            raise ValueError(f"{suffix} has a reader already")
        _READERS[suffix] = reader


def readers() -> dict[str, Reader]:
    """The reader of each suffix, found by looking through this folder."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return dict(_READERS)


def read_weights(path: Union[str, os.PathLike[str]]) -> Weights:
    """The arrays of a file of weights, by name, whatever its format.

    Parameters
    ----------
    path
        A file whose suffix tells the format: ``.params`` (MXNet), ``.pth``, ``.pt`` (PyTorch).

    Raises
    ------
    WeightsError
        The file is missing, damaged, of no known format, or asks for code to be run.
    """
    file = Path(path)
    known = readers()
    if not file.is_file():
        raise WeightsError(f"There is no file {path}.")
    if file.suffix.lower() not in known:
        raise WeightsError(f"Can't tell the format of {path}.", hint=f"Known are {', '.join(sorted(known))}.")
    return known[file.suffix.lower()](file)
