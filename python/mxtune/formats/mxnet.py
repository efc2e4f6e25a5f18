"""MXNet's own networks: ``<prefix>-symbol.json`` with a graph, and ``<prefix>-0000.params`` next to it with weights."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Optional, Union

from .. import store
from ..errors import FormatError, NetworkError
from ..graph import LIMITS, Graph, Limits, from_json, to_json, without_casts
from . import Contents, Format, Glimpse, register
from .params import write_parameters


def read_symbol(path: Union[str, os.PathLike[str]], limits: Limits = LIMITS) -> Graph:
    """The graph of a ``-symbol.json`` file, without casts to half precision and back.

    Raises
    ------
    NetworkError
        The file is missing, or no symbol JSON that can be trusted; the file and the fault are named.
    """
    file = Path(path)
    try:
        if file.stat().st_size > limits.symbol_bytes:
            raise NetworkError(
                f"{file} is too large for a symbol JSON: at most {limits.symbol_bytes / 1e6:.0f} MB are read."
            )
        return without_casts(from_json(file.read_bytes(), limits))
    except OSError as fault:
        raise NetworkError(f"Can't read {file}: {fault.strerror or fault}.") from None
    except NetworkError as fault:
        if not fault.bullets:
            raise
        raise NetworkError(f"Can't read {file}.", bullets=fault.bullets) from None


def params_beside(symbol: Path) -> Optional[Path]:
    """The ``.params`` file that belongs to ``<prefix>-symbol.json``: of the highest epoch, or None."""
    pattern = re.compile(re.escape(_prefix(symbol)) + r"(-(\d{4,}))?\.params")
    files = [(int(match[2] or -1), file) for file in symbol.parent.iterdir()
             if (match := pattern.fullmatch(file.name))]  # fmt: skip
    return max(files)[1] if files else None


def _prefix(symbol: Path) -> str:
    return re.sub(r"-symbol\.json$|\.json$", "", symbol.name)


def sniff(glimpse: Glimpse) -> bool:
    """Whether it is JSON that begins with nodes."""
    return glimpse.begins(rb'\s*\{\s*"nodes"\s*:')


def read(path: Path, limit: float = 1.0) -> Contents:
    """The graph, and where its weights are."""
    graph = read_symbol(path, LIMITS.times(limit))
    return Contents(graph=graph, weights_file=params_beside(path), provenance={"name": _prefix(path)}, limit=limit)


def write(path: Path, contents: Contents) -> None:
    """Write the graph, and the weights next to it, as MXNet's programs read them.

    Raises
    ------
    FormatError
        There is no graph.
    StoreError
        A file can't be written.
    """
    if contents.graph is None:
        raise FormatError(f"Can't write {path}: there are weights, but no graph for them.")
    store.write(path, [to_json(contents.graph).encode()], "the graph")
    if contents.weights is not None:
        write_parameters(path.with_name(f"{_prefix(path)}-0000.params"), contents.weights, contents.graph)


register(Format("MXNet network", (".json",), sniff, read, write))
