"""What the core tells while something runs: its messages, by the events that it sends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mxtune import progress
from mxtune.images import ImageSet, mximages


@contextmanager
def listening() -> Iterator[list[str]]:
    """The messages of what runs meanwhile."""
    texts: list[str] = []

    class Reporter:
        def event(self, kind: str, **info: Any) -> None:
            texts.extend([info["text"]] if kind == "message" else [])

    with progress.using(Reporter()):
        yield texts


def images_and_messages(*args: Any, **kwargs: Any) -> tuple[ImageSet, list[str]]:
    """What `mximages` gives, and the messages meanwhile."""
    with listening() as texts:
        return mximages(*args, **kwargs), texts
