"""What an operator can't take, in words; whoever knows the layer's name makes a NetworkError of it."""

from __future__ import annotations

from typing import Optional


class MisfitError(Exception):
    """An attribute or a shape that does not fit: ``words`` say what about the layer, ``hint`` how to mend it."""

    def __init__(self, words: str, hint: Optional[str] = None) -> None:
        super().__init__(words)
        self.words = words
        self.hint = hint
