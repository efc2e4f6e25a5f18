"""Network: a graph with its parameters and where they came from, to be read, cut, edited, frozen.

``data``: the Network and its edits.  ``anatomy``: where the classifier and the stages are.
``features``: what a head takes.  ``choice``: parameters by name or depth.  ``insertion``: new layers.
``layers``: the table of layers.  ``initialise``: first values of parameters.  ``matching``: which array of a
file is which parameter.  ``shapes``: shapes, checked.  ``opening``: `mxnetwork`, by name or from a file.
"""

from __future__ import annotations

from .data import Network
from .opening import mxnetwork, network

__all__ = ["Network", "mxnetwork", "network"]
