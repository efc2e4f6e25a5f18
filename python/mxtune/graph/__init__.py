"""The symbol graph as plain data: read and written as MXNet's symbol JSON, edited by pure functions.

``data``: Node and Graph.  ``edit``: functions from graph to graph.  ``symbol_json``: reading and writing.
``builder``: a small writer of graphs, for the zoo and for heads.  ``shapes``: shapes of all layers, by the operators'
rules.  ``limits``: how much a network may need.
"""

from __future__ import annotations

from .builder import Builder
from .data import Entry, Graph, Node
from .edit import (
    attach,
    behind,
    beside,
    declare,
    form_of,
    insert,
    insert_before,
    is_kind,
    partition,
    remove,
    rename,
    replace_layer,
    replace_node,
    source,
    subgraph,
    without_casts,
    without_loss,
    written,
)
from .limits import LIMITS, Limits, Shapes
from .shapes import shapes_of
from .symbol_json import from_json, to_json

__all__ = [
    "LIMITS",
    "Builder",
    "Entry",
    "Graph",
    "Limits",
    "Node",
    "Shapes",
    "attach",
    "behind",
    "beside",
    "declare",
    "form_of",
    "from_json",
    "insert",
    "insert_before",
    "is_kind",
    "partition",
    "remove",
    "rename",
    "replace_layer",
    "replace_node",
    "shapes_of",
    "source",
    "subgraph",
    "to_json",
    "without_casts",
    "without_loss",
    "written",
]
