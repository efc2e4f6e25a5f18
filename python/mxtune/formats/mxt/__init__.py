"""The ``.mxt`` file: a model as three members of a zip, written whole or not at all, read as untrusted.

======================= =================================================================
``manifest.json``       what the model is, and ``sha256`` and size of the two others
``symbol.json``         the network's graph, as MXNet writes it
``weights.safetensors`` its parameters
======================= =================================================================

Nothing in it is executable. Members are stored and not compressed, and the bytes around them follow from
names, sizes and checksums alone: the same model gives the same file, and a changed byte anywhere is noticed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, Union

from ...errors import ModelFileError
from ...graph import to_json
from .. import Contents, Format, Glimpse, register
from .layout import FORMAT, MANIFEST, MEMBERS
from .manifest import contents_of, manifest_of
from .reading import read
from .writing import write

__all__ = ["FORMAT", "MEMBERS", "load", "read", "save", "write"]


def load(source: Union[str, os.PathLike[str], bytes], limit: float = 1.0) -> Contents:
    """The model in a file, or in the bytes of one, with every part of it checked.

    Parameters
    ----------
    limit
        How many times the limits of `mxtune.graph.Limits` the network may need.

    Raises
    ------
    ModelFileError
        There is no such file, or it is damaged, hostile, of a newer format, or not a model at all.
    """
    name = Path(source).name if isinstance(source, (str, os.PathLike)) else "the bytes"
    return contents_of(*read(source), name, limit)


def save(target: Union[str, os.PathLike[str], BinaryIO], contents: Contents) -> None:
    """Write a model; the same model gives the same bytes.

    Raises
    ------
    StoreError
        The file can't be written.
    ModelFileError
        The contents are not those of a model.
    """
    if contents.graph is None or contents.weights is None:
        raise ModelFileError("A model file contains a whole network: the graph or the weights are missing.")
    write(target, manifest_of(contents), to_json(contents.graph), contents.weights)


def sniff(glimpse: Glimpse) -> bool:
    """Whether it is a zip with a manifest."""
    return glimpse.holds(MANIFEST.replace(".", r"\."))


register(Format("mxtune model", (".mxt",), sniff, load, save))
