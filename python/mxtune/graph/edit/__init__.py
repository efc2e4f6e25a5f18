"""Edits: pure functions that take graphs and return a new one; a file a verb.

``parts``: what ends in some layers.  ``inserting``, ``replacing``, ``joining``, ``naming``: one verb each.
``kinds``: layers by the names that people use.
"""

from __future__ import annotations

from .inserting import insert, insert_before
from .joining import attach, beside
from .kinds import form_of, is_kind, source, written
from .naming import rename
from .parts import behind, declare, partition, subgraph, without_casts, without_loss
from .replacing import remove, replace_layer, replace_node

__all__ = [
    "attach",
    "behind",
    "beside",
    "declare",
    "form_of",
    "insert",
    "insert_before",
    "is_kind",
    "partition",
    "remove",
    "rename",
    "replace_layer",
    "replace_node",
    "source",
    "subgraph",
    "without_casts",
    "without_loss",
    "written",
]
