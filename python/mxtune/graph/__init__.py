"""The symbol graph as plain data: read and written as MXNet's symbol JSON, edited by pure functions.

``data``: Node and Graph.  ``edit``: functions from graph to graph.  ``symbol_json``: in and out.
``builder``: a small writer of graphs, for the zoo and for heads.
"""

from __future__ import annotations

from .builder import Builder
from .data import LABEL_OPERATORS, PARAMETER_SLOTS, Entry, Graph, Node
from .edit import attach, insert, partition, remove, rename, replace_node, subgraph, without_loss
from .symbol_json import from_json, to_json

__all__ = [
    "LABEL_OPERATORS",
    "PARAMETER_SLOTS",
    "Builder",
    "Entry",
    "Graph",
    "Node",
    "attach",
    "from_json",
    "insert",
    "near",
    "partition",
    "remove",
    "rename",
    "replace_node",
    "subgraph",
    "to_json",
    "without_loss",
]
