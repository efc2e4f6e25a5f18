"""Repositories of the Hugging Face hub: the one part of this package that reaches out to a network, where it is asked.

``reference``: ``"hf:owner/name@revision"``.  ``download``: a repository's files, from the hub's own cache or fetched.
``transfer``: how a file comes.  ``refusal``: why it does not, and what to do.  Everything goes through the package
``huggingface_hub``, imported late.
"""

from __future__ import annotations

from .download import WEIGHTS, cached, fetch, page
from .reference import PREFIX, Reference, is_reference

__all__ = ["PREFIX", "WEIGHTS", "Reference", "cached", "fetch", "is_reference", "page"]
