"""What an operator can't take, in words; the caller, who knows the layer's name, turns it into a NetworkError."""

from __future__ import annotations

from typing import Optional


class MisfitError(Exception):
    """An attribute or a shape that does not fit: ``words`` describe what is wrong, ``hint`` how to fix it."""

    def __init__(self, words: str, hint: Optional[str] = None) -> None:
        super().__init__(words)
        self.words = words
        self.hint = hint
