"""MXNet's own files: ``<prefix>-symbol.json`` and ``.params``."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Optional, Union

from ..errors import NetworkError, WeightsError
from ..graph import LIMITS, Graph, from_json
from . import Weights, register


def read_symbol(path: Union[str, os.PathLike[str]]) -> Graph:
    """The graph of a ``-symbol.json`` file.

    Raises
    ------
    NetworkError
        The file is missing, or no symbol JSON that can be trusted; the file and the fault are named.
    """
    file = Path(path)
    try:
        if file.stat().st_size > LIMITS.symbol_bytes:
            raise NetworkError(
                f"{file} is too large for a symbol JSON: at most {LIMITS.symbol_bytes / 1e6:.0f} MB are read."
            )
        return from_json(file.read_bytes())
    except OSError as fault:
        raise NetworkError(f"Can't read {file}: {fault.strerror or fault}.") from None
    except NetworkError as fault:
        if not fault.bullets:
            raise
        raise NetworkError(f"Can't read {file}.", bullets=fault.bullets) from None


def read_params(path: Path) -> Weights:
    """The arrays of a ``.params`` file; the ``arg:`` and ``aux:`` of a checkpoint are taken off their names.

    Raises
    ------
    WeightsError
        The file is damaged, or names its arrays not at all.
    """
    from ..engines.mxnet import symbols

    raw = symbols.read_params(path)
    weights: Weights = {}
    for name, array in raw.items():
        plain = name[4:] if name.startswith(("arg:", "aux:")) else name
        if plain in weights:
            raise WeightsError(f"{path} holds {plain} twice.")
        weights[plain] = array
    return weights


def params_beside(symbol: Path) -> Optional[Path]:
    """The ``.params`` file that belongs to ``<prefix>-symbol.json``: of the highest epoch, or None."""
    prefix = re.sub(r"-symbol\.json$|\.json$", "", symbol.name)
    pattern = re.compile(re.escape(prefix) + r"(-(\d{4,}))?\.params")
    found = [(int(match[2] or -1), file) for file in symbol.parent.iterdir()
             if (match := pattern.fullmatch(file.name))]  # fmt: skip
    return max(found)[1] if found else None


register(read_params, ".params")
