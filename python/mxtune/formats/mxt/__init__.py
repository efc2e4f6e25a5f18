"""The ``.mxt`` file: a model as three members of a zip, written whole or not at all, read with distrust.

======================= =================================================================
``manifest.json``       what the model is, and ``sha256`` and size of the two others
``symbol.json``         the network's graph, as MXNet writes it
``weights.safetensors`` its parameters
======================= =================================================================

Nothing in it is executable. Members are stored and not compressed, and the bytes around them follow from
names, sizes and checksums alone: the same model gives the same file, and a changed byte anywhere is noticed.
"""

from __future__ import annotations

from .layout import FORMAT, MEMBERS
from .reading import read
from .writing import write

__all__ = ["FORMAT", "MEMBERS", "read", "write"]
