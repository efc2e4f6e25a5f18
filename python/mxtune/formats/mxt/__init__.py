"""The ``.mxt`` file: a model as members of a zip, written whole or not at all, read as untrusted.

======================= =================================================================
``manifest.json``       what the model is, and ``sha256`` and size of the others
``symbol.json``         the network's graph, as MXNet writes it
``weights.safetensors`` its parameters
``memory.safetensors``  what it remembers of its training images, see `mxtune.model.memory`;
                        may be missing
``int8.safetensors``    what it needs to predict in int8, see `mxtune.model.quantised`; may be missing
======================= =================================================================

A file of these three alone has format 1. One with more has format 2: members that a later version may add, too, are
kept as they are, and told.

Nothing in it is executable. Members are stored and not compressed, and the bytes around them follow from
names, sizes and checksums alone: the same model gives the same file, and a changed byte anywhere is noticed.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Union

from ... import progress
from ...errors import ModelFileError
from ...graph import to_json
from ...words import listing
from .. import Contents, Format, Glimpse, register
from ..safetensors import arrays_of, bytes_of
from ..untrusted import FaultError
from .layout import FORMAT, INT8, MANIFEST, MEMBERS, MEMORY
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
    manifest, symbol, arrays, others = read(source)
    own = {name: others.pop(name) for name in (MEMORY, INT8) if name in others}
    if others:
        text = f"Parts of the model that this mxtune does not know are kept as they are: {listing([*others])}."
        progress.current().event("message", text=text)
    contents = contents_of(manifest, symbol, arrays, name, limit)
    try:
        memory, int8 = (arrays_of(name, own[name]) if name in own else None for name in (MEMORY, INT8))
        return replace(contents, memory=memory, int8=int8, others=others)
    except FaultError as fault:
        raise ModelFileError(f"Can't use the model in {name}.", [fault.what], fault.hint) from None


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
    others = dict(contents.others)
    if contents.memory is not None:
        others[MEMORY] = bytes_of(contents.memory)
    if contents.int8 is not None:
        others[INT8] = bytes_of(contents.int8)
    write(target, manifest_of(contents), to_json(contents.graph), contents.weights, others)


def sniff(glimpse: Glimpse) -> bool:
    """Whether it is a zip with a manifest."""
    return glimpse.holds(MANIFEST.replace(".", r"\."))


register(Format("mxtune model", (".mxt",), sniff, load, save))
