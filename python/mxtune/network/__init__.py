"""Network: a graph with its parameters and where they came from, to be read, cut, edited, frozen.

``data``: the Network and its edits.  ``structure``: where the classifier and the stages are.
``features``: what a head takes.  ``select``: parameters by name or depth.  ``insert``: new layers.
``layers``: the table of layers.  ``initialise``: initial values of parameters.
``values``: numbers that nothing can be computed with.
"""

from __future__ import annotations

from .data import Network

__all__ = ["Network"]
