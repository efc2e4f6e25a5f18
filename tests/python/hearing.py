"""What the core tells while something runs: its messages, by the events that it sends."""

from __future__ import annotations

from typing import Any

from mxtune import progress
from mxtune.images import ImageSet, mximages


def images_and_messages(*args: Any, **kwargs: Any) -> tuple[ImageSet, list[str]]:
    """What `mximages` gives, and the messages meanwhile."""
    texts: list[str] = []

    class Reporter:
        def event(self, kind: str, **info: Any) -> None:
            texts.extend([info["text"]] if kind == "message" else [])

    with progress.using(Reporter()):
        return mximages(*args, **kwargs), texts
