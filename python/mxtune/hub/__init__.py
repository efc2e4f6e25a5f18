"""Repositories of the Hugging Face hub: what reaches out to it, where it is asked.

``reference``: ``"hf:owner/name@revision"``.  ``download``: a repository's files, from the hub's own cache or fetched.
``upload``: a model into one.  ``transfer``: how a file moves.  ``refusal``: why it does not, and what to do.
``library``: the package ``huggingface_hub``, through which everything goes, imported late.
"""

from __future__ import annotations

from .download import CARD, WEIGHTS, cached, fetch, fetch_newest, page
from .reference import PREFIX, Reference, is_reference
from .refusal import MODEL
from .upload import WRITTEN_BY_US, push

__all__ = [
    "CARD",
    "MODEL",
    "PREFIX",
    "WEIGHTS",
    "WRITTEN_BY_US",
    "Reference",
    "cached",
    "fetch",
    "fetch_newest",
    "is_reference",
    "page",
    "push",
]
