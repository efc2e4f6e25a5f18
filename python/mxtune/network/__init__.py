"""Network: a graph with its parameters and where they came from, to be read, cut, edited, frozen.

``data``: the Network, its body and its head.  ``editing``: its edits.  ``described``: what can be read off it.
``structure``: where the classifier and the stages are.  ``features``: what a head takes.  ``select``: layers by name,
operator, depth, stage.  ``place``: layers after, before and instead of others.  ``channels``, ``positions``: other
images.  ``difference``: two networks compared.  ``plot``: a picture.  ``layers``: the table of layers.
``initialise``: initial values.  ``values``: numbers that nothing can be computed with.
"""

from __future__ import annotations

from .data import Network

__all__ = ["Network"]
