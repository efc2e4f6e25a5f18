"""`Sharing`: a model to where others find it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from .. import hub
from ..arguments import yes_or_no
from .card import card_of
from .meta import CARD, checked
from .reporting import Reporting


class Sharing(Reporting):
    """What gives a model to others; `Model` adds the rest."""

    def push(self, repository: str, private: bool = True, card: Optional[Mapping[str, Any]] = None) -> str:
        """Put the model into a repository of the Hugging Face hub; the address of the commit.

        The repository, which is made if there is none, gets ``model.mxt`` and a model card, ``README.md``: what it
        predicts, how good it is, what it was trained on, the licence of its weights, and how to load it in Python and
        R. A card that others have written stays. Both come in one commit, or nothing changes.
        ``mxload("hf:owner/name")`` loads it. The file holds names, labels and predictions of the images that it was
        validated on, but for that of ``model.forget()``.

        Parameters
        ----------
        repository
            ``"hf:owner/name"``; ``"hf:owner/name@branch"`` for another branch than main.
        private
            Whether a repository that is made is for its owner alone. One that is there stays as it is.
        card
            What the card says that no file can tell: as for `report`; ``licence`` is that of the model.

        Raises
        ------
        HubError
            There is no token (``hf auth login``), it may not write there, the hub does not take the model or can't be
            reached; or the package huggingface_hub is missing.
        ArgumentError
            ``card`` has fields that are not known.
        """
        reference = hub.Reference.of(repository)
        stated = checked(card, CARD, "card")
        yes_or_no("private", private)
        model: Any = self
        return hub.push(reference, model.to_bytes(), card_of(model, str(reference), stated), bool(private))
