"""What the outputs of networks mean: the names of ImageNet's classes, in ``imagenet.txt``, with their licence."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def imagenet() -> tuple[str, ...]:
    """The 1,000 classes of ImageNet (ILSVRC 2012), in the order of the outputs of networks that were trained on it.

    Examples
    --------
    >>> imagenet()[967]
    'espresso'
    """
    lines = Path(__file__).with_name("imagenet.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if not line.startswith("#"))
