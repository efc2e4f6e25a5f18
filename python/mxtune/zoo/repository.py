"""A repository of the Hugging Face hub as files: its configuration, its weights, and where they are from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Optional

from .. import formats, hub, progress
from ..errors import HubError
from . import timm_config
from .timm_config import Config

_MOST_WEIGHTS = 4 << 30  # bytes; the largest network that is built here has 0.6 GB in float32
_MOST_CARD = 2_000_000
_LICENCE = re.compile(r"^license(_name)?:[ \t]*[\"']?([\w.+-]{1,80})", re.MULTILINE)


class Repository(NamedTuple):
    """Files of a repository in the hub's cache: its configuration is read, its weights are not. A model needs none."""

    weights: Path
    config: Optional[Config]
    origin: Mapping[str, str]


def open_repository(name: str) -> Repository:
    """What ``"hf:owner/name@revision"`` stands for. What the cache has is taken from it, and no network is asked.

    Raises
    ------
    HubError
        It can't be had.
    NetworkError
        It is none of timm's, or of an architecture that can't be built; nothing more was downloaded then.
    """
    reference = hub.Reference.of(name)
    file = hub.fetch(reference, {timm_config.FILE: timm_config.MOST, hub.MODEL: _MOST_WEIGHTS})
    if file.name == hub.MODEL:
        origin = {"source": name, "revision": file.parent.name, "url": hub.page(reference)}
        return Repository(file, None, origin)
    config = timm_config.read(file, name)
    if not config.entries():
        raise config.no_entry(name)
    commit = file.parent.name  # the cache has a folder for each
    pinned = replace(reference, revision=commit)
    was_cached = hub.cached(pinned, hub.WEIGHTS) is not None
    weights = hub.fetch(pinned, dict.fromkeys(hub.WEIGHTS, _MOST_WEIGHTS))
    licence = config.facts.get("licence") or _licence(pinned, was_cached) or "unknown"
    if was_cached:
        text = f"{name} is opened from the cache of the Hugging Face hub: {reference.revision}, commit {commit[:10]}."
    else:
        text = f"{name} was downloaded: commit {commit[:10]}, licence {licence}."
    progress.current().event("message", text=text)
    origin = {
        **config.facts, "source": name, "revision": commit, "sha256": formats.sha256(weights), "licence": licence,
        "url": hub.page(reference),
    }  # fmt: skip
    return Repository(weights, config, origin)


def _licence(reference: hub.Reference, cached_only: bool) -> Optional[str]:
    """What the repository's card says at its head; it may be missing."""
    card = hub.cached(reference, (hub.CARD,))
    if card is None and not cached_only:
        try:
            card = hub.fetch(reference, {hub.CARD: _MOST_CARD})
        except HubError:
            return None
    if card is None:
        return None
    head = card.read_bytes()[:20_000].decode("utf-8", "replace").partition("\n---")[0]
    told = {match[1] or "": match[2] for match in _LICENCE.finditer(head)}
    return told.get("_name") or told.get("")
