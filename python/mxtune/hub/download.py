"""A file of a repository of the hub: from the hub's own cache, without a network, or else downloaded into it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Optional

from .. import progress
from ..errors import HubError
from ..words import file_size
from .library import HEADERS, asked, package, patience, settings
from .reference import Reference
from .refusal import refusal, unreachable, without_file
from .transfer import Bar, Transfer

_COMMIT = re.compile("[0-9a-f]{40}")
CARD = "README.md"
WEIGHTS = ("model.safetensors", "pytorch_model.bin")


def cached(reference: Reference, names: Sequence[str]) -> Optional[Path]:
    """The first of these files that the cache has; nothing is asked over the network.

    A commit is looked for as it is; a branch or a tag is what it was when it was last downloaded.

    Raises
    ------
    HubError
        `huggingface_hub` is not installed.
    """
    hub = package(reference)
    for name in names:
        found = hub.try_to_load_from_cache(reference.repository, name, revision=reference.revision)
        if isinstance(found, str):
            return Path(found)
    return None


def fetch(reference: Reference, limits: Mapping[str, int]) -> Path:
    """The first of these files that the repository has: its place in the cache, where it is put if it was not there.

    Parameters
    ----------
    limits
        The files by name, and how many bytes each may have.

    Raises
    ------
    HubError
        There is none, or it can't be had; the reason is told within 3 seconds.
    """
    found = cached(reference, tuple(limits))
    if found is not None:
        return found
    return _fetched(package(reference), reference, limits)


def fetch_newest(reference: Reference, limits: Mapping[str, int]) -> Path:
    """As `fetch`, but the hub is asked whether a branch or a tag has moved. Where that fails, it is told, and the cache
    counts.

    Raises
    ------
    HubError
        As by `fetch`.
    """
    known, hub = cached(reference, tuple(limits)), package(reference)
    if known is not None and (hub.constants.HF_HUB_OFFLINE or _COMMIT.fullmatch(reference.revision)):
        return known
    try:
        return _fetched(hub, reference, limits)
    except HubError as fault:
        if known is None:
            raise
        text = f"{fault.message} {reference} is opened from its cache: commit {known.parent.name[:10]}."
    progress.current().event("message", text=text)
    return known


def _fetched(hub: Any, reference: Reference, limits: Mapping[str, int]) -> Path:
    names = tuple(limits)
    if hub.constants.HF_HUB_OFFLINE:
        raise unreachable(hub, reference, names, "it is not asked, as HF_HUB_OFFLINE is set")
    try:
        with settings(hub):
            for name, most in limits.items():
                size = _size(hub, reference, name)
                if size is not None:
                    return _downloaded(hub, reference, name, size, most)
    except HubError:
        raise
    except Exception as fault:  # noqa: BLE001 - of whichever library the hub's package speaks HTTP with
        raise refusal(hub, fault, reference, names) from None
    raise without_file(hub, reference, names)


def page(reference: Reference) -> str:
    """The address of the repository for people."""
    return f"{package(reference).constants.ENDPOINT}/{reference.repository}"


def _size(hub: Any, reference: Reference, name: str) -> Optional[int]:
    """How many bytes a file of the repository has, -1 if the hub does not say; None if there is none."""

    def ask(seconds: float) -> Any:
        url = hub.hf_hub_url(reference.repository, name, revision=reference.revision)
        return hub.get_hf_file_metadata(url, timeout=seconds, headers=HEADERS)

    try:
        answer = asked(hub, ask)
    except hub.utils.EntryNotFoundError:
        return None
    return -1 if answer.size is None else int(answer.size)


def _downloaded(hub: Any, reference: Reference, name: str, size: int, most: int) -> Path:
    what = f"{name} of {reference.repository}"
    if size > most:
        text = f"{what} has {file_size(size)}."
        bullet = f"a network that mxtune opens has at most {file_size(most)} of it"
        raise HubError(text, [bullet], "Compare the repository's name with the one that you want.")
    transfer = Transfer(what, most)
    file = transfer.of(
        lambda: hub.hf_hub_download(
            reference.repository, name, revision=reference.revision, etag_timeout=patience(hub), headers=HEADERS,
            tqdm_class=partial(Bar, transfer),
        ),
        size,
    )  # fmt: skip
    return Path(file)
